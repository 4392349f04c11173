"""The report as one HTML file. It loads nothing: style and charts are in it, and it has no script. Text from outside is escaped."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.queries import SessionDetail
from retrostep.errors import ReportContradiction
from retrostep.output.impacts import impact_text, impacts
from retrostep.output.report import charts
from retrostep.output.report.facts import CHARTED_SESSIONS, AthletePage, Report, ShownSession, counted_ms
from retrostep.output.rules import measured_text, source_text
from retrostep.output.sessions import noted, shortcomings, still_counting, when
from retrostep.output.triage import next_text, pain_in_words
from retrostep.plain_text import clean
from retrostep.training.dates import day_text, weekday
from retrostep.training.device_limits import limits_words
from retrostep.training.finding import FAIL, OK, WARN, Finding
from retrostep.training.plan import AFTER_SETTLING, BASIS
from retrostep.units import alert_text, clock, count, duration, local_date, local_time

_LISTED = 100
"""So many sessions of the last days are listed for the club; all are on the athletes' pages."""


def page(report: Report, made: datetime) -> str:
    """The page of a report, made at the local time `made`. Raises ReportContradiction where its sums do not fit together."""
    template = _environment().get_template("page.html")
    text = template.render(
        report=report, made=made, zone=zone_text(made), rules=_by_rule(report.pages), week=_of_week(report), listed=_LISTED
    )
    check_sums(text, [each.name for each in report.pages])
    return text


def zone_text(made: datetime) -> str:
    """`CET, UTC+01:00`: the time zone of all times on the page."""
    offset = f"UTC{made:%z}"
    return ", ".join(filter(None, (made.tzname(), f"{offset[:-2]}:{offset[-2:]}")))


_SUM = re.compile(r'data-([a-z]+)-ms="(\d+)"')
_PAGE = '<article class="athlete"'
_EQUAL = (
    ("session", "week", "sessions", "weeks"),
    ("counted", "day", "counted sessions", "days of the chart"),
    ("recent", "load", "last 7 days of the chart", "7 days of the check"),
)


def check_sums(text: str, names: list[str]) -> None:
    """Compare, in the finished page, the sums of each athlete's sessions with those of the weeks, of the chart and of the check.

    Raises ReportContradiction: a page whose numbers do not fit together must not reach anybody.
    """
    parts = text.split(_PAGE)[1:]
    if len(parts) != len(names):
        raise ReportContradiction(
            f"The report has {len(parts)} pages for {len(names)} athletes. It was not written: please report this line."
        )
    for name, part in zip(names, parts, strict=True):
        sums: dict[str, int] = defaultdict(int)
        for kind, ms in _SUM.findall(part):
            sums[kind] += int(ms)
        for one, other, ones, others in _EQUAL:
            if sums[one] != sums[other]:
                raise ReportContradiction(
                    f"In the report of {name!r} the {ones} add up to {sums[one] / 1_000:g} s, but the {others} to "
                    f"{sums[other] / 1_000:g} s. It was not written: please report this line."
                )


def _by_rule(pages: Iterable[AthletePage]) -> dict[str, list[tuple[int, AthletePage, Finding]]]:
    """By rule: the athletes who exceed it, with the number of their page and the worst finding. Accepted findings are left out."""
    found: dict[str, list[tuple[int, AthletePage, Finding]]] = {}
    for number, each in enumerate(pages, 1):
        seen = set()
        for finding in each.verdict.findings:
            if finding.weight in (WARN, FAIL) and finding.rule not in seen:
                seen.add(finding.rule)
                found.setdefault(finding.rule, []).append((number, each, finding))
    return found


def _grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that are not ok, in their order. Those of one rule with one verdict and one next step are listed together."""
    found: dict[object, list[Finding]] = {}
    for finding in findings:
        if finding.verdict != OK:
            found.setdefault((finding.rule, finding.verdict, finding.todo, finding.accepted), []).append(finding)
    return list(found.values())


def _of_week(report: Report) -> list[tuple[int, AthletePage, ShownSession]]:
    """The sessions of the judged days, the latest first, with the number of their athlete's page."""
    found = [(n, each, s) for n, each in enumerate(report.pages, 1) for s in each.sessions if s.session.day >= report.since]
    return sorted(found, key=lambda row: -row[2].session.start_ms)


def _alerts(shown: ShownSession) -> Iterator[str]:
    """The alerts of a session, each with the time since its recording's start."""
    for detail in shown.details:
        for alert in detail.alerts:
            yield f"{clock(alert.at_ms)} {alert_text(alert.kind, alert.severity, alert.measured, alert.limit)}"


def _impacts(details: list[SessionDetail]) -> list[str]:
    return [impact_text(each) for each in impacts(load for detail in details for load in detail.loads)]


def _notes(details: list[SessionDetail]) -> list[str]:
    return [
        noted(pain=note.pain, rpe=note.rpe, text=note.text, next_day=note.next_day, limp=note.limp, swelling=note.swelling)
        for detail in details
        for note in detail.notes
    ]


def _session_pain(shown: ShownSession) -> str:
    recordings = shown.session.recordings
    pains = [pain for each in recordings for pain in (each.pain, each.pain_next_day) if pain is not None]
    return charts.pain_words(max(pains, default=None), any(each.limp or each.swelling for each in recordings))


def _alert_count(shown: ShownSession) -> str:
    """`2 stop, 1 warn`: rising cadence only; the others stand with the session's chart."""
    found = ((shown.session.ramp_stops, "stop"), (sum(row.ramp_warns for row in shown.rows), "warn"))
    return ", ".join(f"{number} {word}" for number, word in found if number)


def _problems(shown: ShownSession) -> list[str]:
    return [problem for row in shown.rows for problem in shortcomings(row)]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Every value of a page passes here, so that no control character reaches it. Markup is text that was escaped already.
    made.finalize = lambda value: clean(value) if type(value) is str else value
    helpers: dict[str, Any] = {
        "alert_count": _alert_count,
        "alerts": _alerts,
        "counted_ms": counted_ms,
        "day_words": charts.day_words,
        "evidence_chart": charts.evidence_chart,
        "evidence_text": charts.evidence_text,
        "grouped": _grouped,
        "impacts": _impacts,
        "kind_text": charts.kind_text,
        "limits_words": limits_words,
        "measured": measured_text,
        "month_strip": charts.month_strip,
        "next_text": next_text,
        "notes": _notes,
        "pain_in_words": pain_in_words,
        "pain_words": charts.pain_words,
        "problems": _problems,
        "session_chart": charts.session_chart,
        "session_pain": _session_pain,
        "source_text": source_text,
        "still_counting": still_counting,
        "week_text": charts.week_text,
        "when": when,
    }
    made.globals.update(helpers, AFTER_SETTLING=AFTER_SETTLING, BASIS=BASIS, CHARTED=CHARTED_SESSIONS, GAITS=GAIT_NAMES, OK=OK)
    made.filters.update(clock=clock, count=count, day=day_text, duration=duration, local_date=local_date, local=local_time, weekday=weekday)
    return made
