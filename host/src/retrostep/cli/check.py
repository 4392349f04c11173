"""`retrostep check`: which athletes need the coach first, and why."""

import sys
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest

import click
from retrostep_core import VERSION
from rich.console import Console
from rich.text import Text

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.identifiers import person_key
from retrostep.cli._cures import cure, when_settled
from retrostep.cli._options import PAST_MOMENT, WholeNumber, athlete_option, json_option, store_option
from retrostep.cli._store import reading
from retrostep.device.core_version import core_hash
from retrostep.output.findings import combined_findings
from retrostep.output.rules import measured_text
from retrostep.output.sessions import still_counting
from retrostep.output.terminal import STYLES, console, print_json_list, print_paragraph, print_title, styled
from retrostep.output.triage import (
    HURT_LEGEND,
    LEGEND,
    UNASSIGNED,
    Characters,
    characters,
    named_sources,
    next_text,
    pain_in_words,
    triage,
    week_bar,
    width,
)
from retrostep.training.check import JUDGED_DAYS, Check, exit_status
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_text
from retrostep.training.device_limits import limits_words
from retrostep.training.finding import FAIL, OK, WARN, AthleteVerdict, Finding
from retrostep.training.plan import AFTER_SETTLING
from retrostep.training.review import Review
from retrostep.units import count, duration, local_date


@click.command("check")
@click.argument("name", metavar="[ATHLETE]", required=False)
@athlete_option("As ATHLETE.")
@click.option("--on", type=PAST_MOMENT, metavar="DATE", help="Check as on this local date; later sessions are left out.")
@click.option("--days", type=WholeNumber(1, 366), default=JUDGED_DAYS, show_default=True, help="Number of days to check, up to that date.")
@click.option("--all", "show_all", is_flag=True, help="Also show rules whose limits are kept.")
@click.option("--why", "show_why", is_flag=True, help="Tell the story of every athlete, with the sources at the end.")
@json_option
@store_option
def command(
    name: str | None,
    athlete: str | None,
    on: datetime | None,
    days: int,
    show_all: bool,
    show_why: bool,
    as_json: bool,
    store_url: str | None,
) -> None:
    """Check athletes against the limits, most urgent first.

    One line for each athlete: the verdict, how it changed within a week (new, worse, same, better), the most important finding, the
    load of 7 days against its limit, the next session that raises no warning, pain, and days without data. With ATHLETE, the story of
    one. What cannot be checked (no date, gaps, no data) is unknown, never ok. `retrostep accept` accepts a finding: it is shown, but
    no longer decides the verdict. `retrostep rules` lists the rules and their sources.

    \b
    Example:  retrostep check
              retrostep check Ada --on 2026-11-20

    \b
    Exit status: 3 if a verdict is fail, else 4 if a checked session's log
    is damaged, else 0.
    """
    if name is not None and athlete is not None and person_key(name) != person_key(athlete):
        raise click.UsageError("ATHLETE and --athlete name two athletes: give one.")
    one = name if athlete is None else athlete
    with reading(store_url) as store, store.snapshot():
        check = Check(store, Core(VERSION, core_hash().hex()), None if on is None else on.date(), days)
        verdicts = check.verdicts(one)
        excluded = check.excluded(one)
        lost = store.lost_sessions
    if as_json:
        left_out = {"excluded": [{"session": row.name, "athlete": worn_by, "why": row.excluded_why} for row, worn_by in excluded]}
        print_json_list("athletes", (verdict.as_dict() for verdict in verdicts), left_out if excluded else {})
    else:
        out = console()
        is_story = one is not None or show_why or show_all
        if is_story:
            _tell(out, verdicts, show_all)
        else:
            _list(out, verdicts, check)
        for row, worn_by in excluded:
            print_paragraph(out, f"Excluded: session {row.name} of {worn_by or 'no athlete'}: {row.excluded_why}{still_counting(row)}", 0)
        _sum_up(out, verdicts, check, is_story)
    sys.exit(exit_status(verdicts, damaged=check.met_damage or bool(lost)))


def _list(out: Console, verdicts: list[AthleteVerdict], check: Check) -> None:
    if not verdicts:
        return
    out.print(Text("\n").join(triage(verdicts, check.on, width(), characters())))
    has_hurt = any(verdict.review is not None and verdict.review.to_settle for verdict in verdicts)
    for legend in (*LEGEND, HURT_LEGEND) if has_hurt else LEGEND:
        out.print(Text(legend))


def _sum_up(out: Console, verdicts: list[AthleteVerdict], check: Check, is_story: bool) -> None:
    """The last lines: how many of which verdict, and which command tells more."""
    if not verdicts:
        print_paragraph(out, "No athletes yet. To add one: `retrostep athletes add NAME`. Then run `retrostep sync`.", 0)
        return
    names = [name for name in STYLES if any(verdict.verdict == name for verdict in verdicts)]
    counts = [f"{sum(1 for verdict in verdicts if verdict.verdict == name)} {name}" for name in names]
    out.print(f"{day_text(check.since)} to {day_text(check.on)}: {', '.join(counts)}.")
    if not is_story:
        reviews = [verdict.review for verdict in verdicts if verdict.review is not None]
        others = sum(bool(device.differing) and device.waiting is None for review in reviews for device in review.devices)
        if others:
            enforce = "enforces other limits than its plan" if others == 1 else "enforce other limits than their plans"
            out.print(f"{count(others, 'device')} {enforce}: `retrostep limits push`.")
        unassigned = [finding for verdict in verdicts if verdict.athlete is None for finding in verdict.findings]
        if len(unassigned) == 1 and unassigned[0].problem is not None:
            print_paragraph(out, cure(unassigned[0].problem), 0)
        elif unassigned:
            out.print(f"{len(unassigned)} devices have sessions without an athlete: `retrostep check --why`.")
        out.print("More: `retrostep check ATHLETE`, `retrostep plan ATHLETE`.")


def _tell(out: Console, verdicts: list[AthleteVerdict], show_all: bool) -> None:
    """The story of each athlete, then each source once."""
    shown = characters()
    verdicts = [replace(verdict, findings=combined_findings(verdict.findings)) for verdict in verdicts]
    for verdict in verdicts:
        out.print(Text.assemble(_badge(verdict.verdict), " ", styled(verdict.athlete or UNASSIGNED, "bold")))
        if verdict.review is not None:
            _show_review(out, verdict.athlete or UNASSIGNED, verdict.review, shown)
        shown_findings = [finding for finding in verdict.findings if show_all or finding.is_note or finding.verdict != OK]
        for finding, following in zip_longest(shown_findings, shown_findings[1:]):
            _show_finding(out, finding, is_step_next=following is not None and _step(finding) == _step(following))
        if verdict.athlete is not None and any(finding.verdict in (WARN, FAIL) and not finding.accepted for finding in verdict.findings):
            print_paragraph(out, "To accept a finding, with the reason: `retrostep accept ATHLETE RULE --because TEXT`.", 2)
    sources = named_sources(verdicts)
    if sources:
        out.print(Text("Sources", "bold"))
    for rule, source in sources.items():
        print_paragraph(out, f"{rule}: {source}.", 2)


def _show_review(out: Console, athlete: str, review: Review, shown: Characters) -> None:
    before = "there was no session in the week before" if review.before is None else f"a week ago it was {review.before}"
    gait = GAIT_NAMES[review.next_session.gait]
    load = review.load
    limit = "" if load.limit_ms is None else f" of {duration(load.limit_ms)}"
    days = review.days_without_data
    lines = [
        f"Change: {review.change}; {before}.",
        f"7 days: {week_bar(load, shown)}, {duration(load.now_ms)}{limit} backward.",
        *([f"First: {review.to_settle} {AFTER_SETTLING} {when_settled(athlete)}"] if review.to_settle else []),
        f"Next: {next_text(review.next_session, gait)}.{_sentence(review.after_jump)}{_why_limited(review.next_session.rule)}",
        f"Pain: {pain_in_words(review)}. Days without data: {'more than 30' if days is None else days}.",
    ]
    for line in [*lines, *_device_lines(review)]:
        print_paragraph(out, line, 2)


def _sentence(text: str) -> str:
    return f" {text}" if text else ""


def _why_limited(rule: str) -> str:
    return f" Why: `retrostep rules {rule}`." if rule else ""


def _device_lines(review: Review) -> list[str]:
    """Where a device enforces other limits than the plan's, and what waits for it."""
    lines = []
    for each in review.devices:
        if each.waiting is not None:
            lines.append(f"{each.device}: limits wait for its next sync ({limits_words(each.waiting)}).")
        elif each.differing and each.in_force is not None:
            lines.append(
                f"{each.device} enforces other limits than the plan: {limits_words(each.in_force, each.differing)}. "
                f"The plan: {limits_words(each.planned, each.differing)}. To send them: `retrostep limits push {each.device}`."
            )
    return lines


def _step(finding: Finding) -> tuple[object, ...]:
    """Key of findings that share a next step, which is shown once, with the last of them."""
    return finding.verdict, finding.todo, finding.step, finding.problem, finding.accepted


def _show_finding(out: Console, finding: Finding, is_step_next: bool) -> None:
    """`is_step_next`: the next finding shows the same step."""
    title = Text.assemble("  ", _badge(finding.verdict), " ", styled(finding.rule, "bold"))
    if measured := measured_text(finding):
        title.append(f"  {measured}")
    if finding.session is not None:
        title.append(f"  session {finding.session}", "dim")
    print_title(out, title, 10)
    print_paragraph(out, finding.why, 10)
    if finding.accepted is not None:
        accepted = finding.accepted
        until = "" if accepted.until_at_ms is None else f" until {local_date(accepted.until_at_ms - 1)}"
        print_paragraph(out, f"Accepted by {accepted.who} on {local_date(accepted.at_ms)}{until}: {accepted.because}", 10)
        return
    todo = f"{finding.todo} {cure(finding.problem) if finding.problem else ''}".strip()
    if todo and not is_step_next:
        step = finding.step.capitalize() or "Next"
        print_paragraph(out, f"{step}: {todo}", 10, "bold" if finding.verdict == FAIL else "")


def _badge(verdict: str) -> Text:
    return Text(f"{verdict.upper():<7}", STYLES[verdict])
