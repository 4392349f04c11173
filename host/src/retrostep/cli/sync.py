"""`retrostep sync`: bring the sessions of every board here."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from retrostep.archive.store import Store
from retrostep.cli._bars import progress_bars
from retrostep.cli._options import json_option, store_option
from retrostep.cli._ports import complain, ports_option
from retrostep.device.at_once import at_once
from retrostep.device.client import Board
from retrostep.device.open import Line, Stop
from retrostep.device.ports import ports
from retrostep.errors import BoardNotFound, RetrostepError, Stopped
from retrostep.output.plain import clean
from retrostep.sync import SyncResult, sync_board

Outcome = SyncResult | RetrostepError


@click.command("sync")
@ports_option
@click.option("--all", "and_all", is_flag=True, help="Every board that is plugged in besides those named; the default where none is.")
@json_option
@store_option
def command(named: tuple[str, ...], and_all: bool, as_json: bool, store_url: str | None) -> None:
    """Bring the sessions of every plugged-in board here, all at once, and set the boards' clocks.

    A session is confirmed to its board only once it is safe on this computer's disk; a sync that was cut goes on where it
    stopped. What goes wrong with one board spoils no other; the exit status is the worst one's, 4 where damaged logs were met (they are
    kept).

    \b
    Example:  retrostep sync
              retrostep sync --port /dev/ttyUSB0 --port /dev/ttyUSB1
    """
    begun = time.monotonic()
    try:
        paths = [port.path for port in ports(named, and_all)]
    except BoardNotFound:
        if as_json:
            click.echo(json.dumps({"devices": []}, indent=2))
        raise
    outcomes: dict[str, Outcome] = {}
    told: set[str] = set()

    def tell(path: str) -> None:
        told.add(path)
        _tell(path if len(paths) > 1 else "", outcomes[path], as_json)

    try:
        with Store(store_url) as store, _sigterm_as_ctrl_c(), progress_bars(paths, not as_json) as bars:

            def bring(path: str, stop: Stop) -> SyncResult:
                with Board(Line(path, stop=stop)) as board:
                    return sync_board(board, store.raw, store, bars.of(path))

            def ended(path: str, outcome: Outcome) -> None:
                outcomes[path] = outcome
                bars.end(path, _in_short(outcome), _status(outcome) == 0)
                if not bars.is_seen:
                    tell(path)

            at_once(paths, bring, ended)
    finally:
        # Below the bars, and also of what was done before a Ctrl-C.
        for path in paths:
            if path in outcomes and path not in told:
                tell(path)
        if as_json:
            click.echo(json.dumps({"devices": [_as_dict(path, outcomes[path]) for path in paths if path in outcomes]}, indent=2))
        else:
            _tell_of_all(list(outcomes.values()), time.monotonic() - begun)
    sys.exit(max(map(_status, outcomes.values())))


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Nor may a SIGTERM leave a terminal without its cursor."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _status(outcome: Outcome) -> int:
    return outcome.exit_status


def _as_dict(path: str, outcome: Outcome) -> dict[str, Any]:
    return outcome.as_dict() if isinstance(outcome, SyncResult) else {"port": path, "error": str(outcome)}


def _tell(path: str, outcome: Outcome, as_json: bool) -> None:
    """Say what was done with one board: what went wrong on stderr, the rest on stdout."""
    if isinstance(outcome, RetrostepError):
        if not isinstance(outcome, Stopped):  # that is said once for all
            complain(outcome, path)
        return
    for warning in outcome.warnings:
        click.echo(clean(f"Warning: {warning}"), err=True)
    for session in outcome.of("damaged"):
        click.echo(clean(f"Damaged: {session.why}"), err=True)
    if not as_json:
        whose = outcome.athlete or "nobody's"
        click.echo(clean(f"{outcome.device} ({whose}): {_in_short(outcome)}.{_clock(outcome)}"))


def _in_short(outcome: Outcome) -> str:
    if isinstance(outcome, RetrostepError):
        return str(outcome)
    received, still_open, damaged = outcome.of("received"), outcome.of("open"), outcome.of("damaged")
    words = [f"{_sessions(len(received))} received ({_kb(outcome.received_bytes)} in {outcome.seconds:.1f} s)"]
    if not (outcome.received_bytes or received):
        words = ["nothing new"]
    words += [f"{_sessions(len(outcome.of('had')))} here already"] if outcome.of("had") else []
    words += [f"session {still_open[0].session} still going on"] if still_open else []
    words += [f"{len(damaged)} damaged"] if damaged else []
    return ", ".join(words)


def _tell_of_all(outcomes: list[Outcome], seconds: float) -> None:
    """What many boards add up to, and whose sessions are still nobody's."""
    results = [outcome for outcome in outcomes if isinstance(outcome, SyncResult)]
    if results and len(outcomes) > 1:
        received = sum(len(result.of("received")) + len(result.of("damaged")) for result in results)
        size = _kb(sum(result.received_bytes for result in results))
        click.echo(f"{len(results)} of {len(outcomes)} boards synced: {_sessions(received)} received ({size} in {seconds:.1f} s).")
    unworn = [result.device for result in results if result.athlete is None]
    if unworn:
        whose = f"{unworn[0]} is nobody's" if len(unworn) == 1 else f"{len(unworn)} devices are nobody's"
        click.echo(f"{whose}: `retrostep athletes assign {unworn[0]} NAME` says who wears it.")


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _kb(count: int) -> str:
    return f"{count / 1024:.1f} KB"


def _clock(result: SyncResult) -> str:
    if result.clock_set_ms is None:
        return ""
    if result.clock_was_off_ms is None:
        return " Its clock is set."
    if abs(result.clock_was_off_ms) < 1000:
        return ""
    way = "fast" if result.clock_was_off_ms > 0 else "slow"
    return f" Its clock was {abs(result.clock_was_off_ms) / 1000:.0f} s {way} and is set."
