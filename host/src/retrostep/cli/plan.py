"""`retrostep plan`: what an athlete may do next."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from retrostep_core import VERSION
from rich.text import Text

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.durable_files import write_atomically
from retrostep.cli._cures import when_settled
from retrostep.cli._options import LOCAL_MOMENT, NewFile, WholeNumber, json_option, store_option, written_by_option
from retrostep.cli._store import reading
from retrostep.device.core_version import core_hash
from retrostep.output.calendar_file import calendar_file
from retrostep.output.terminal import console, print_json, print_paragraph, styled, table
from retrostep.plain_text import clean
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_text, weekday
from retrostep.training.plan import AFTER_SETTLING, BASIS, GAITS, OUTLOOK_WEEKS, Allowance, Planner
from retrostep.units import duration

MOST_WEEKS = 12


@click.command("plan")
@click.argument("athlete")
@click.option(
    "--gait", type=click.Choice([GAIT_NAMES[gait] for gait in GAITS]), help="Plan the weeks in this gait (default: the stage reached)."
)
@click.option("--weeks", type=WholeNumber(1, MOST_WEEKS), default=OUTLOOK_WEEKS, show_default=True, help="How many weeks to plan.")
@click.option("--on", type=LOCAL_MOMENT, metavar="DATE", help="Plan from this local date on, instead of the next possible day.")
@click.option("--ics", type=NewFile(), metavar="FILE", help="Also write the weeks as an iCalendar file.")
@json_option
@store_option
def command(
    athlete: str, gait: str | None, weeks: int, on: datetime | None, ics: Path | None, as_json: bool, store_url: str | None
) -> None:
    """Plan the next backward sessions of ATHLETE.

    For each gait, the longest next session that raises no warning in `retrostep check`, and the rule that limits it. It holds on its day,
    if nothing is recorded before: on a later day, more or less may be allowed. Then an outlook of some weeks, two sessions a week, each
    within every limit if the ones before it are done as planned. --on shows another day, and the weeks from then on.

    \b
    Example:  retrostep plan Ada
              retrostep plan Ada --gait walk --weeks 6 --ics ada.ics
    """
    if ics is not None and not ics.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder {ics.absolute().parent}: create it first, or check the path of --ics.")
    with reading(store_url) as store:
        name, planner = Check(store, Core(VERSION, core_hash().hex())).planner_of(athlete)
    chosen = planner.stage() if gait is None else GAIT_NAMES.index(gait)
    day = None if on is None else _checked_day(name, planner, on)
    following = [planner.next_session(each) if day is None else planner.allowance(day, each) for each in GAITS]
    outlook = planner.outlook(chosen, weeks, day)
    if ics is not None:
        with written_by_option("--ics", "The calendar", "file"):
            write_atomically(ics.absolute(), calendar_file(name, outlook, planner.warm_up_ms, bool(planner.to_settle)))
    if as_json:
        print_json(_as_dict(name, planner, following, chosen, outlook))
        return
    out = console()
    out.print(Text.assemble(styled(name, "bold"), f"  stage: {GAIT_NAMES[planner.stage()]}"))
    if planner.to_settle:
        print_paragraph(out, f"First: {planner.to_settle} {AFTER_SETTLING} {when_settled(name)}", 0)
    when = "next session" if day is None else f"session on {weekday(day)} {day_text(day)}"
    out.print(f"The longest {when} that raises no warning:")
    for line in table((_row(each) for each in following), (4, 14, 6, 0)):
        out.print(f"  {line}")
    other = f" Another day: `retrostep plan {shlex.quote(name)} --on DATE`." if day is None else ""
    print_paragraph(out, f"It holds on that day, if nothing is recorded before.{other}", 0)
    if day is None and planner.after_jump:
        print_paragraph(out, f"{GAIT_NAMES[planner.stage()].capitalize()}: {planner.after_jump}", 0)
    start = "" if day is None else f" from {weekday(day)} {day_text(day)} on"
    out.print(f"{weeks} weeks of {GAIT_NAMES[chosen]}{start}, two sessions a week:")
    for line in table((_row(each)[1:] for each in outlook), (14, 6, 0)):
        out.print(f"  {line}")
    if not outlook:
        out.print("  no session")
    if planner.warm_up_ms:
        out.print(f"Before each: {duration(planner.warm_up_ms)} forward.")
    limiting = dict.fromkeys(each.rule for each in (*following, *outlook) if each.rule)
    if limiting:
        print_paragraph(out, f"What limits: {', '.join(f'`retrostep rules {rule}`' for rule in limiting)}.", 0)
    print_paragraph(out, BASIS, 0)
    if ics is not None:
        print_paragraph(out, clean(f"Written: {ics}"), 0)


def _checked_day(athlete: str, planner: Planner, on: datetime) -> int:
    """The day number of --on. UsageError where it is not ahead, or too far ahead."""
    day, first = on.toordinal(), planner.first_day
    if day < first:
        trained = f"{athlete} has a session on {day_text(day)}" if day >= planner.history.on else f"{day_text(day)} lies in the past"
        raise click.UsageError(f"{trained}. The first day to plan is {day_text(first)}.")
    if day > first + 7 * MOST_WEEKS:
        raise click.UsageError(f"--on is too far ahead: a plan reaches {MOST_WEEKS} weeks.")
    return day


def _row(allowance: Allowance) -> tuple[str, str, str, str]:
    """Gait, day, time and the rule that limits it."""
    day = f"{weekday(allowance.day)} {day_text(allowance.day)}"
    limited = f"limited by {allowance.rule}" if allowance.rule else ""
    if allowance.most_s == 0:
        return GAIT_NAMES[allowance.gait], "none", "", limited
    time = "any" if allowance.most_s is None else duration(1_000 * allowance.most_s)
    return GAIT_NAMES[allowance.gait], day, time, limited


def _as_dict(name: str, planner: Planner, following: list[Allowance], gait: int, outlook: list[Allowance]) -> dict[str, Any]:
    return {
        "athlete": name,
        "made": datetime.now().date().isoformat(),
        "to_settle": planner.to_settle or None,
        "stage": GAIT_NAMES[planner.stage()],
        "after_jump": planner.after_jump or None,
        "next": [each.as_dict() for each in following],
        "gait": GAIT_NAMES[gait],
        "outlook": [each.as_dict() for each in outlook],
        "warm_up_s": planner.warm_up_ms / 1_000,
        "basis": BASIS,
    }
