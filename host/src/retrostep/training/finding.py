"""What a rule finds, and how findings add up."""

from dataclasses import dataclass
from typing import Any

OK, INFO, UNKNOWN, WARN, FAIL = "ok", "info", "unknown", "warn", "fail"
ORDER = {OK: 0, INFO: 1, UNKNOWN: 2, WARN: 3, FAIL: 4}


def worst(verdicts: list[str]) -> str:
    """The gravest of `verdicts`: ok < info < unknown < warn < fail. `unknown` of none: what was not judged is not ok."""
    return max(verdicts, key=ORDER.__getitem__, default=UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One judgement. `measured` and `limit` are in `unit`; `session` is `DEVICE/NUMBER` where one is meant; `todo` is what to do next."""

    rule: str
    verdict: str
    measured: float | None
    limit: float | None
    unit: str
    session: str | None
    why: str
    source: str
    todo: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fixed structure of `check --json`."""
        return {
            "rule": self.rule,
            "verdict": self.verdict,
            "measured": self.measured,
            "limit": self.limit,
            "unit": self.unit,
            "session": self.session,
            "why": self.why,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class AthleteVerdict:
    """An athlete's verdict: the worst finding. `athlete` None stands for sessions of devices that are nobody's."""

    athlete: str | None
    verdict: str
    findings: list[Finding]

    def as_dict(self) -> dict[str, Any]:
        """The fixed structure of `check --json`."""
        return {"athlete": self.athlete, "verdict": self.verdict, "findings": [finding.as_dict() for finding in self.findings]}
