"""`retrostep devices`: which boards are plugged in."""

import json
import sys
from typing import Any

import click
from retrostep_core.link import messages
from retrostep_core.log.names import FAULT_NAMES

from retrostep.cli._options import json_option
from retrostep.cli._ports import complain, ports_option
from retrostep.device.at_once import at_once
from retrostep.device.client import Board
from retrostep.device.core import core_hash, other_core
from retrostep.device.open import Line, Stop
from retrostep.device.ports import ports
from retrostep.errors import BoardNotFound, RetrostepError
from retrostep.output.plain import clean


@click.command("devices")
@ports_option
@json_option
def command(named: tuple[str, ...], as_json: bool) -> None:
    """Show the boards that are plugged in, and what they hold.

    The exit status is 1 where there is none, or where one does not answer.
    """
    found: dict[str, dict[str, Any]] = {}
    status = 0

    def ended(path: str, outcome: dict[str, Any] | RetrostepError) -> None:
        nonlocal status
        if isinstance(outcome, RetrostepError):
            found[path] = {"port": path, "error": str(outcome)}
            status = max(status, outcome.exit_status)
            complain(outcome, path if len(paths) > 1 else "")
            return
        found[path] = outcome
        if outcome["core"] == "other" and not as_json:
            click.echo(clean(f"Note: {outcome['note']}"), err=True)

    paths: list[str] = []
    try:
        paths = [port.path for port in ports(named)]
        at_once(paths, look, ended)
    except BoardNotFound as error:
        complain(error)
        status = error.exit_status
    if as_json:
        click.echo(json.dumps({"devices": [found[path] for path in paths]}, indent=2))
    else:
        for path in paths:
            if "error" not in found[path]:
                click.echo(clean(_line(found[path])))
    sys.exit(status)


def look(path: str, stop: Stop) -> dict[str, Any]:
    """What the board at `path` says of itself."""
    with Board(Line(path, stop=stop)) as board:
        hello = board.hello()
        status = board.status()
    is_same = hello.core_hash == core_hash()
    return {
        "port": path,
        "device": hello.device,
        "board": hello.board,
        "core_version": ".".join(map(str, hello.core_version)),
        "core": "same" if is_same else "other",
        "note": "" if is_same else other_core(path, hello),
        "state": "in a session" if hello.state == messages.IN_SESSION else "idle",
        "sessions_to_sync": hello.unsynced,
        "free_bytes": hello.free_bytes,
        "battery_percent": status.battery_percent if status.battery_percent <= 100 else None,
        "epoch_ms": hello.epoch_ms or None,
        "faults": [name for bit, name in enumerate(FAULT_NAMES) if status.faults >> bit & 1],
    }


def _line(device: dict[str, Any]) -> str:
    battery = "" if device["battery_percent"] is None else f", battery {device['battery_percent']} %"
    clock = "" if device["epoch_ms"] else ", clock not set"
    faults = f", FAULTS: {', '.join(device['faults'])}" if device["faults"] else ""
    return (
        f"{device['port']}  {device['device']}  {device['board']}  core {device['core_version']}: {device['state']}, "
        f"{device['sessions_to_sync']} to sync, {device['free_bytes'] // 1024} KB free{battery}{clock}{faults}"
    )
