"""The findings of an athlete as people read them: what an undated session leaves unknown is one finding, not one for each rule."""

from collections.abc import Iterable
from dataclasses import replace

from retrostep.errors import Undated
from retrostep.training.finding import Finding
from retrostep.training.rules.catalog import QUALITY, QUALITY_SOURCE


def combined_findings(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in their order. Those about one undated session are one finding of data_quality, which names the rules."""
    shown: list[Finding] = []
    groups: dict[str, list[Finding]] = {}
    places: dict[str, int] = {}
    for finding in findings:
        if not isinstance(finding.problem, Undated) or finding.accepted is not None:
            shown.append(finding)
            continue
        session = finding.problem.facts["session"]
        if session not in groups:
            places[session] = len(shown)
            shown.append(finding)
        groups.setdefault(session, []).append(finding)
    for session, group in groups.items():
        shown[places[session]] = _of_session(session, group)
    return shown


def _of_session(session: str, group: list[Finding]) -> Finding:
    own = next((finding for finding in group if finding.rule == QUALITY), None)
    rules = list(dict.fromkeys(finding.rule for finding in group if finding.rule != QUALITY))
    if own is None:
        unknown = f"It is not known when session {session} was."
        own = replace(group[0], rule=QUALITY, measured=None, limit=None, unit="", session=session, why=unknown, source=QUALITY_SOURCE)
    if not rules:
        return own
    names = ", ".join(rules)
    affected = f"the rule {names} stays" if len(rules) == 1 else f"{len(rules)} rules stay"
    listed = "" if len(rules) == 1 else f": {names}"
    return replace(own, why=f"{own.why} Until it has a date, {affected} unknown{listed}.")
