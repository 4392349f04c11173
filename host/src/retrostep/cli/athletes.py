"""`retrostep athletes`: who trains, and who wears which device."""

import shlex
from datetime import datetime
from typing import Any

import click

from retrostep.archive.derive import SINCE_EVER_MS
from retrostep.archive.store import Store, Wearing
from retrostep.cli._options import LOCAL_MOMENT, json_option, store_option
from retrostep.output.plain import clean
from retrostep.output.sessions import utc
from retrostep.output.terminal import columns, local_time, print_json


@click.group("athletes", invoke_without_command=True)
@json_option
@store_option
@click.pass_context
def command(context: click.Context, as_json: bool, store_url: str | None) -> None:
    """List athletes and their devices, or change them.

    \b
    Example:  retrostep athletes add Ada
              retrostep athletes assign a1b2c3d4e5f6 Ada
              retrostep athletes
    """
    context.obj = store_url
    if context.invoked_subcommand is not None:
        return
    with Store(store_url) as store:
        listed = _listed(store)
    if as_json:
        print_json(listed)
        return
    if not listed["athletes"]:
        click.echo("Nobody yet. Add somebody with `retrostep athletes add NAME`.")
    else:
        click.echo(next(columns([("ATHLETE", "SESSIONS", "DEVICE NOW")], (24, -8, 0))))
    for athlete in listed["athletes"]:
        now = ", ".join(device["device"] for device in athlete["devices"] if device["to"] is None) or "none"
        click.echo(next(columns([(athlete["athlete"], str(athlete["sessions"]), now)], (24, -8, 0))))
    for nobody in listed["nobody"]:
        count = nobody["sessions"]
        sessions = f"{count} session{'s' if count > 1 else ''}"
        click.echo(f"{sessions} of {nobody['device']} belong to nobody: `retrostep athletes assign {nobody['device']} NAME` says whose.")


@command.command("add")
@click.argument("name")
@store_option
@click.pass_context
def add(context: click.Context, name: str, store_url: str | None) -> None:
    """Add an athlete.

    \b
    Example:  retrostep athletes add "Ada Lovelace"
    """
    with Store(store_url or context.obj) as store:
        added = store.add_athlete(name)
    click.echo(f"Added {clean(added)}. `retrostep athletes assign DEVICE {shlex.quote(clean(added))}` says which device is theirs.")


@command.command("assign")
@click.argument("device")
@click.argument("athlete")
@click.option("--from", "from_at", type=LOCAL_MOMENT, metavar="DATE", help="Since when (a local date, or date and time).")
@store_option
@click.pass_context
def assign(context: click.Context, device: str, athlete: str, from_at: datetime | None, store_url: str | None) -> None:
    """Say that ATHLETE wears DEVICE from now on, or from a date.

    The first assignment of a device reaches back to its first session; a later one holds from now, unless --from says otherwise.
    Part of a known device's name will do.

    \b
    Example:  retrostep athletes assign a1b2c3d4e5f6 Ada --from 2026-11-01
    """
    _assign(store_url or context.obj, device, athlete, from_at)


@command.command("release")
@click.argument("device")
@click.option("--from", "from_at", type=LOCAL_MOMENT, metavar="DATE", help="Since when (a local date, or date and time).")
@store_option
@click.pass_context
def release(context: click.Context, device: str, from_at: datetime | None, store_url: str | None) -> None:
    """Say that nobody wears DEVICE from now on, or from a date.

    \b
    Example:  retrostep athletes release a1b2c3d4e5f6
    """
    _assign(store_url or context.obj, device, None, from_at)


def _assign(store_url: str | None, device: str, athlete: str | None, from_at: datetime | None) -> None:
    with Store(store_url) as store:
        found = store.find_device(device)
        from_ms = store.assign(found, athlete, from_at)
        whose = "nobody's" if athlete is None else f"{store.find_athlete(athlete).name}'s"
        is_known = any(row.device == found for row in store.devices())
    since = "from its first session on" if from_ms == SINCE_EVER_MS else f"from {local_time(from_ms)} on"
    click.echo(f"{found} is {clean(whose)} {since}." + ("" if is_known else " It has not been synced yet: check its name."))


def _listed(store: Store) -> dict[str, Any]:
    worn = store.assignments()
    counts = store.sessions_by_athlete()

    def devices(name: str) -> list[dict[str, Any]]:
        return [_wearing(wearing) for wearing in worn if wearing.athlete == name]

    return {
        "athletes": [
            {"athlete": athlete.name, "sessions": counts.get(athlete.id, 0), "devices": devices(athlete.name)}
            for athlete in store.athletes()
        ],
        "nobody": [{"device": device, "sessions": count} for device, count in store.sessions_of_nobody().items()],
    }


def _wearing(wearing: Wearing) -> dict[str, Any]:
    return {
        "device": wearing.device,
        "from": None if wearing.from_at_ms == SINCE_EVER_MS else utc(wearing.from_at_ms),
        "to": utc(wearing.to_at_ms),
    }
