"""`retrostep accept`: findings that a coach accepts, with the reason."""

import shlex
from datetime import UTC, datetime
from typing import Any

import click
from retrostep_core import VERSION

from retrostep.archive.decision_tables import AcceptanceRow
from retrostep.archive.people import MAX_TEXT_LENGTH
from retrostep.cli._options import LOCAL_MOMENT, json_option, rule_argument, store_option
from retrostep.cli._store import entering, reading, saving
from retrostep.cli._who import login_name
from retrostep.device.core_version import core_hash
from retrostep.errors import RetrostepError
from retrostep.output.lines import echo
from retrostep.output.terminal import console, print_json, print_paragraph
from retrostep.plain_text import clean
from retrostep.training.acceptances import CAN_BE_ACCEPTED
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep.training.dates import day_start_ms
from retrostep.training.rules.catalog import QUALITY, RULES
from retrostep.units import local_date, utc


@click.command("accept")
@click.argument("athlete", required=False)
@rule_argument([*(rule.rule for rule in RULES), QUALITY], required=False)
@click.option("--because", metavar="TEXT", help="The reason. It is shown with the finding.")
@click.option("--until", type=LOCAL_MOMENT, metavar="DATE", help="Also accept later findings, to the end of this local date.")
@click.option("--by", "who", metavar="NAME", help="Who decided it (default: your login name).")
@click.option("--revoke", is_flag=True, help="Revoke it: findings of RULE about ATHLETE count again.")
@json_option
@store_option
def command(
    athlete: str | None,
    rule: str | None,
    because: str | None,
    until: datetime | None,
    who: str | None,
    revoke: bool,
    as_json: bool,
    store_url: str | None,
) -> None:
    """Accept findings of RULE about ATHLETE, or list them.

    An accepted finding is still shown, with the reason, and keeps its verdict. It no longer decides the verdict of the athlete.
    Findings about later training count again; with --until, those up to that date are accepted too; of several dates,
    the one entered last counts. The entry stays in the history, also after --revoke.

    \b
    Example:  retrostep accept
              retrostep accept Ada warm_up --until 2030-01-31 \\
                --because "warms up indoors"
              retrostep accept Ada warm_up --revoke
    """
    if rule is None:
        if because is not None or until is not None or revoke:
            raise click.UsageError("Name the ATHLETE and the RULE.")
        _list(athlete, as_json, store_url)
        return
    assert athlete is not None
    if revoke:
        if until is not None:
            raise click.UsageError("--revoke takes everything back: give no --until.")
        with entering(store_url) as store, saving(store):
            name = store.revoke(athlete, rule, who=who or login_name(), why=because or "")
        echo(f"{rule} of {name}: findings count again.")
        return
    if not because or not because.strip():
        raise click.UsageError('Give the reason: --because "...".')
    if max(len(because), len(who or "")) > MAX_TEXT_LENGTH:
        raise click.UsageError(f"--because and --by have at most {MAX_TEXT_LENGTH} characters.")
    end = None if until is None else datetime.fromtimestamp(day_start_ms(until.toordinal() + 1) / 1_000, UTC)
    if end is not None and end <= datetime.now(UTC):
        raise click.UsageError("--until lies in the past.")
    with entering(store_url) as store, saving(store):
        if end is None:
            _refuse_nothing(Check(store, Core(VERSION, core_hash().hex())), store.find_athlete(athlete).name, rule)
        name = store.accept(athlete, rule, who=who or login_name(), because=because, until=end)
    later = "" if until is None else f", later ones until {until:%Y-%m-%d} as well"
    echo(f"{rule} of {name}: the findings so far are accepted{later}: {because}")
    echo(f"To revoke it: `retrostep accept {shlex.quote(clean(name))} {rule} --revoke`.")


def _refuse_nothing(check: Check, athlete: str, rule: str) -> None:
    """RetrostepError where the check has no finding of `rule` that can be accepted."""
    (verdict,) = check.verdicts(athlete)
    open_rules = {finding.rule for finding in verdict.findings if finding.verdict in CAN_BE_ACCEPTED}
    if rule not in open_rules:
        known = f"there are findings of {', '.join(sorted(open_rules))}" if open_rules else "there is nothing to accept"
        raise RetrostepError(f"The check has no finding of {rule} about {athlete}: {known}. For later ones, give --until.")


def _list(athlete: str | None, as_json: bool, store_url: str | None) -> None:
    with reading(store_url) as store:
        rows = store.acceptances(athlete, revoked=True)
        names = {row.id: row.name for row in store.athletes()}
    rows = [row for row in rows if row.athlete_id in names]
    if as_json:
        print_json({"accepted": [_as_dict(row, names[row.athlete_id]) for row in rows]})
        return
    out = console()
    for row in rows:
        print_paragraph(out, _text(row, names[row.athlete_id]), 0)
    if not rows:
        out.print("Nothing was accepted so far.")


def _text(row: AcceptanceRow, athlete: str) -> str:
    until = "" if row.until_at_ms is None else f" until {local_date(row.until_at_ms - 1)}"
    revoked = ""
    if row.revoked_at_ms is not None:
        reason = f": {row.revoked_why}" if row.revoked_why else ""
        revoked = f" (revoked by {row.revoked_who} on {local_date(row.revoked_at_ms)}{reason})"
    return f"{athlete}: {row.rule}, by {row.who} on {local_date(row.at_ms)}{until}: {row.because}{revoked}"


def _as_dict(row: AcceptanceRow, athlete: str) -> dict[str, Any]:
    return {
        "athlete": athlete,
        "rule": row.rule,
        "because": row.because,
        "who": row.who,
        "at": utc(row.at_ms),
        "until": utc(row.until_at_ms),
        "revoked_at": utc(row.revoked_at_ms),
        "revoked_by": row.revoked_who,
        "revoked_why": row.revoked_why,
    }
