"""`retrostep limits`: the alert limits of devices, from the plans of their athletes."""

from threading import Event
from typing import Any

import click
from retrostep_core import VERSION
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_to_json

from retrostep.archive.identifiers import device_name
from retrostep.archive.nearest import hint
from retrostep.archive.store import Store
from retrostep.cli._options import json_option, store_option
from retrostep.cli._ports import ports_option, print_error, print_wait
from retrostep.cli._store import entering, reading, saving
from retrostep.cli._who import login_name
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash
from retrostep.device.parallel import run_parallel
from retrostep.device.ports import select_ports
from retrostep.device.serial_port import SerialPort
from retrostep.errors import AthleteNotFound, NoBoardFound, NotFound, RetrostepError
from retrostep.output.lines import echo
from retrostep.output.terminal import print_json
from retrostep.plain_text import quoted
from retrostep.sync.waiting_limits import SENT, WAITING, send_waiting_limits
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep.training.device_limits import DeviceLimits, limits_words
from retrostep.training.plan import AFTER_SETTLING
from retrostep.units import local_date

_NONE_WORN = "No athlete wears a device. To assign one: `retrostep athletes assign DEVICE NAME`."


@click.group("limits")
def command() -> None:
    """Show the alert limits of devices, or set them by the plan.

    A device alerts by the limits that are set on it: the length of a session, the warm-up, the cadence and its rise. `push` sets them
    to what `retrostep plan` allows, so that the device enforces what the coach checks.

    \b
    Example:  retrostep limits show
              retrostep limits push Ada
    """


@command.command("show")
@click.argument("target", metavar="[DEVICE|ATHLETE]", required=False)
@ports_option
@json_option
@store_option
def show(target: str | None, named: tuple[str, ...], as_json: bool, store_url: str | None) -> None:
    """Show the limits of devices, of the plan, and what waits.

    Reads the limits from plugged-in boards. Of other devices it shows those that were sent, or those in the header of the last log.

    \b
    Example:  retrostep limits show Ada
    """
    with reading(store_url) as store:
        found = _targets(store, target)
        sent = {row.device: row.at_ms for row, _ in store.device_limits() if row.is_waiting}
    on_board = _each_board(named, lambda board, device: board.limits(), {each.device for _, each in found}, is_needed=bool(named))
    if as_json:
        print_json({"devices": [_as_dict(name, each, on_board.get(each.device)) for name, each in found]})
        return
    for name, each in found:
        read = on_board.get(each.device)
        in_force = read or each.in_force
        source = "read now" if read else "as last known"
        echo(f"{each.device} ({name})")
        echo(f"  in force: {limits_words(in_force)} ({source})" if in_force else "  in force: not known; plug it in", 10)
        echo(f"  plan:     {limits_words(each.planned)}", 10)
        if each.to_settle:
            echo(f"  first:    {each.to_settle} {AFTER_SETTLING}", 10)
        if each.waiting is not None:
            since = local_date(sent[each.device])
            words = "those of the plan" if each.waiting == each.planned else limits_words(each.waiting)
            echo(f"  waiting:  {words}, since {since}. To cancel: `retrostep limits cancel {each.device}`.", 10)
    if not found:
        echo(_NONE_WORN)


@command.command("push")
@click.argument("target", metavar="[DEVICE|ATHLETE]", required=False)
@ports_option
@click.option("--later", is_flag=True, help="Do not look for boards: the next sync sends them.")
@click.option("--by", "who", metavar="NAME", help="Who decided it (default: your login name).")
@store_option
def push(target: str | None, named: tuple[str, ...], later: bool, who: str | None, store_url: str | None) -> None:
    """Set the limits of devices to the plans of their athletes.

    Without DEVICE or ATHLETE: all devices that somebody wears. A plugged-in board gets them now, and every other device at its next
    sync. A board in a session gets them afterwards, because other limits end a session.

    \b
    Example:  retrostep limits push Ada --later
    """
    if later and named:
        raise click.UsageError("--later looks for no board: give no --port.")
    with entering(store_url) as store, saving(store):
        found = _targets(store, target)
        if not found:
            raise NotFound(_NONE_WORN)
        store.set_device_limits(((each.device, name, each.planned) for name, each in found), who=who or login_name())
        devices = {each.device for _, each in found}
        sent = {} if later else _each_board(named, lambda board, device: send_waiting_limits(board, store, device), devices, bool(named))
    for name, each in found:
        what = _OUTCOMES[sent.get(each.device)]
        echo(f"{each.device} ({name}): {limits_words(each.planned)}; they {what}.")
        if each.to_settle:
            echo(f"  {each.to_settle} {AFTER_SETTLING} The device does not know it: tell {name}.", 2)


_OUTCOMES = {None: "wait for its next sync", WAITING: "wait for the end of its session", SENT: "are in force"}


@command.command("cancel")
@click.argument("target", metavar="DEVICE|ATHLETE")
@store_option
def cancel(target: str, store_url: str | None) -> None:
    """Cancel limits that wait for the next sync.

    \b
    Example:  retrostep limits push Ada --later
              retrostep limits cancel Ada
    """
    with entering(store_url) as store, saving(store):
        for _, each in _targets(store, target):
            store.cancel_device_limits(each.device, who=login_name())
            echo(f"{each.device}: nothing waits any more. Its limits stay as they are.")


def _targets(store: Store, target: str | None) -> list[tuple[str, DeviceLimits]]:
    """(athlete, limits) of the devices that are meant: of an athlete, one device, or all that are worn. Raises NotFound."""
    check = Check(store, Core(VERSION, core_hash().hex()))
    names = [row.name for row in store.athletes()]
    if target is not None:
        try:
            name, worn = check.limits_of(target)
        except AthleteNotFound as unknown:
            if not any(target.casefold() in device.casefold() for device in store.known_devices()):
                known = hint(target, [*names, *store.known_devices()])
                raise AthleteNotFound(f"There is no athlete or device {quoted(target)} ({known}).") from unknown
            return [_target_device(store, check, names, target)]
        if not worn:
            raise NotFound(f"{name} wears no device. To assign one: `retrostep athletes assign DEVICE {name}`.")
        return [(name, each) for each in worn]
    return [(name, each) for name in names for each in check.limits_of(name)[1]]


def _target_device(store: Store, check: Check, names: list[str], target: str) -> tuple[str, DeviceLimits]:
    device = store.find_device(target)
    for name in names:
        for each in check.limits_of(name)[1]:
            if each.device == device:
                return name, each
    raise NotFound(f"Nobody wears {device}, so there is no plan for it. To assign it: `retrostep athletes assign {device} NAME`.")


def _each_board(named: tuple[str, ...], work: Any, devices: set[str], is_needed: bool) -> dict[str, Any]:
    """What `work(board, device)` returns for each plugged-in board that is one of `devices`. `is_needed`: a missing board is an error."""
    results: dict[str, Any] = {}
    try:
        paths = [port.path for port in select_ports(named)]
    except NoBoardFound:
        if is_needed:
            raise
        return results

    def one(path: str, stop: Event) -> tuple[str, Any]:
        with DeviceClient(SerialPort(path, stop=stop), on_wait=print_wait) as board:
            device = device_name(board.hello().device)
            return device, work(board, device) if device in devices else None

    def ended(path: str, outcome: tuple[str, Any] | RetrostepError) -> None:
        if isinstance(outcome, RetrostepError):
            print_error(outcome, path)
        elif outcome[1] is not None:
            results[outcome[0]] = outcome[1]

    run_parallel(paths, one, ended)
    return results


def _as_dict(name: str, each: DeviceLimits, read: Limits | None) -> dict[str, Any]:
    known = each if read is None else DeviceLimits(each.device, read, each.planned, each.waiting)
    return {"athlete": name, "to_settle": each.to_settle or None, **known.as_dict(), "read": None if read is None else limits_to_json(read)}
