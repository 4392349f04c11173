"""Rules and findings in words: limits in the units that people use."""

from retrostep.training.finding import FAIL, WARN, Finding
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.floor import BACKWARD, RUNNING
from retrostep.training.rules.rule import ABOVE
from retrostep.units import duration, quantity


def limits_text(rule: str, warn: float | None, fail: float | None, enabled: bool = True) -> str:
    """The limits of a rule: `warns above 10 %, fails above 30 %`, or `off`."""
    if not enabled:
        return "off"
    levels = (("warns", warn), ("fails", fail))
    return ", ".join(f"{verb} {_limit(rule, value)}" for verb, value in levels if value is not None) or "no limits"


def measured_text(finding: Finding) -> str:
    """The measured value and the limit of a finding: `1 stop alert (warns from 1)`. Of what was only noted, the headline: `limping`."""
    if finding.rule == "pain" and finding.limit is None and finding.verdict in (WARN, FAIL):
        return finding.headline
    if finding.measured is None or finding.limit is None or finding.unit == _MARKS:
        return ""
    limit = quantity(finding.limit, finding.unit if finding.unit in ("s", "%", "ratio") else "")
    limit = f"{finding.verdict}s {_exceeded(finding.rule)} {limit}" if finding.verdict in (WARN, FAIL) else f"limit {limit}"
    return f"{_amount(finding.measured, finding.unit)} ({limit})"


def floor_text() -> str:
    """The floor of relative rules: `up to 1 min of running and 5 min backward in all it only informs, up to ... it does not fail`."""
    return ", ".join(
        f"up to {duration(running_ms)} of running and {duration(backward_ms)} backward in all it {at_most}"
        for at_most, running_ms, backward_ms in (
            ("only informs", RUNNING.inform_ms, BACKWARD.inform_ms),
            ("does not fail", RUNNING.warn_ms, BACKWARD.warn_ms),
        )
    )


def source_text(source: str) -> str:
    """A rule's source as a sentence."""
    return f"{source if source.startswith('No study') else f'Source: {source}'}."


def _limit(rule: str, value: float) -> str:
    """`above 10 %`, `below 5 min`, `from 3 stop alerts`."""
    unit = BY_NAME[rule].unit
    if unit == _MARKS and value == 1:
        return "when no stretch was marked"
    return f"{_exceeded(rule)} {_amount(value, unit)}"


def _exceeded(rule: str) -> str:
    return BY_NAME[rule].exceeded if rule in BY_NAME else ABOVE


def _amount(value: float, unit: str) -> str:
    return quantity(value, "stop alerts" if unit == "alerts" else unit)


_MARKS = "marks"
