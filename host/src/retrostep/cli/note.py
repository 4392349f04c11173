"""`retrostep note`: facts about a session that its log cannot contain."""

import shlex
from typing import Any

import click

from retrostep.archive.identifiers import LATEST
from retrostep.archive.people import MAX_TEXT_LENGTH, note_fields
from retrostep.archive.queries import SessionDetail
from retrostep.cli._options import WholeNumber, session_names, store_option, why_option
from retrostep.cli._store import entering, saving
from retrostep.cli._who import login_name
from retrostep.output.lines import echo
from retrostep.output.sessions import noted
from retrostep.units import local_date


@click.command("note")
@click.argument("words", metavar="SESSION [TEXT]", nargs=-1, required=True)
@click.option("--pain", type=WholeNumber(0, 10), help="Worst pain: 0 none, 10 the worst possible.")
@click.option("--next-day/--same-day", default=None, help="The pain was felt on the day after.")
@click.option("--limp/--no-limp", default=None, help="The athlete limped.")
@click.option("--swelling/--no-swelling", default=None, help="There was swelling.")
@click.option("--rpe", type=WholeNumber(0, 10), help="Rate of perceived exertion: 0 rest, 10 maximum.")
@click.option("--text", metavar="TEXT", help="A comment, as TEXT.")
@click.option("--correct", type=WholeNumber(min=1), metavar="N", help="Change note N of the session: only what is given.")
@click.option("--no-pain", is_flag=True, help="With --correct: no pain value.")
@click.option("--no-rpe", is_flag=True, help="With --correct: no RPE value.")
@click.option("--withdraw", type=WholeNumber(min=1), metavar="N", help="Withdraw note N of the session.")
@why_option
@store_option
def command(
    words: tuple[str, ...],
    correct: int | None,
    no_pain: bool,
    no_rpe: bool,
    withdraw: int | None,
    why: str,
    store_url: str | None,
    **values: Any,
) -> None:
    """Note pain, effort or a comment about a session.

    SESSION is an athlete's name, which means the athlete's latest session; DEVICE/NUMBER, as `retrostep sessions` lists it (part of the
    device's name is enough); or `latest`, the latest session of all. Earlier notes are kept: `retrostep check` uses the worst pain.
    `retrostep session SESSION` numbers the notes, for --correct and --withdraw.

    \b
    Example:  retrostep note Ada "left calf tight" --pain 2 --rpe 6
              retrostep note C8D9/12 --correct 1 --pain 3
              retrostep note C8D9/12 --withdraw 1 --why "wrong session"
    """
    session, *more = session_names(words)
    if len(more) > (values["text"] is None):
        raise click.UsageError("Give one session and one text. A text or a name with spaces needs quotes.")
    if more:
        values["text"] = more[0]
    if values["text"] is not None:
        values["text"] = values["text"].strip()
    given = {name: value for name, value in values.items() if value is not None}
    _check(session, given, correct, withdraw, no_pain, no_rpe, why)
    by = {"who": login_name(), "why": why}
    with entering(store_url) as store, saving(store):
        row = store.find_session(session)
        before = {one.nth: noted(**note_fields(one)) for one in store.detail(row).notes}
        if withdraw is not None:
            store.withdraw_note(row, withdraw, **by)
        elif correct is not None:
            cleared = {"pain": None} if no_pain else {}
            cleared |= {"rpe": None} if no_rpe else {}
            store.correct_note(row, correct, given | cleared, **by)
        else:
            store.note(row.device, row.number, generation=row.generation, who=by["who"], **given)
        detail = store.detail(row)
    if withdraw is not None:
        echo(f"Withdrawn: note {withdraw} of {_which(detail)}: {before[withdraw] or 'empty'}.")
        return
    note = detail.notes[-1] if correct is None else next(one for one in detail.notes if one.nth == correct)
    label = "Noted for" if correct is None else f"Corrected: note {correct} of"
    replaced = "" if correct is None else f" (before: {before[correct] or 'empty'})"
    echo(f"{label} {_which(detail)}: {noted(**note_fields(note)) or 'empty'}{replaced}.")


def _check(session: str, given: dict[str, Any], correct: int | None, withdraw: int | None, no_pain: bool, no_rpe: bool, why: str) -> None:
    """UsageError where the options do not fit together."""
    if withdraw is not None and (given or correct is not None):
        raise click.UsageError("--withdraw takes back the whole note: give no values.")
    if correct is None and (no_pain or no_rpe):
        raise click.UsageError("--no-pain and --no-rpe need --correct.")
    if ("pain" in given and no_pain) or ("rpe" in given and no_rpe):
        raise click.UsageError("Give a value or no value, not both.")
    if correct is None and given.get("next_day") and "pain" not in given:
        raise click.UsageError("--next-day needs --pain: how much did it hurt on the day after?")
    if max(len(given.get("text", "")), len(why)) > MAX_TEXT_LENGTH:
        raise click.UsageError(f"--text and --why have at most {MAX_TEXT_LENGTH} characters.")
    is_new = correct is None and withdraw is None
    has_values = any(value not in (False, "") or name in ("pain", "rpe") for name, value in given.items())
    if is_new and not has_values and session.casefold().startswith(f"{LATEST} "):
        word = session.partition(" ")[2][:60]
        raise click.UsageError(f"After `{LATEST}` comes an athlete's name: {ascii(word)}. For a text, write --text {shlex.quote(word)}.")
    if is_new and not has_values:
        raise click.UsageError("Nothing to note: give a text, --pain, --rpe, --limp or --swelling.")
    if correct is not None and not (given or no_pain or no_rpe):
        raise click.UsageError("Nothing to correct: give a text, --pain, --rpe, --limp or --swelling.")


def _which(detail: SessionDetail) -> str:
    """`Ada's session of 2026-11-23`; its name where it has no athlete or no date."""
    row = detail.session
    name = f"session {row.name}"
    if row.started_at_ms is None:
        return f"{name} (undated)" if detail.athlete is None else f"{detail.athlete}'s {name} (undated)"
    date = local_date(row.started_at_ms)
    return f"{name} of {date}" if detail.athlete is None else f"{detail.athlete}'s session of {date}"
