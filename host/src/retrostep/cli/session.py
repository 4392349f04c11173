"""`retrostep session`: one session in full, and its corrections."""

from collections.abc import Iterator
from typing import Any

import click
from retrostep_core.code_names import DIRECTION_NAMES, END_NAMES, GAP_NAMES, MARK_NAMES, SIDE_NAMES
from retrostep_core.codes import PLACEMENT_NAMES

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.corrections import MARKS
from retrostep.archive.moments import to_ms
from retrostep.archive.people import MAX_TEXT_LENGTH
from retrostep.archive.queries import SessionDetail
from retrostep.archive.schema import HistoryRow, SessionRow
from retrostep.archive.store import Store
from retrostep.cli._ask import confirm
from retrostep.cli._cures import cure
from retrostep.cli._options import PAST_MOMENT, athlete_option, json_option, session_names, store_option, why_option, yes_option
from retrostep.cli._store import entering, reading, saving
from retrostep.cli._who import login_name
from retrostep.errors import RetrostepError, Unassigned, Undated
from retrostep.output.impacts import impact_text, impacts
from retrostep.output.lines import echo
from retrostep.output.sessions import (
    detail_dict,
    history_dict,
    history_text,
    limits_lines,
    noted,
    origin_text,
    shortcomings,
    still_counting,
    when,
)
from retrostep.output.terminal import columns, print_json
from retrostep.plain_text import clean
from retrostep.units import alert_text, cadence, clock, duration, local_time, named

_CORRECTIONS = ("date", "no_date", "exclude", "include", "athlete", "as_assigned", "mark", "no_mark")
"""The options that correct a session."""

_BOUT_WIDTHS = (-8, -8, 9, -6, -7, -5)


@click.command("session")
@click.argument("words", metavar="SESSION", nargs=-1, required=True)
@click.option("--date", type=PAST_MOMENT, metavar="'DATE TIME'", help="Set when the session started, in local time.")
@click.option("--clock-was-wrong", is_flag=True, help="With --date: the computer's clock was wrong when it received the session.")
@click.option("--no-date", is_flag=True, help="Undo --date: clocks date the session, as far as they can.")
@click.option("--exclude", metavar="WHY", help="Leave the session out of the check, with the reason. Noted pain still counts.")
@click.option("--include", is_flag=True, help="Undo --exclude.")
@athlete_option("Move the session to this athlete.")
@click.option("--as-assigned", is_flag=True, help="Undo --athlete: the assignment of the device counts.")
@click.option("--mark", type=click.Choice(list(MARKS)), help="Add a mark that was forgotten.")
@click.option("--no-mark", type=click.Choice(list(MARKS)), help="Withdraw a mark.")
@why_option
@yes_option
@click.option("--history", "show_history", is_flag=True, help="Show what was entered and corrected, by whom and why.")
@json_option
@store_option
def command(words: tuple[str, ...], show_history: bool, as_json: bool, store_url: str | None, **options: Any) -> None:
    """Show one session in full, or correct it.

    Shows bouts, cadence, impacts, alerts, marks, gaps and notes. SESSION is DEVICE/NUMBER, as `retrostep sessions` lists it; part of the
    device's name is enough. An athlete's name means the athlete's latest session, `latest` the latest one of all.

    Impacts are peaks of the acceleration of the lower leg that wears the device, without gravity, at each of its contacts. They are an
    indicator, not a force: 104 samples a second miss a part of each peak. Compare sessions of one device. Clipped peaks are counted apart.

    A session is undated if no computer has set the device's clock, or if computers set different times. --date saves a manual date. It
    also dates the other sessions recorded since the device was switched on; the latest entry counts.

    Every correction is kept with what was there before, and can be undone.

    \b
    Example:  retrostep session C8D9/12
              retrostep session latest Ada
              retrostep session C8D9/12 --date "2026-11-20 18:30"
              retrostep session C8D9/12 --exclude "in the car"
              retrostep session C8D9/12 --history
    """
    names = session_names(words)
    if len(names) > 1:
        raise click.UsageError("Name one session. A name with spaces needs quotes.")
    correction = _correction(options)
    with (reading if correction is None else entering)(store_url) as store, saving(store):
        row = store.find_session(names[0])
        saved = [] if correction is None else _correct(store, row, correction, options)
        detail = store.detail(store.find_session(row.name))
        history = store.history(row)
    for line in saved:
        click.echo(clean(line), err=as_json)
    if as_json:
        print_json({**detail_dict(detail), "history": [history_dict(one) for one in history]})
        return
    if saved and not show_history:
        return
    if show_history:
        lines = _history(detail, history)
    else:
        for line in columns(_facts(detail), (10, 0)):
            echo(line, 0 if line.startswith(" ") else 12)
        lines = _lines(detail)
    for line in lines:
        echo(line, 12)


def _correction(options: dict[str, Any]) -> str | None:
    """Which correction the options ask for; None for none. UsageError where they do not fit together."""
    given = [name for name in _CORRECTIONS if options[name] not in (None, False)]
    if len(given) > 1:
        raise click.UsageError("Give only one of --date, --no-date, --exclude, --include, --athlete, --as-assigned, --mark and --no-mark.")
    if options["clock_was_wrong"] and given != ["date"]:
        raise click.UsageError("--clock-was-wrong needs --date.")
    if options["why"] and (not given or given == ["exclude"]):
        raise click.UsageError("--exclude has its reason already." if given else "--why needs a correction, such as --date or --include.")
    if options["date"] is not None and not 2020 <= options["date"].year < 2100:
        raise click.UsageError("--date lies between 2020 and 2099.")
    if options["exclude"] is not None and not options["exclude"].strip():
        raise click.UsageError("--exclude needs a reason.")
    if max(len(options["why"]), len(options["exclude"] or "")) > MAX_TEXT_LENGTH:
        raise click.UsageError(f"A reason has at most {MAX_TEXT_LENGTH} characters.")
    return given[0] if given else None


def _correct(store: Store, row: SessionRow, correction: str, options: dict[str, Any]) -> list[str]:
    """Make a correction. Return lines: what is saved now and what was there before, and which other sessions moved. Raises Unchanged."""
    value, by = options[correction], {"who": login_name(), "why": options["why"]}
    worn_by = store.detail(row).athlete or "not assigned"
    moved: list[str] = []
    if correction in ("date", "no_date"):
        starts = _starts(store, row)
        if correction == "date":
            _confirm_date(store, row, to_ms(value), options["yes"])
            store.set_manual_date(row, value, clock_was_wrong=options["clock_was_wrong"], **by)
        else:
            store.withdraw_manual_date(row, **by)
        now, before = _starts(store, row), starts.pop(row.name)
        done = f"started at {local_time(to_ms(value))}" if correction == "date" else f"has no manual date: {now[row.name]}"
        moved = [f"Also moved: session {name}: {start} -> {now[name]}." for name, start in starts.items() if now[name] != start]
    elif correction == "exclude":
        before = _excluded(row)
        store.exclude(row, value, who=by["who"])
        done = f"is left out of the check: {value}{still_counting(row)}"
    elif correction == "include":
        if row.excluded_why is None:
            raise RetrostepError(f"Session {row.name} is not excluded.")
        before = _excluded(row)
        store.include(row, **by)
        done = "is checked again"
    elif correction == "athlete":
        done, before = f"is {store.set_session_athlete(row, value, **by)}'s", worn_by
    elif correction == "as_assigned":
        name = store.detail(store.unset_session_athlete(row, **by)).athlete
        done, before = "is " + ("not assigned" if name is None else f"{name}'s, as its device is assigned"), worn_by
    else:
        is_set = correction == "mark"
        store.set_mark(row, value, is_set, **by)
        done, before = f"has {'a' if is_set else 'no'} {value.replace('_', '-')} mark", "no mark" if is_set else "a mark"
    return [f"Saved: session {row.name} {done} (before: {before}).", *moved]


def _starts(store: Store, row: SessionRow) -> dict[str, str]:
    """When each session of the same device started, in words, by name."""
    return {other.name: when(other) for other, _ in store.sessions(device=row.device)}


_CLOCK_TOLERANCE_MS = 3_600_000
"""A manual date may differ by so much (1 hour) from a computer's clock without a question."""


def _confirm_date(store: Store, row: SessionRow, began_ms: int, yes: bool) -> None:
    """Ask where a manual date contradicts every computer that set the device's clock. Raises RetrostepError, Abort (see `confirm`)."""
    starts = store.clock_starts(row)
    nearest = min(starts, key=lambda start_ms: abs(start_ms - began_ms), default=began_ms)
    differs_ms = abs(nearest - began_ms)
    if differs_ms > _CLOCK_TOLERANCE_MS:
        facts = f"A computer's clock dates session {row.name} at {local_time(nearest)}, which is {duration(differs_ms)} from that date."
        confirm(facts, "Is the clock wrong?", yes, "--yes")


def _excluded(row: SessionRow) -> str:
    return "checked" if row.excluded_why is None else f"left out: {row.excluded_why}"


def _history(detail: SessionDetail, history: list[HistoryRow]) -> Iterator[str]:
    """What was entered and corrected, the first entry first."""
    if not history:
        yield f"Nothing was entered or corrected for session {detail.session.name}."
        return
    rows = ((local_time(one.at_ms), one.who or "unknown", history_text(one)) for one in history)
    yield from columns([("AT", "WHO", "WHAT"), *rows], (16, 10, 0))


def _started(row: SessionRow) -> str:
    """When the session started. For an undated one: why, and how to date it."""
    if row.started_at_ms is not None:
        return when(row)
    why = "computers set the device's clock to different times" if row.clock_spread_ms else "no computer had set the device's clock"
    return f"{when(row)} ({why}). {cure(Undated('', session=row.name))}"


def _lines(detail: SessionDetail) -> Iterator[str]:
    """Bouts, events and notes."""
    if detail.bouts:
        yield ""
        yield from columns([("FROM", "TO", "DIRECTION", "STEPS", "CADENCE", "TOP")], _BOUT_WIDTHS)
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
        yield from columns(bouts, _BOUT_WIDTHS)
    events = [(alert.at_ms, f"alert: {alert_text(alert.kind, alert.severity, alert.measured, alert.limit)}") for alert in detail.alerts]
    events += [(mark.at_ms, f"mark: {named(MARK_NAMES, mark.mark)}") for mark in detail.marks]
    events += [(gap.from_ms, f"gap of {duration(max(0, gap.to_ms - gap.from_ms))}: {named(GAP_NAMES, gap.reason)}") for gap in detail.gaps]
    if events:
        yield ""
        yield from columns(((clock(at_ms), text) for at_ms, text in sorted(events)), (-8, 0))
    if detail.notes:
        yield ""
    for note in detail.notes:
        words = noted(pain=note.pain, rpe=note.rpe, text=note.text, next_day=note.next_day, limp=note.limp, swelling=note.swelling)
        yield clean(f"Note {note.nth}, {local_time(note.noted_at_ms)}: {words}")


def _athlete(detail: SessionDetail) -> str:
    by_hand = " (by hand)" if detail.has_own_athlete else ""
    if detail.athlete is not None:
        return f"{detail.athlete}{by_hand}"
    if detail.imported is not None:
        return f"not assigned{by_hand}: its athlete was removed"
    return f"not assigned{by_hand}. {cure(Unassigned('', device=detail.session.device))}"


def _facts(detail: SessionDetail) -> list[tuple[str, str]]:
    row = detail.session
    steps = f"{row.forward_steps} forward, {row.backward_steps} backward, {row.unknown_steps} of unknown direction"
    facts = [
        ("Session", row.name),
        ("Athlete", _athlete(detail)),
        ("Started", _started(row)),
        ("Length", f"{clock(row.duration_ms)}; {clock(row.forward_ms)} forward, {clock(row.backward_ms)} backward"),
        *_backward(row),
        ("Warm-up", f"{clock(row.warm_up_ms)} forward before the first backward bout"),
        ("Steps", steps),
        ("Cadence", f"{cadence(row.backward_cadence_x10)} backward (median)" if row.backward_cadence_x10 else "none backward"),
        *zip(("Impacts", "", ""), (impact_text(found) for found in impacts(detail.loads)), strict=False),
        ("Marks", ", ".join(mark.replace("_", "-") for mark, column in MARKS.items() if getattr(row, column)) or "none"),
        *(_of_device(row) if detail.imported is None else [("Imported", origin_text(detail.imported))]),
        ("Quality", "; ".join(shortcomings(row)) or "complete"),
    ]
    if row.excluded_why is not None:
        facts.insert(1, ("Excluded", f"left out of the check: {row.excluded_why}{still_counting(row)}"))
    if row.nth_generation > 1:
        facts.insert(1, ("Generation", f"{row.nth_generation} of {row.device}: its flash was erased, and its numbers started at 1 again"))
    return facts


def _backward(row: SessionRow) -> list[tuple[str, str]]:
    if not row.backward_ms:
        return []
    walking, running = clock(row.backward_walk_ms), clock(row.backward_ms - row.backward_walk_ms)
    stage = f"; stage: {GAIT_NAMES[row.backward_stage]}" if row.backward_stage else ""
    return [("Backward", f"{walking} walking, {running} jogging or running{stage}")]


def _of_device(row: SessionRow) -> list[tuple[str, str]]:
    return [
        ("Ended", named(END_NAMES, row.end_reason) or "not ended when it was synced"),
        ("Worn", f"{named(PLACEMENT_NAMES, row.placement)} {named(SIDE_NAMES, row.side)}".strip()),
        ("Mount", f"{row.mount}, as declared" if not row.found_mount else f"found {row.found_mount}, declared {row.mount}"),
        *zip(("Limits", "", "", ""), limits_lines(row.limits), strict=False),
        ("Counted by", f"{row.board}, firmware {row.core_version} ({row.core_hash})"),
    ]
