"""`retrostep sessions`: what is in the store, the earliest first."""

from datetime import datetime

import click

from retrostep.archive.names import session_id
from retrostep.archive.store import Store, to_ms
from retrostep.cli._options import LOCAL_MOMENT, athlete_option, json_option, store_option
from retrostep.output.sessions import session_dict, troubles, when
from retrostep.output.terminal import clock, columns, local_time, print_json_list

_WIDTHS = (20, 14, 17, -8, -8, -8, 0)
_TITLES = ("SESSION", "ATHLETE", "STARTED", "LENGTH", "FORWARD", "BACKWARD", "WHAT TO KNOW")


@click.command("sessions")
@athlete_option("Only this athlete's.")
@click.option("--device", metavar="DEVICE", help="Only this device's; part of its name will do.")
@click.option("--since", type=LOCAL_MOMENT, metavar="DATE", help="Only from this local date on (undated ones: that may be).")
@json_option
@store_option
def command(athlete: str | None, device: str | None, since: datetime | None, as_json: bool, store_url: str | None) -> None:
    """List sessions, the earliest first.

    Undated sessions stand where they were at the latest, and say so.

    \b
    Example:  retrostep sessions --athlete Ada --since 2026-11-01
    """
    with Store(store_url) as store:
        rows = store.sessions(athlete=athlete, device=device, since_ms=None if since is None else to_ms(since))
        if as_json:
            print_json_list("sessions", (session_dict(row, name) for row, name in rows))
            return
        count = 0
        for row, name in rows:
            if not count:
                click.echo(next(columns([_TITLES], _WIDTHS)))
            count += 1
            started = when(row)
            # What is longer than a moment would push the columns apart.
            unsure = [started] if len(started) > _WIDTHS[2] else []
            if unsure:
                started = "undated" if row.started_at_ms is None else local_time(row.started_at_ms)
            stops = [f"{row.ramp_stops} stop alert{'s' if row.ramp_stops > 1 else ''}"] if row.ramp_stops else []
            cells = (
                session_id(row.device, row.number, row.nth_life),
                name or "(nobody)",
                started,
                clock(row.duration_ms),
                clock(row.forward_ms),
                clock(row.backward_ms),
                "; ".join(unsure + stops + troubles(row)),
            )
            click.echo(next(columns([cells], _WIDTHS)))
        if not count:
            click.echo("No sessions. Plug a device in and run `retrostep sync`.")
