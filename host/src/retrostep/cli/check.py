"""`retrostep check`: who exceeds a limit, why, by which rule and which study."""

import sys
from datetime import datetime

import click
from retrostep_core import VERSION
from rich.console import Console
from rich.text import Text

from retrostep.archive.store import Store
from retrostep.cli._options import LOCAL_MOMENT, athlete_option, json_option, store_option
from retrostep.device.core import core_hash
from retrostep.output.terminal import STYLES, console, print_json_list, say, styled
from retrostep.training.check import JUDGED_DAYS, Check, exit_status
from retrostep.training.dates import day_text
from retrostep.training.finding import FAIL, OK, WARN, AthleteVerdict, Finding
from retrostep.training.quality import Core


@click.command("check")
@athlete_option("Only this athlete.")
@click.option("--on", type=LOCAL_MOMENT, metavar="DATE", help="Judge as on this local date, as if nothing had come after (default: today).")
@click.option(
    "--days", type=click.IntRange(1, 366), default=JUDGED_DAYS, show_default=True, help="How many days up to that date are judged."
)
@click.option("--all", "show_all", is_flag=True, help="Show what is within its limits too.")
@json_option
@store_option
def command(athlete: str | None, on: datetime | None, days: int, show_all: bool, as_json: bool, store_url: str | None) -> None:
    """Check training against progression limits; who is over one comes first.

    Sessions of the last 7 days are judged against those of the weeks before. What cannot be judged (undated, gaps, no data) is
    unknown, never ok. `retrostep rules` lists the rules and what they rest on.

    \b
    Example:  retrostep check --athlete Ada --on 2026-11-20

    \b
    Exit status: 3 where a limit is exceeded (a verdict is fail; warn is not),
    else 4 where a judged session's log is damaged, else 0.
    """
    with Store(store_url) as store:
        check = Check(store, Core(VERSION, core_hash().hex()), None if on is None else on.date(), days)
        verdicts = check.verdicts(athlete)
    if as_json:
        print_json_list("athletes", (verdict.as_dict() for verdict in verdicts))
    else:
        _show(console(), verdicts, check, show_all)
    sys.exit(exit_status(verdicts, damaged=check.met_damage))


def _show(out: Console, verdicts: list[AthleteVerdict], check: Check, show_all: bool) -> None:
    for verdict in verdicts:
        out.print(Text.assemble(_badge(verdict.verdict), " ", styled(verdict.athlete or "(nobody)", "bold")))
        for finding in verdict.findings:
            if show_all or finding.verdict != OK:
                _show_finding(out, finding)
    if not verdicts:
        out.print("Nobody to check. Add somebody with `retrostep athletes add NAME`, then run `retrostep sync`.")
        return
    names = [name for name in STYLES if any(verdict.verdict == name for verdict in verdicts)]
    counts = [f"{sum(1 for verdict in verdicts if verdict.verdict == name)} {name}" for name in names]
    out.print(f"{day_text(check.since)} to {day_text(check.on)}: {', '.join(counts)}.")


def _show_finding(out: Console, finding: Finding) -> None:
    title = Text.assemble("  ", _badge(finding.verdict), " ", styled(finding.rule, "bold"))
    if finding.measured is not None and finding.limit is not None:
        measured = round(finding.measured, 1)
        unit = finding.unit.removesuffix("s") if measured == 1 and len(finding.unit) > 1 else finding.unit
        title.append(f"  {measured:g} {unit} (limit {finding.limit:g})")
    if finding.session is not None:
        title.append(f"  session {finding.session}", "dim")
    out.print(title)
    say(out, finding.why, 10)
    if finding.verdict in (WARN, FAIL):
        say(out, f"Source: {finding.source}.", 10, "dim")
    if finding.todo:
        say(out, f"Next: {finding.todo}", 10, "bold" if finding.verdict == FAIL else "")


def _badge(verdict: str) -> Text:
    return Text(f"{verdict.upper():<7}", STYLES[verdict])
