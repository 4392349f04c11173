"""`retrostep devices`: the plugged-in boards."""

import json
import sys
from threading import Event
from typing import Any

import click
from retrostep_core.code_names import FAULT_NAMES
from retrostep_core.link import messages
from retrostep_core.link.answers import Hello
from retrostep_core.sensor_text import sensor_text

from retrostep.boards.power import hours_left
from retrostep.cli._cures import sentence
from retrostep.cli._device_table import TITLES, device_rows
from retrostep.cli._options import json_option
from retrostep.cli._ports import one_port, optional_port, ports_option, print_error, print_wait
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash, other_core
from retrostep.device.parallel import run_parallel
from retrostep.device.ports import select_ports
from retrostep.device.serial_port import SerialPort
from retrostep.errors import BoardNotFound, OldFirmware, Refused, RetrostepError
from retrostep.output.lines import echo, echo_row


@click.group("devices", invoke_without_command=True)
@ports_option
@json_option
@click.pass_context
def command(context: click.Context, named: tuple[str, ...], as_json: bool) -> None:
    """Show the plugged-in boards and what they hold.

    \b
    Example:  retrostep devices
              retrostep devices blink --port /dev/ttyUSB0

    \b
    Exit status: 1 if there is no board or one does not answer, else 0.
    """
    if context.invoked_subcommand is None:
        _show(named, as_json)


@command.command("blink")
@optional_port
def blink(port: str | None) -> None:
    """Let a device pulse its motor and LED, to find it.

    It pulses eight times. Its work continues.

    \b
    Example:  retrostep devices blink
              retrostep devices blink --port /dev/ttyUSB0
    """
    with DeviceClient(SerialPort(one_port(port)), on_wait=print_wait) as board:
        hello = board.hello()
        try:
            board.blink()
        except Refused as refused:
            if refused.code != messages.UNKNOWN_REQUEST:
                raise
            raise OldFirmware(f"The firmware of {hello.device} cannot blink yet.", board=hello.board, port=board.path) from refused
    echo(f"{named_device(hello)} pulses eight times.")


def named_device(hello: Hello) -> str:
    """`RS-3F2A01B4C8D9 (Ada left)`, or without the nickname that it does not have."""
    return f"{hello.device} ({hello.nickname})" if hello.nickname else str(hello.device)


def _show(named: tuple[str, ...], as_json: bool) -> None:
    found: dict[str, dict[str, Any]] = {}
    status = 0

    def ended(path: str, outcome: dict[str, Any] | RetrostepError) -> None:
        nonlocal status
        if isinstance(outcome, RetrostepError):
            found[path] = {"port": path, "error": sentence(outcome)}
            status = max(status, outcome.exit_status)
            print_error(outcome, path if len(paths) > 1 else "")
            return
        found[path] = outcome
        if outcome["core"] == "other" and not as_json:
            echo(f"Note: {outcome['note']}", err=True)

    paths: list[str] = []
    try:
        paths = [port.path for port in select_ports(named)]
        run_parallel(paths, look, ended)
    except BoardNotFound as error:
        print_error(error)
        status = error.exit_status
    if as_json:
        click.echo(json.dumps({"devices": [found[path] for path in paths]}, indent=2))
    else:
        widths, rows = device_rows([found[path] for path in paths if "error" not in found[path]])
        for n, row in enumerate(rows):
            if not n:
                echo_row(TITLES, widths)
            echo_row(row, widths)
    sys.exit(status)


def look(path: str, stop: Event) -> dict[str, Any]:
    """What the board at `path` reports about itself."""
    with DeviceClient(SerialPort(path, stop=stop), on_wait=print_wait) as board:
        hello = board.hello()
        status = board.status()
    is_same = hello.core_hash == core_hash()
    return {
        "port": path,
        "device": hello.device,
        "nickname": hello.nickname or None,
        "board": hello.board,
        "core_version": ".".join(map(str, hello.core_version)),
        "core": "same" if is_same else "other",
        "note": "" if is_same else sentence(other_core(path, hello)),
        "state": "in a session" if hello.state == messages.IN_SESSION else "idle",
        "sessions_to_sync": hello.unsynced,
        "free_bytes": hello.free_bytes,
        "battery_percent": status.battery_percent if status.battery_percent <= 100 else None,
        "battery_hours": hours_left(hello.board, status.battery_percent),
        "epoch_ms": hello.epoch_ms or None,
        "faults": [name for bit, name in enumerate(FAULT_NAMES) if status.faults >> bit & 1],
        "sensor_fault": sensor_text(status.sensor & 255, status.sensor >> 8) or None,
    }
