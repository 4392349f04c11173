"""`retrostep sync`: bring the sessions of every board here."""

import json
import sys
from typing import Any

import click

from retrostep.archive.store import Store
from retrostep.cli._options import json_option, store_option
from retrostep.cli._ports import complain, ports_option, progress_bar
from retrostep.device.client import Board
from retrostep.device.open import Line
from retrostep.device.ports import ports
from retrostep.errors import BoardNotFound, DiskFull, RetrostepError
from retrostep.output.plain import clean
from retrostep.sync import SyncResult, sync_board


@click.command("sync")
@ports_option
@json_option
@store_option
def command(named: tuple[str, ...], as_json: bool, store_url: str | None) -> None:
    """Bring the sessions of every plugged-in board here, and set the boards' clocks.

    A session is confirmed to its board only once it is safe on this computer's disk; a sync that was cut goes on where it
    stopped. Damaged logs are kept and reported, and the exit status is 4.
    """
    done: list[dict[str, Any]] = []
    status = 0
    try:
        chosen = ports(named)
    except BoardNotFound:
        if as_json:
            click.echo(json.dumps({"devices": []}, indent=2))
        raise
    with Store(store_url) as store:
        for port in chosen:
            try:
                with Board(Line(port.path)) as board, progress_bar(port.path, not as_json) as progress:
                    result = sync_board(board, store.raw, store, progress)
                done.append(result.as_dict())
                status = max(status, result.exit_status)
                _tell(result, as_json)
            except RetrostepError as error:
                done.append({"port": port.path, "error": str(error)})
                status = max(status, error.exit_status)
                complain(error)
                if isinstance(error, DiskFull):
                    break  # it would fill up for the others as well
    if as_json:
        click.echo(json.dumps({"devices": done}, indent=2))
    sys.exit(status)


def _tell(result: SyncResult, as_json: bool) -> None:
    """Say what was done with one board: warnings and damage on stderr, the rest on stdout."""
    for warning in result.warnings:
        click.echo(clean(f"Warning: {warning}"), err=True)
    for session in result.of("damaged"):
        click.echo(clean(f"Damaged: {session.why}"), err=True)
    if as_json:
        return
    received, still_open = result.of("received"), result.of("open")
    sessions = "session" if len(received) == 1 else "sessions"
    words = [f"{len(received)} {sessions} received ({result.received_bytes / 1024:.1f} KB in {result.seconds:.1f} s)"]
    words += [f"{len(result.of('had'))} here already"] if result.of("had") else []
    words += [f"session {still_open[0].session} still going on"] if still_open else []
    words += [f"{len(result.of('damaged'))} damaged"] if result.of("damaged") else []
    whose = result.athlete or f"nobody's; `retrostep athletes assign {result.device} NAME` says whose"
    click.echo(clean(f"{result.device} ({whose}): {', '.join(words)}.{_clock(result)}"))


def _clock(result: SyncResult) -> str:
    if result.clock_set_ms is None:
        return ""
    if result.clock_was_off_ms is None:
        return " Its clock is set."
    if abs(result.clock_was_off_ms) < 1000:
        return ""
    way = "fast" if result.clock_was_off_ms > 0 else "slow"
    return f" Its clock was {abs(result.clock_was_off_ms) / 1000:.0f} s {way} and is set."
