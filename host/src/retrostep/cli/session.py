"""`retrostep session`: one session whole."""

from datetime import datetime

import click
from retrostep_core.gait.codes import ALERT_NAMES, DIRECTION_NAMES, GAP_NAMES, PLACEMENT_NAMES, SEVERITY_NAMES, SIDE_NAMES
from retrostep_core.log.names import END_NAMES, MARK_NAMES

from retrostep.archive.names import session_id
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import SessionDetail, Store, now_ms, to_ms
from retrostep.cli._options import LOCAL_MOMENT, json_option, store_option
from retrostep.output.plain import clean
from retrostep.output.sessions import alert_unit, detail_dict, in_unit, named, troubles, when
from retrostep.output.terminal import clock, columns, local_time, print_json


@click.command("session")
@click.argument("session")
@click.option("--date", "began", type=LOCAL_MOMENT, metavar="'DATE TIME'", help="Say when an undated or misdated one began, local time.")
@json_option
@store_option
def command(session: str, began: datetime | None, as_json: bool, store_url: str | None) -> None:
    """Show one session whole: bouts, cadence, alerts, marks, gaps, notes. Or say when it was.

    SESSION is DEVICE/NUMBER as `retrostep sessions` lists it; part of the device's name will do.

    A session is undated where no computer told its board the time, or where computers told different times. What --date says is kept
    as a fact that came by hand; it dates the other sessions of the same start of the device as well, and the last that was said holds.

    \b
    Example:  retrostep session a1b2/12
              retrostep session a1b2/12 --date "2026-11-20 18:30"
    """
    if began is not None and not 2020 <= began.year < 2100:
        raise click.UsageError("--date lies between 2020 and 2099.")
    if began is not None and to_ms(began) > now_ms():
        raise click.UsageError("--date lies in the future.")
    with Store(store_url) as store:
        row = store.find_session(session)
        if began is not None:
            row = store.date_by_hand(row, began)
            name = session_id(row.device, row.number, row.nth_life)
            click.echo(f"Session {name} began at {local_time(to_ms(began))}, as you say.", err=as_json)
        detail = store.detail(row)
    if as_json:
        print_json(detail_dict(detail))
        return
    for line in _lines(detail):
        click.echo(line)


def _started(row: SessionRow) -> str:
    """When it was, and what to do where nobody knows."""
    if row.started_at_ms is not None:
        return when(row)
    why = "computers told its board different times" if row.clock_spread_ms else "no computer told its board the time"
    name = session_id(row.device, row.number, row.nth_life)
    return f"{when(row)} ({why}); `retrostep session {name} --date 'DATE TIME'` says when"


def _lines(detail: SessionDetail) -> list[str]:
    row = detail.session
    steps = f"{row.forward_steps} forward, {row.backward_steps} backward, {row.unknown_steps} of unknown direction"
    cadence = f"{row.backward_cadence_x10 / 10:.0f} steps a minute" if row.backward_cadence_x10 else "none"
    facts = [
        ("Session", session_id(row.device, row.number, row.nth_life)),
        ("Athlete", detail.athlete or f"nobody: `retrostep athletes assign {row.device} NAME` says whose"),
        ("Started", _started(row)),
        ("Length", f"{clock(row.duration_ms)}; {clock(row.forward_ms)} forward, {clock(row.backward_ms)} backward"),
        ("Warm-up", f"{clock(row.warm_up_ms)} forward before the first backward bout"),
        ("Steps", steps),
        ("Cadence", f"{cadence} backward (median)"),
        ("Ended", named(END_NAMES, row.end_reason) or "not yet"),
        ("Worn", f"{named(PLACEMENT_NAMES, row.placement)} {named(SIDE_NAMES, row.side)}".strip()),
        ("Counted by", f"{row.board}, core {row.core_version} ({row.core_hash})"),
        ("Quality", "; ".join(troubles(row)) or "whole"),
    ]
    if row.nth_life > 1:
        facts.insert(1, ("Life", f"{row.nth_life} of {row.device}: its flash was erased in between, and its numbers began anew"))
    lines = list(columns(facts, (10, 0)))
    if detail.bouts:
        lines += ["", *columns([("FROM", "TO", "DIRECTION", "STEPS", "CADENCE", "TOP")], (-8, -8, 9, -6, -7, -5))]
        bouts = (
            (
                clock(bout.start_ms),
                clock(bout.end_ms),
                named(DIRECTION_NAMES, bout.direction),
                str(bout.steps),
                f"{bout.cadence_mean_x10 / 10:.0f}",
                f"{bout.cadence_max_x10 / 10:.0f}",
            )
            for bout in detail.bouts
        )
        lines += columns(bouts, (-8, -8, 9, -6, -7, -5))
    events = [
        (
            alert.at_ms,
            f"{named(SEVERITY_NAMES, alert.severity)} alert {named(ALERT_NAMES, alert.kind)}: {in_unit(alert.kind, alert.measured):g} "
            f"{alert_unit(alert.kind)}, limit {in_unit(alert.kind, alert.limit):g} {alert_unit(alert.kind)}",
        )
        for alert in detail.alerts
    ]
    events += [(mark.at_ms, f"mark: {named(MARK_NAMES, mark.mark)}") for mark in detail.marks]
    events += [
        (gap.from_ms, f"gap of {max(0, gap.to_ms - gap.from_ms) / 1_000:.1f} s: {named(GAP_NAMES, gap.reason)}") for gap in detail.gaps
    ]
    if events:
        lines += ["", *columns(((clock(at_ms), text) for at_ms, text in sorted(events)), (-8, 0))]
    for note in detail.notes:
        said = [f"pain {note.pain}{' on the day after' if note.next_day else ''}"] if note.pain is not None else []
        said += [f"RPE {note.rpe}"] if note.rpe is not None else []
        said += [word for word, is_so in (("limping", note.limp), ("swelling", note.swelling)) if is_so]
        said += [note.text] if note.text else []
        lines += ["" if note is detail.notes[0] else None, clean(f"Noted {local_time(note.noted_at_ms)}: {', '.join(said)}")]  # type: ignore[list-item]
    return [line for line in lines if line is not None]
