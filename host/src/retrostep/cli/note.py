"""`retrostep note`: what a log cannot know about a session."""

import click

from retrostep.archive.names import session_id
from retrostep.archive.store import TEXT_LENGTH, Store
from retrostep.cli._options import store_option


@click.command("note")
@click.argument("session")
@click.option("--pain", type=click.IntRange(0, 10), help="Worst pain, 0 none to 10.")
@click.option("--next-day", is_flag=True, help="The pain is that of the day after.")
@click.option("--limp", is_flag=True, help="The athlete limped.")
@click.option("--swelling", is_flag=True, help="Something swelled.")
@click.option("--rpe", type=click.IntRange(0, 10), help="Rate of perceived exertion, 0 rest to 10.")
@click.option("--text", default="", metavar="TEXT", help="Anything else.")
@store_option
def command(
    session: str,
    pain: int | None,
    next_day: bool,
    limp: bool,
    swelling: bool,
    rpe: int | None,
    text: str,
    store_url: str | None,
) -> None:
    """Note pain, effort or anything else about a session.

    Notes add up; `retrostep check` judges by the worst pain. SESSION is DEVICE/NUMBER as `retrostep sessions` lists it.

    \b
    Example:  retrostep note a1b2/12 --pain 2 --rpe 6 --text "left calf tight"
    """
    if next_day and pain is None:
        raise click.UsageError("--next-day goes with --pain: say how much it hurt on the day after.")
    if len(text) > TEXT_LENGTH:
        raise click.UsageError(f"--text has at most {TEXT_LENGTH} characters.")
    is_note = pain is not None or rpe is not None or bool(text) or limp or swelling
    if not is_note:
        raise click.UsageError("Nothing to note: give --pain, --rpe or --text.")
    with Store(store_url) as store:
        row = store.find_session(session)
        store.note(row.device, row.number, pain=pain, rpe=rpe, text=text, next_day=next_day, limp=limp, swelling=swelling, life=row.life)
    click.echo(f"Noted for session {session_id(row.device, row.number, row.nth_life)}.")
