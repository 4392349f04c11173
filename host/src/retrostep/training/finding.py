"""What a rule finds, and the verdict of several findings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrostep.errors import RetrostepError

if TYPE_CHECKING:
    from retrostep.training.acceptances import Accepted
    from retrostep.training.review import Review

OK, INFO, UNKNOWN, WARN, FAIL = "ok", "info", "unknown", "warn", "fail"
ORDER = {OK: 0, INFO: 1, UNKNOWN: 2, WARN: 3, FAIL: 4}


def worst(verdicts: list[str]) -> str:
    """The worst of `verdicts`: ok < info < unknown < warn < fail. `unknown` for none, because what was not judged is not ok."""
    return max(verdicts, key=ORDER.__getitem__, default=UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict of one rule.

    measured, limit   in `unit`; None if nothing was measured
    session           `DEVICE/NUMBER`; None if it is about no single session
    todo              what to do next; empty if there is nothing to do
    headline          the finding in a few words
    step              the kind of next step: do, adjust, ask or refer; empty if there is nothing to do
    started_at_ms     when the training that it is about began; None if it is about no session
    accepted          who accepted it and why; None if nobody did
    is_note           whether it is shown although it is ok
    problem           why something could not be judged, with the facts for the command that helps
    """

    rule: str
    verdict: str
    measured: float | None
    limit: float | None
    unit: str
    session: str | None
    why: str
    source: str
    todo: str = ""
    problem: RetrostepError | None = None
    headline: str = ""
    step: str = ""
    started_at_ms: int | None = None
    accepted: "Accepted | None" = None
    is_note: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For `check --json`."""
        return {
            "rule": self.rule,
            "verdict": self.verdict,
            "measured": self.measured,
            "limit": self.limit,
            "unit": self.unit,
            "session": self.session,
            "why": self.why,
            "source": self.source,
            "headline": self.headline,
            "next_step": {"step": self.step, "text": self.todo} if self.step else None,
            "accepted": None if self.accepted is None else self.accepted.as_dict(),
        }

    @property
    def weight(self) -> str:
        """The verdict as far as it counts for the athlete: an accepted finding is information."""
        return self.verdict if self.accepted is None else INFO


@dataclass(frozen=True, slots=True)
class AthleteVerdict:
    """An athlete's verdict: the worst of the findings that nobody accepted; accepted ones are information.

    `athlete` is None for the sessions of unassigned devices, which have no review.
    """

    athlete: str | None
    verdict: str
    findings: list[Finding]
    review: "Review | None" = None

    def as_dict(self) -> dict[str, Any]:
        """For `check --json`."""
        review = {} if self.review is None else self.review.as_dict()
        findings = [finding.as_dict() for finding in self.findings]
        return {"athlete": self.athlete, "verdict": self.verdict, "findings": findings, **review}
