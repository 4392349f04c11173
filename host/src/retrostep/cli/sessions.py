"""`retrostep sessions`: the sessions in the store, the earliest first."""

import sys
from datetime import datetime

import click

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.moments import to_ms
from retrostep.archive.schema import SessionRow
from retrostep.cli._options import PAST_MOMENT, athlete_option, json_option, store_option
from retrostep.cli._store import reading
from retrostep.output.lines import echo_row, terminal_width, width_of
from retrostep.output.sessions import session_dict, shortcomings, when
from retrostep.output.terminal import print_json_list
from retrostep.output.triage import characters
from retrostep.plain_text import clean
from retrostep.units import clock, count, local_time

_WIDTHS = (18, 14, 16, -7, -7, -8, 0)
"""At least; the first two are as wide as the longest names in the store."""
_LEAST_ATHLETE = 8
_TITLES = ("SESSION", "ATHLETE", "STARTED", "LENGTH", "FORWARD", "BACKWARD", "REMARKS")


@click.command("sessions")
@athlete_option("Only this athlete's sessions.")
@click.option("--device", metavar="DEVICE", help="Only this device's sessions; part of its name is enough.")
@click.option("--since", type=PAST_MOMENT, metavar="DATE", help="Only from this local date on; includes undated ones that may be later.")
@json_option
@store_option
def command(athlete: str | None, device: str | None, since: datetime | None, as_json: bool, store_url: str | None) -> None:
    """List sessions, the earliest first.

    Undated sessions are listed at their latest possible time.

    \b
    Example:  retrostep sessions --athlete Ada --since 2026-11-01
    """
    with reading(store_url) as store:
        rows = store.sessions(athlete=athlete, device=device, since_ms=None if since is None else to_ms(since))
        if as_json:
            print_json_list("sessions", (session_dict(row, name) for row, name in rows))
            return
        is_empty = True
        names = (max(map(width_of, map(clean, found)), default=0) for found in (store.longest_sessions(), store.athlete_names()))
        widths = _fitting((*map(max, names, _WIDTHS[:2]), *_WIDTHS[2:]))
        for row, name in rows:
            if is_empty:
                echo_row(_TITLES, widths)
            is_empty = False
            session, worn_by, *more = _cells(row, name)
            echo_row((session, _cut(worn_by, widths[1]), *more), widths)
        if is_empty:
            is_filtered = athlete is not None or device is not None or since is not None
            click.echo("No sessions match." if is_filtered else "No sessions. Plug a device in and run `retrostep sync`.")


def _fitting(widths: tuple[int, ...]) -> tuple[int, ...]:
    """`widths`, with a narrower column of athletes where the longest name does not fit the terminal."""
    session, athlete, *others = widths
    columns = terminal_width(sys.stdout)
    if columns is not None:
        taken = session + sum(map(abs, others)) + 2 * (len(widths) - 2)
        athlete = min(athlete, max(_LEAST_ATHLETE, columns - taken))
    return session, athlete, *others


def _cut(name: str, width: int) -> str:
    return name if width_of(clean(name)) <= width else characters().fitted(name, width)


def _cells(row: SessionRow, athlete: str | None) -> tuple[str, ...]:
    started, remarks = when(row), []
    if len(started) > _WIDTHS[2]:
        # A long text would move the columns: it goes to the remarks.
        remarks.append(started if row.started_at_ms is None else "dated (by hand)")
        started = "undated" if row.started_at_ms is None else local_time(row.started_at_ms)
    if row.device == IMPORTED:
        remarks.append("imported")
    if row.excluded_why is not None:
        remarks.append(f"excluded: {row.excluded_why}")
    if row.ramp_stops:
        remarks.append(count(row.ramp_stops, "stop alert"))
    return (
        row.name,
        athlete or "(not assigned)",
        started,
        clock(row.duration_ms),
        clock(row.forward_ms),
        clock(row.backward_ms),
        "; ".join(remarks + shortcomings(row)),
    )
