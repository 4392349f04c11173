"""`retrostep sync`: receive the sessions of every board."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from retrostep.cli._bars import progress_bars
from retrostep.cli._cures import cure, sentence
from retrostep.cli._options import json_option, store_option
from retrostep.cli._ports import ports_option, print_error, print_wait
from retrostep.cli._stop import after_ctrl_c
from retrostep.cli._store import entering
from retrostep.cli._wearer import ask_wearer
from retrostep.device.client import DeviceClient
from retrostep.device.hotplug import Hotplug
from retrostep.device.parallel import run_parallel
from retrostep.device.ports import present_ports, select_ports
from retrostep.device.serial_port import SerialPort, opened_when_ready
from retrostep.errors import BoardNotFound, DiskFull, RetrostepError, Stopped, StoreBusy, StoreLost, Unassigned
from retrostep.output.lines import echo
from retrostep.sync.sync import SyncResult, contents, sync_board
from retrostep.sync.waiting_limits import SENT, WAITING
from retrostep.units import count, duration, kilobytes

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store

Outcome = SyncResult | RetrostepError
_PASSING = (DiskFull, StoreBusy, StoreLost)
"""Errors of this computer or its server. After them --watch tries a board again without a replug."""

Synced = tuple[SyncResult, tuple[object, ...]]
"""A result, and what the board held afterwards (see `contents`)."""


@click.command("sync")
@ports_option
@click.option("--all", "and_all", is_flag=True, help="Also every other plugged-in board (default without --port).")
@click.option("--watch", "is_watching", is_flag=True, help="Keep running until Ctrl-C: sync each board when it is plugged in.")
@json_option
@store_option
def command(named: tuple[str, ...], and_all: bool, is_watching: bool, as_json: bool, store_url: str | None) -> None:
    """Receive the sessions of every plugged-in board.

    All boards are synced at the same time, and their clocks are set. A session is confirmed to its board only when it is safe on this
    computer's disk. An interrupted sync resumes where it stopped. An error on one board does not affect the others. On a terminal, it
    asks which athlete wears a device that is new.

    With --watch, each board is synced once when it is plugged in, and again when it has new data. One that fails is tried again when
    it is plugged in again; where the disk is full or the store cannot be reached, after 10 s. With --json, each result is a line.

    \b
    Example:  retrostep sync
              retrostep sync --port /dev/ttyUSB0 --port /dev/ttyUSB1
              retrostep sync --watch

    \b
    Exit status: 4 if a board sent a damaged log (it is kept), 1 after
    another error, else 0. With several boards, the highest.
    """
    outcomes = _watch(named, and_all, as_json, store_url) if is_watching else _sync_once(named, and_all, as_json, store_url)
    sys.exit(max((outcome.exit_status for outcome in outcomes), default=0))


def _sync_once(named: tuple[str, ...], and_all: bool, as_json: bool, store_url: str | None) -> list[Outcome]:
    """Sync what is plugged in now, and print the results."""
    try:
        paths = [port.path for port in select_ports(named, and_all)]
    except BoardNotFound:
        if as_json:
            click.echo(json.dumps({"devices": []}, indent=2))
        raise
    boards = _PluggedBoards(paths, as_json)
    with after_ctrl_c("Everything received so far is kept. The next sync resumes."), ExitStack() as stack:
        try:
            if len(paths) == 1:
                boards.ask_the_only_one(stack)
            if not boards.outcomes:
                store = stack.enter_context(entering(store_url))
                boards.receive_all(store)
        finally:
            boards.print_results()  # after the bars have gone, and also after Ctrl-C
        if not as_json:
            results = [each for each in boards.outcomes.values() if isinstance(each, SyncResult)]
            _report_unassigned([each for each in results if not ask_wearer(store, each)])
    return list(boards.outcomes.values())


class _PluggedBoards:
    """The boards that are synced together, and what became of each: `outcomes`, by its port."""

    def __init__(self, paths: list[str], as_json: bool) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._paths, self._as_json = paths, as_json
        self._reported: set[str] = set()
        self._stop = Event()
        self._single: DeviceClient | None = None
        self._begun = time.monotonic()

    def ask_the_only_one(self, stack: ExitStack) -> None:
        """Ask the board before the database is loaded, which takes a second: a chip without a program is reported sooner."""
        (path,) = self._paths
        try:
            self._single = stack.enter_context(DeviceClient(SerialPort(path, stop=self._stop), on_wait=print_wait))
            self._single.hello()
        except RetrostepError as error:
            self.outcomes[path] = error

    def receive_all(self, store: Store) -> None:
        """Sync all boards at the same time. A result is printed at once where no bars are shown."""
        with _sigterm_as_ctrl_c(), progress_bars(self._paths, not self._as_json) as bars:

            def receive(path: str, stop: Event) -> SyncResult:
                with self._single or DeviceClient(SerialPort(path, stop=stop), on_wait=print_wait) as board:
                    return sync_board(board, store, bars.of(path))

            def ended(path: str, outcome: Outcome) -> None:
                self.outcomes[path] = outcome
                bars.end(path, _in_short(outcome), outcome.exit_status == 0)
                if not bars.is_seen:
                    self._report(path)

            run_parallel(self._paths, receive, ended, self._stop)

    def print_results(self) -> None:
        """Print what was not printed yet, then the sum or the JSON."""
        ended = [path for path in self._paths if path in self.outcomes]
        for path in ended:
            if path not in self._reported:
                self._report(path)
        if self._as_json:
            click.echo(json.dumps({"devices": [_as_dict(path, self.outcomes[path]) for path in ended]}, indent=2))
        else:
            _report_all(list(self.outcomes.values()), time.monotonic() - self._begun)

    def _report(self, path: str) -> None:
        self._reported.add(path)
        _report(path if len(self._paths) > 1 else "", self.outcomes[path], self._as_json)


def _watch(named: tuple[str, ...], and_all: bool, as_json: bool, store_url: str | None) -> list[Outcome]:
    """Sync whatever is plugged in until Ctrl-C, and print a line for each. Return the last outcome of each board."""
    last: dict[str, Outcome] = {}
    received: dict[str, int] = {}  # by device

    def ended(path: str, outcome: Synced | RetrostepError) -> None:
        result = outcome if isinstance(outcome, RetrostepError) else outcome[0]
        if isinstance(result, Stopped):
            return
        last[path] = result
        is_first = isinstance(result, SyncResult) and result.device not in received
        if isinstance(result, SyncResult):
            # Counted before it is printed: Ctrl-C may follow the line at once.
            received[result.device] = received.get(result.device, 0) + len(result.of("received")) + len(result.of("damaged"))
        _report(path, result, as_json)
        if as_json:
            click.echo(json.dumps(_as_dict(path, result)))
        elif isinstance(result, SyncResult) and is_first:
            _report_unassigned([result])
        sys.stdout.flush()

    with entering(store_url) as store, _sigterm_as_ctrl_c():

        def receive(path: str, stop: Event) -> Synced:
            with opened_when_ready(path, stop) as port, DeviceClient(port, on_wait=print_wait) as board:
                result = sync_board(board, store)
                return result, contents(board.hello())

        def has_more(path: str, stop: Event, done: Synced) -> bool:
            with DeviceClient(SerialPort(path, stop=stop)) as board:
                return contents(board.hello()) != done[1]

        echo("Plug the boards in, one after the other or together. Ctrl-C ends it.", err=True)
        try:
            Hotplug(lambda: present_ports(named, and_all), receive, has_more, _PASSING).run(ended)
        except KeyboardInterrupt:
            total = f"{count(len(received), 'board')} synced, {count(sum(received.values()), 'session')} received"
            echo(f"Stopped. {total}. Everything received is kept.", err=True)
    return list(last.values())


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that the bars give the terminal its cursor back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_dict(path: str, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, RetrostepError):
        return {"port": path, "error": sentence(outcome)}
    return {**outcome.as_dict(), "warnings": [sentence(warning) for warning in outcome.warnings]}


def _report(path: str, outcome: Outcome, as_json: bool) -> None:
    """Print the result of one board: errors and warnings to stderr, the rest to stdout."""
    if isinstance(outcome, RetrostepError):
        if not isinstance(outcome, Stopped):  # printed once for all boards
            print_error(outcome, path)
        return
    for warning in outcome.warnings:
        echo(f"Warning: {sentence(warning)}", err=True)
    for session in outcome.of("damaged"):
        echo(f"Damaged: {session.why}", err=True)
    if not as_json:
        wearer = outcome.athlete or "not assigned"
        echo(f"{outcome.device} ({wearer}): {_in_short(outcome)}.{_clock(outcome)}")


def _in_short(outcome: Outcome) -> str:
    """The result of one board in a few words."""
    if isinstance(outcome, RetrostepError):
        return str(outcome)
    received, still_open, damaged = outcome.of("received"), outcome.of("open"), outcome.of("damaged")
    if outcome.received_bytes or received:
        size = f"{kilobytes(outcome.received_bytes)} in {duration(round(outcome.seconds * 1_000))}"
        words = [f"{count(len(received), 'session')} received ({size})"]
    else:
        words = ["nothing new"]
    words += [f"{count(len(outcome.of('had')), 'session')} received before"] if outcome.of("had") else []
    restored = sum(session.restored for session in outcome.sessions)
    words += [f"{restored} of them brought back"] if restored else []
    words += [f"session {still_open[0].session} still in progress"] if still_open else []
    words += [f"{len(damaged)} damaged"] if damaged else []
    words += {SENT: ["limits sent"], WAITING: ["limits wait for the end of the session"]}.get(outcome.limits, [])
    return ", ".join(words)


def _report_all(outcomes: list[Outcome], seconds: float) -> None:
    """Print the sum over several boards."""
    results = [outcome for outcome in outcomes if isinstance(outcome, SyncResult)]
    if results and len(outcomes) > 1:
        received = sum(len(result.of("received")) + len(result.of("damaged")) for result in results)
        size = f"{kilobytes(sum(result.received_bytes for result in results))} in {duration(round(seconds * 1_000))}"
        click.echo(f"{len(results)} of {len(outcomes)} boards synced: {count(received, 'session')} received ({size}).")


def _report_unassigned(results: list[SyncResult]) -> None:
    """Print which devices have no athlete, and how to assign each."""
    unassigned = [result.device for result in results if result.athlete is None]
    if len(unassigned) > 1:
        click.echo(f"{len(unassigned)} devices have no athlete yet.")
    for device in unassigned:
        subject = f"{device} has no athlete yet. " if len(unassigned) == 1 else ""
        echo(f"{subject}{cure(Unassigned('', device=device))}")


def _clock(result: SyncResult) -> str:
    if result.clock_set_ms is None:
        return ""
    if result.clock_was_off_ms is None:
        return " Its clock is set."
    if abs(result.clock_was_off_ms) < 1_000:
        return ""
    direction = "fast" if result.clock_was_off_ms > 0 else "slow"
    return f" Its clock was {duration(abs(result.clock_was_off_ms))} {direction} and is set."
