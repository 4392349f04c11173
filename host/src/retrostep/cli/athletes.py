"""`retrostep athletes`: the athletes, and which device each one wears."""

import shlex
from datetime import UTC, datetime
from typing import Any

import click

from retrostep.archive.assignments import Assignment, covering
from retrostep.archive.entry_values import BEGINNING_MS
from retrostep.archive.forget import forget_athlete
from retrostep.archive.moments import to_ms
from retrostep.archive.nearest import nearest
from retrostep.archive.store import Store
from retrostep.cli._ask import confirm, retype
from retrostep.cli._cures import cure
from retrostep.cli._options import PAST_MOMENT, WholeNumber, json_option, store_option, why_option, yes_option
from retrostep.cli._stop import after_ctrl_c
from retrostep.cli._store import entering, reading, saving
from retrostep.cli._who import login_name
from retrostep.errors import AssignmentContradiction, AssignmentExists, Unassigned
from retrostep.output.lines import echo
from retrostep.output.terminal import print_json, table
from retrostep.plain_text import clean
from retrostep.units import count, local_time, utc


@click.group("athletes", invoke_without_command=True)
@json_option
@store_option
@click.pass_context
def command(context: click.Context, as_json: bool, store_url: str | None) -> None:
    """List athletes and their devices, or change them.

    \b
    Example:  retrostep athletes add Ada
              retrostep athletes assign RS-3F2A01B4C8D9 Ada
              retrostep athletes
              retrostep athletes rename Ada "Ada Lovelace"
    """
    context.obj = store_url
    if context.invoked_subcommand is not None:
        return
    with reading(store_url) as store:
        listed = _listed(store)
    if as_json:
        print_json(listed)
        return
    if not listed["athletes"]:
        click.echo("No athletes yet. To add one: `retrostep athletes add NAME`.")
    else:
        rows = [("ATHLETE", "SESSIONS", "DEVICE NOW")]
        for athlete in listed["athletes"]:
            now = ", ".join(device["device"] for device in athlete["devices"] if device["to"] is None) or "none"
            rows.append((athlete["athlete"], str(athlete["sessions"]), now))
        for line in table(rows, (24, -8, 0)):
            click.echo(line)
    worn = {device["device"] for athlete in listed["athletes"] for device in athlete["devices"]}
    for unassigned in listed["nobody"]:
        device, number = unassigned["device"], unassigned["sessions"]
        help_text = cure(Unassigned("", device=device))
        if device in worn:  # another assignment would not reach a session whose athlete was forgotten, or that is undated
            help_text = f"`retrostep sessions --device {device}` lists them. For one: `retrostep session {device}/NUMBER --athlete NAME`."
        echo(f"{count(number, 'session')} of {device} {'has' if number == 1 else 'have'} no athlete. {help_text}")


@command.command("add")
@click.argument("name")
@store_option
@click.pass_context
def add(context: click.Context, name: str, store_url: str | None) -> None:
    """Add an athlete.

    \b
    Example:  retrostep athletes add "Ada Lovelace"
    """
    with entering(store_url or context.obj) as store:
        added = store.add_athlete(name)
    echo(f"Added {clean(added)}. To assign a device: `retrostep athletes assign DEVICE {shlex.quote(clean(added))}`.")


@command.command("rename")
@click.argument("name")
@click.argument("new_name")
@why_option
@store_option
@click.pass_context
def rename(context: click.Context, name: str, new_name: str, why: str, store_url: str | None) -> None:
    """Give an athlete another name. Everything else stays.

    \b
    Example:  retrostep athletes rename Ada "Ada Lovelace"
    """
    with entering(store_url or context.obj) as store, saving(store):
        old = store.find_athlete(name).name
        new = store.rename_athlete(name, new_name, who=login_name(), why=why)
    echo(f"{old} is now called {new}.")


@command.command("remove")
@click.argument("name")
@why_option
@yes_option
@store_option
@click.pass_context
def remove(context: click.Context, name: str, why: str, yes: bool, store_url: str | None) -> None:
    """Remove an athlete from every list.

    The athlete's sessions have no athlete then. `retrostep athletes restore NAME` undoes it.

    \b
    Example:  retrostep athletes remove Ada
    """
    with entering(store_url or context.obj) as store, saving(store):
        row = store.find_athlete(name)
        if number := store.sessions_by_athlete().get(row.id, 0):
            belong = "belongs" if number == 1 else "belong"
            confirm(f"{count(number, 'session')} {belong} to {row.name}.", "Remove the athlete nevertheless?", yes, "--yes")
        removed = store.remove_athlete(name, who=login_name(), why=why)
    echo(f"Removed {removed}. To undo it: `retrostep athletes restore {shlex.quote(removed)}`.")


@command.command("restore")
@click.argument("name")
@why_option
@store_option
@click.pass_context
def restore(context: click.Context, name: str, why: str, store_url: str | None) -> None:
    """Undo `remove`: the athlete's devices and sessions come back.

    \b
    Example:  retrostep athletes remove Ada
              retrostep athletes restore Ada
    """
    with entering(store_url or context.obj) as store, saving(store):
        restored = store.restore_athlete(name, who=login_name(), why=why)
    echo(f"{restored} is an athlete again.")


@command.command("forget")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name again.")
@store_option
@click.pass_context
def forget(context: click.Context, name: str, yes: bool, store_url: str | None) -> None:
    """Remove a person for good. It cannot be undone.

    Removes the name, the notes of the person's sessions, the reasons of corrections, the person's limits, and copies of older stores
    that hold the name. The recordings stay, without a name.

    \b
    Example:  retrostep athletes forget Ada --yes
    """
    with entering(store_url or context.obj) as store:
        found = next((row.name for row in store.athletes_named(name) if row.removed), None)
        found = found or store.find_athlete(name).name
        retype(f"This removes {found} and the notes of every session of {found} for good.", found, yes, "--yes")
        unsure = "The journal is as before, or without the person: run the same command again."
        with after_ctrl_c(unsure):
            done = forget_athlete(store, found)
        place = f"the server of {store.name}" if store.path is None else str(store.data_dir.path)
    has = "has" if done.sessions == 1 else "have"
    click.echo(
        clean(f"Forgotten: {found}. {done.entries} entries of the journal changed; {count(done.sessions, 'session')} {has} no name now.")
    )
    for path in done.unreached:
        echo(f"Not reached: {path} holds the name still. Delete it if you do not need it.", err=True)
    where = f"Not reached: backups of {place}, other computers, and files that were exported or printed. Delete the name there."
    echo(where)


@command.command("assign")
@click.argument("device")
@click.argument("athlete")
@click.option("--from", "from_at", type=PAST_MOMENT, metavar="DATE", help="Start then: a local date, or date and time (default: now).")
@click.option("--to", "to_at", type=PAST_MOMENT, metavar="DATE", help="End then. The athlete who wore it before wears it again.")
@click.option("--replace", "nth", type=WholeNumber(min=1), metavar="N", help="Correct assignment N of `athletes assignments DEVICE`.")
@click.option("--new", "is_new", is_flag=True, help="Do not ask about a device that was never synced.")
@why_option
@store_option
@click.pass_context
def assign(
    context: click.Context,
    device: str,
    athlete: str,
    from_at: datetime | None,
    to_at: datetime | None,
    nth: int | None,
    is_new: bool,
    why: str,
    store_url: str | None,
) -> None:
    """Assign DEVICE to ATHLETE, from now on or from a date.

    The first assignment of a device also covers its earlier sessions. A later one starts now, or at --from. Part of a known
    device's name is enough. An assignment that contradicts another one is refused; --replace corrects one.

    \b
    Example:  retrostep athletes assign RS-3F2A01B4C8D9 Ada --from 2026-11-01
              retrostep athletes assign C8D9 Ada --from 2026-11-03 --replace 1
    """
    if from_at is not None and to_at is not None and to_at <= from_at:
        raise click.UsageError("--to is not later than --from.")
    with entering(store_url or context.obj) as store, saving(store):
        found = store.find_device(device, may_be_new=True)
        name = store.find_athlete(athlete).name
        is_known = _is_known(store, found)
        replaced = None if nth is None else _nth_assignment(store, found, nth)
        if replaced is not None and from_at is None:
            from_at = datetime.fromtimestamp(replaced.from_at_ms / 1_000, UTC)
        if not is_known and not any(one.device == found for one in store.assignments()):
            close = nearest(found, store.known_devices())
            meant = f" Did you mean {' or '.join(close)}?" if close else ""
            confirm(f"No session of {found} is here, and it was never synced.{meant}", "Is that its right name?", is_new, "--new")
        try:
            from_ms = store.assign(found, name, from_at, to_at, replaces=replaced, who=login_name(), why=why)
        except AssignmentExists as same:
            if from_at is not None:
                raise
            echo(f"{same} Nothing was changed.")
            return
    if replaced is not None:
        echo(f"Replaced: number {replaced.number}, {_described(replaced)}.")
    since = ", all its sessions included" if from_ms == BEGINNING_MS else f" from {local_time(from_ms)}{'' if to_at else ' on'}"
    until = "" if to_at is None else f" to {local_time(to_ms(to_at))}"
    echo(f"{found} is assigned to {name}{since}{until}.")


@command.command("release")
@click.argument("device")
@click.option("--at", "from_at", type=PAST_MOMENT, metavar="DATE", help="End then: a local date, or date and time (default: now).")
@why_option
@store_option
@click.pass_context
def release(context: click.Context, device: str, from_at: datetime | None, why: str, store_url: str | None) -> None:
    """End the assignment of DEVICE, now or at a date.

    \b
    Example:  retrostep athletes assign C8D9 Ada
              retrostep athletes release C8D9
    """
    with entering(store_url or context.obj) as store, saving(store):
        found = store.find_device(device)
        worn = store.assignments()
        from_ms = store.assign(found, None, from_at, who=login_name(), why=why)
    ended = covering([one for one in worn if one.device == found], from_ms)
    before = "" if ended is None else f" Before: {_wearer(ended)}, from {_from(ended)}."
    echo(f"{found} is not assigned from {local_time(from_ms)} on.{before}")


@command.command("unassign")
@click.argument("device")
@click.argument("nth", metavar="N", type=WholeNumber(min=1))
@why_option
@store_option
@click.pass_context
def unassign(context: click.Context, device: str, nth: int, why: str, store_url: str | None) -> None:
    """Withdraw an assignment, as if it was never entered.

    `retrostep athletes assignments DEVICE` numbers them. Who wore the device before wears it until the next assignment.

    \b
    Example:  retrostep athletes assign C8D9 Ada
              retrostep athletes unassign C8D9 1
    """
    with entering(store_url or context.obj) as store, saving(store):
        withdrawn = _nth_assignment(store, store.find_device(device), nth)
        store.withdraw_assignment(withdrawn, who=login_name(), why=why)
    echo(f"Withdrawn: number {withdrawn.number}, {_described(withdrawn)}.")


@command.command("assignments")
@click.argument("device", required=False)
@json_option
@store_option
@click.pass_context
def assignments(context: click.Context, device: str | None, as_json: bool, store_url: str | None) -> None:
    """List who wore which device, and from when to when.

    \b
    Example:  retrostep athletes assignments
              retrostep athletes assignments C8D9
    """
    with reading(store_url or context.obj) as store:
        only = None if device is None else store.find_device(device)
        listed = [one for one in store.assignments() if only in (None, one.device)]
    if as_json:
        print_json({"assignments": [_numbered(one) for one in listed]})
        return
    if not listed:
        click.echo("No assignments. To assign a device: `retrostep athletes assign DEVICE NAME`.")
        return
    rows = ((one.device, str(one.number), one.athlete or "(not assigned)", _from(one), _to(one), one.why) for one in listed)
    titles = ("DEVICE", "N", "ATHLETE", "FROM", "TO", "WHY" if any(one.why for one in listed) else "")
    for line in table([titles, *rows], (15, -2, 10, 16, 16, 0)):
        echo(line)
    which = "DEVICE" if device is None else listed[0].device
    click.echo(f"To correct one: `retrostep athletes assign {which} NAME --replace N`.")
    click.echo("--from and --to change its times.")
    click.echo(f"To withdraw one: `retrostep athletes unassign {which} N`.")


def _nth_assignment(store: Store, device: str, nth: int) -> Assignment:
    of_device = {one.number: one for one in store.assignments() if one.device == device}
    if nth not in of_device:
        known = ", ".join(map(str, sorted(of_device)))
        has = f"has {known}" if known else "has no assignment"
        raise AssignmentContradiction(f"{device} has no assignment with number {nth} (it {has}).", device=device)
    return of_device[nth]


def _is_known(store: Store, device: str) -> bool:
    return any(row.device == device for row in store.devices())


def _wearer(one: Assignment) -> str:
    return "not assigned" if one.athlete is None else f"assigned to {one.athlete}"


def _described(one: Assignment) -> str:
    return f"{one.device} {_wearer(one)}, {_from(one)} to {_to(one)}"


def _from(one: Assignment) -> str:
    return "first session" if one.from_at_ms == BEGINNING_MS else local_time(one.from_at_ms)


def _to(one: Assignment) -> str:
    return "now" if one.to_at_ms is None else local_time(one.to_at_ms)


def _listed(store: Store) -> dict[str, Any]:
    assignments = store.assignments()
    counts = store.sessions_by_athlete()

    def devices(name: str) -> list[dict[str, Any]]:
        return [_assignment(one) for one in assignments if one.athlete == name]

    return {
        "athletes": [
            {"athlete": athlete.name, "sessions": counts.get(athlete.id, 0), "devices": devices(athlete.name)}
            for athlete in store.athletes()
        ],
        "nobody": [{"device": device, "sessions": count} for device, count in store.unassigned_sessions().items()],
    }


def _assignment(one: Assignment) -> dict[str, Any]:
    return {
        "device": one.device,
        "from": None if one.from_at_ms == BEGINNING_MS else utc(one.from_at_ms),
        "to": utc(one.to_at_ms),
    }


def _numbered(one: Assignment) -> dict[str, Any]:
    """An assignment for `assignments --json`."""
    return {"number": one.number, "athlete": one.athlete, **_assignment(one), "who": one.who, "why": one.why}
