"""The charts of the report: the load by day against its limit, and the cadence of a session over time."""

from collections.abc import Callable, Sequence

from markupsafe import Markup
from retrostep_core.codes import BACKWARD, FORWARD, UNKNOWN

from retrostep.archive.queries import SessionDetail
from retrostep.archive.schema import EpochRow
from retrostep.output.report.facts import Evidence, LoadDay, ShownSession
from retrostep.output.report.svg import WIDTH, Drawing, round_up, scale
from retrostep.training.dates import day_text, weekday
from retrostep.training.rules.week import WeekLoad
from retrostep.units import alert_text, clock, count, duration

Place = Callable[[float], float]

_LEFT, _RIGHT = 42, WIDTH - 6
_DAY_TOP, _DAY_BASE, _DAY_HEIGHT = 16, 140, 178
_SECONDS = (15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200)
_MINUTES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240)
_MOST_SPM = 240
_MOST_POINTS = 160
"""Of a cadence line: more could not be told apart."""
_NAMED_DAYS = 4
_ROWS = {FORWARD: 108, BACKWARD: 119, UNKNOWN: 130}
_CSS = {FORWARD: "forward", BACKWARD: "backward", UNKNOWN: "undirected"}
_IMPACT_TOP, _IMPACT_BASE = 158, 200


def kind_text(evidence: Evidence) -> str:
    """What the load is: `Backward jogging and running` or `All backward time`."""
    return "Backward jogging and running" if evidence.running else "All backward time"


def evidence_chart(name: str, evidence: Evidence) -> Markup:
    """The load of each day as a bar, the limit of each day as a line, unknown days hatched, and pain below."""
    days = evidence.days
    title = f"{kind_text(evidence)} by day against its limit, {day_text(days[0].day)} to {day_text(days[-1].day)}"
    drawing = Drawing(name, WIDTH, _DAY_HEIGHT, title, evidence_text(evidence))
    loads, limits = [day.load_ms for day in days], [day.limit_ms for day in days if day.limit_ms is not None]
    # A limit far above every load would flatten the bars: it is drawn at the upper edge then.
    most = max([*loads, min(max(limits, default=0), 3 * max(loads)), 0 if max(loads) else max(limits, default=0)])
    top_s = round_up(most / 1_000 or 60, _SECONDS)
    y = scale(0, 1_000 * top_s, _DAY_BASE, _DAY_TOP)
    step = (_RIGHT - _LEFT) / len(days)
    for part in (0, 0.5, 1):
        at = y(1_000 * top_s * part)
        drawing.add("path", css="grid", d=f"M{_LEFT} {at:.1f}H{_RIGHT}")
        drawing.text(_LEFT - 3, at + 3, clock(round(1_000 * top_s * part)), anchor="end")
    for n, day in enumerate(days):
        _draw_day(drawing, day, _LEFT + n * step, step, y)
    drawing.add("path", css="limit", d=_limit_path(days, step, y))
    for n, day in enumerate(days):
        if (n - len(days)) % 7 == 0:
            drawing.add("path", css="grid", d=f"M{_LEFT + n * step:.1f} {_DAY_BASE}v6")
            drawing.text(_LEFT + n * step, _DAY_HEIGHT - 4, day_text(day.day)[5:])
    drawing.text(_LEFT - 3, _DAY_BASE + 15, "pain", anchor="end")
    return drawing.markup()


def _draw_day(drawing: Drawing, day: LoadDay, x: float, step: float, y: Place) -> None:
    left, width = x + 1, step - 2
    if day.unknown:
        drawing.add("rect", css="unknown", x=x, y=_DAY_TOP, width=step, height=_DAY_BASE - _DAY_TOP)
        drawing.text(x + step / 2, _DAY_TOP - 3, "?", anchor="middle")
    if day.load_ms:
        kept = y(day.load_ms - day.over_ms)
        drawing.add("rect", css="load", x=left, y=kept, width=width, height=_DAY_BASE - kept, hint=day_words(day))
        if day.over_ms:
            drawing.add("rect", css="over", x=left, y=y(day.load_ms), width=width, height=kept - y(day.load_ms), hint=day_words(day))
    if day.pain is not None or day.is_hurt:
        drawing.add("circle", css="pain", cx=x + step / 2, cy=_DAY_BASE + 11, r=6.5, hint=day_words(day))
        drawing.text(x + step / 2, _DAY_BASE + 14.5, pain_words(day.pain, day.is_hurt), "on-pain", "middle")


def _limit_path(days: Sequence[LoadDay], step: float, y: Place) -> str:
    """A step for each day that has a limit."""
    path, is_on = "", False
    for n, day in enumerate(days):
        x = _LEFT + n * step
        if day.limit_ms is not None:
            path += f"{'V' if is_on else f'M{x:.1f} '}{y(day.limit_ms):.1f}H{x + step:.1f}"
        is_on = day.limit_ms is not None
    return path or "M0 0"


def pain_words(pain: int | None, is_hurt: bool) -> str:
    """`6`, or `6!` with limping or swelling."""
    return f"{'' if pain is None else pain}{'!' if is_hurt else ''}"


def day_words(day: LoadDay) -> str:
    """`Fri 2026-11-27: 2 min 20 s, above the limit of 1 min 7 s (session_spike); pain 6; not synced since`."""
    words = [duration(day.load_ms) if day.load_ms else "no load"]
    if day.limit_ms is not None:
        words[0] += f", {'above the limit' if day.over_ms else 'limit'} {duration(day.limit_ms)} ({day.limited_by})"
    if day.pain is not None:
        words.append(f"pain {day.pain}")
    words += ["limp or swelling"] if day.is_hurt else []
    words += [day.unknown] if day.unknown else []
    return f"{weekday(day.day)} {day_text(day.day)}: {'; '.join(words)}"


def evidence_text(evidence: Evidence) -> str:
    """The chart in words."""
    days = evidence.days
    over = [day.day for day in days if day.over_ms]
    hurt = [day.day for day in days if day.pain is not None or day.is_hurt]
    unknown = sum(bool(day.unknown) for day in days)
    words = [
        f"{duration(sum(day.load_ms for day in days))} on {count(sum(bool(day.load_ms) for day in days), 'day')}",
        f"above the limit on {_days_text(over)}" if over else "no day above its limit",
        f"{count(unknown, 'day')} not known completely" if unknown else "every day is known",
    ]
    words += [f"pain noted on {_days_text(hurt)}"] if hurt else []
    return "; ".join(words) + "."


def _days_text(days: Sequence[int]) -> str:
    """A few days by date, many by their number."""
    return ", ".join(map(day_text, days)) if len(days) <= _NAMED_DAYS else f"{len(days)} days"


def month_strip(name: str, evidence: Evidence) -> Markup:
    """The same chart without words, as high as a line of text."""
    days, height = evidence.days, 30
    drawing = Drawing(name, 4 * len(days), height, evidence_text(evidence), css="strip")
    y = scale(0, max(day.load_ms for day in days) or 1, height - 6, 2)
    for n, day in enumerate(days):
        if day.unknown:
            drawing.add("rect", css="unknown", x=4 * n, y=0, width=4, height=height - 6)
        if day.load_ms:
            css = "over" if day.over_ms else "load"
            drawing.add("rect", css=css, x=4 * n + 0.5, y=y(day.load_ms), width=3, height=height - 6 - y(day.load_ms))
        if day.pain is not None or day.is_hurt:
            drawing.add("circle", css="pain", cx=4 * n + 2, cy=height - 2.5, r=2.5)
    drawing.add("path", css="grid", d=f"M0 {height - 6}H{4 * len(days)}")
    return drawing.markup()


def week_text(load: WeekLoad) -> str:
    """`3 min 4 s of 5 min (61 %)`."""
    if load.limit_ms is None:
        return duration(load.now_ms)
    percent = f" ({round(100 * load.now_ms / load.limit_ms)} %)" if load.limit_ms else ""
    return f"{duration(load.now_ms)} of {duration(load.limit_ms)}{percent}"


def session_chart(name: str, shown: ShownSession) -> Markup:
    """Cadence over time, coloured by direction; below it the direction of each bout, and the impacts where they were measured."""
    session = shown.session
    has_impacts = any(load.count for detail in shown.details for load in detail.loads)
    height = (_IMPACT_BASE if has_impacts else _ROWS[UNKNOWN] + 4) + 14
    title = f"Cadence and direction over time, {day_text(session.day)}"
    drawing = Drawing(name, WIDTH, height, title, session_text(shown))
    length_ms = max(session.end_ms - session.start_ms, 1_000)
    x = scale(0, length_ms, _LEFT, _RIGHT)
    top_spm = min(_MOST_SPM, round_up(max((e.cadence_x10 / 10 for d in shown.details for e in d.epochs), default=160), (40, 60)))
    y = scale(0, top_spm, 96, 14)
    for spm in (0, top_spm // 2, top_spm):
        drawing.add("path", css="grid", d=f"M{_LEFT} {y(spm):.1f}H{_RIGHT}")
        drawing.text(_LEFT - 3, y(spm) + 3, str(spm), anchor="end")
    for direction, label in ((FORWARD, "forward"), (BACKWARD, "back")):
        drawing.text(_LEFT - 3, _ROWS[direction] + 3, label, anchor="end")
    for detail in shown.details:
        offset_ms = (detail.session.started_at_ms or 0) - session.start_ms
        _draw_recording(drawing, detail, offset_ms, x, y)
        if has_impacts:
            _draw_impacts(drawing, detail, offset_ms, x)
    minute = round_up(length_ms / 60_000, _MINUTES) // 4 or 1
    for at in range(0, int(length_ms / 60_000) + 1, minute):
        place = x(60_000 * at)
        drawing.text(
            place, height - 2, f"{at} min" if at else "0", anchor="start" if not at else "end" if place > _RIGHT - 20 else "middle"
        )
    return drawing.markup()


def _draw_recording(drawing: Drawing, detail: SessionDetail, offset_ms: int, x: Place, y: Place) -> None:
    lines: dict[int, str] = {}
    at, before = x(offset_ms), None
    for end_ms, spm, direction in _cadences(detail.epochs):
        end = x(offset_ms + end_ms)
        if spm:
            joined = f"V{y(spm):.1f}" if before == direction else f"M{at:.1f} {y(spm):.1f}"
            lines[direction] = f"{lines.get(direction, '')}{joined}H{end:.1f}"
        at, before = end, direction if spm else None
    for direction, path in lines.items():
        drawing.add("path", css=f"line {_CSS[direction]}", d=path)
    bands: dict[int, str] = {}
    for bout in detail.bouts:
        if bout.direction in _ROWS:
            start = x(offset_ms + bout.start_ms)
            width = max(0.6, x(offset_ms + bout.end_ms) - start)
            bands[bout.direction] = f"{bands.get(bout.direction, '')}M{start:.1f} {_ROWS[bout.direction]}h{width:.1f}"
    for direction, path in bands.items():
        drawing.add("path", css=f"band {_CSS[direction]}", d=path)
    for gap in detail.gaps:
        start = x(offset_ms + gap.from_ms)
        width = max(1, x(offset_ms + gap.to_ms) - start)
        drawing.add("rect", css="unknown", x=start, y=14, width=width, height=120, hint="not recorded")
    for alert in detail.alerts:
        place = x(offset_ms + alert.at_ms)
        hint = f"{clock(alert.at_ms)} {alert_text(alert.kind, alert.severity, alert.measured, alert.limit)}"
        drawing.add("path", css="alert", d=f"M{place:.1f} 13l-4 -8h8z", hint=hint)
        drawing.add("path", css="alert-line", d=f"M{place:.1f} 13V{_ROWS[UNKNOWN]}")


def _draw_impacts(drawing: Drawing, detail: SessionDetail, offset_ms: int, x: Place) -> None:
    """A dot for each 10 s and direction: the mean peak of the axial tibial acceleration."""
    top_g = round_up(max((load.axial_mean_g8 / 8 for load in detail.loads if load.count), default=1), (2, 4, 8))
    y = scale(0, top_g, _IMPACT_BASE, _IMPACT_TOP)
    for g in (0, top_g):
        drawing.add("path", css="grid", d=f"M{_LEFT} {y(g):.1f}H{_RIGHT}")
        drawing.text(_LEFT - 3, y(g) + 3, f"{g} g", anchor="end")
    dots: dict[int, str] = {}
    for load in detail.loads:
        if load.count and load.direction in _CSS:
            place = x(offset_ms + load.t_ms)
            dots[load.direction] = f"{dots.get(load.direction, '')}M{place:.1f} {y(load.axial_mean_g8 / 8):.1f}h0"
    for direction, path in dots.items():
        drawing.add("path", css=f"dots {_CSS[direction]}", d=path)


def _cadences(epochs: Sequence[EpochRow]) -> list[tuple[int, float, int]]:
    """(end in ms, steps a minute, direction) of each stretch of epochs; several epochs in one where there are many.

    The direction is the one with the most time. Stretches without a cadence have 0.
    """
    found = []
    size = -(-len(epochs) // _MOST_POINTS) or 1
    forward = backward = 0
    for first in range(0, len(epochs), size):
        stretch = epochs[first : first + size]
        known = [epoch.cadence_x10 for epoch in stretch if epoch.cadence_x10]
        ahead, back = stretch[-1].forward_ms - forward, stretch[-1].backward_ms - backward
        forward, backward = stretch[-1].forward_ms, stretch[-1].backward_ms
        direction = UNKNOWN if not ahead and not back else BACKWARD if back > ahead else FORWARD
        found.append((stretch[-1].t_ms, sum(known) / len(known) / 10 if known else 0.0, direction))
    return found


def session_text(shown: ShownSession) -> str:
    """The chart in words."""
    session = shown.session
    words = [f"{duration(session.backward_ms)} backward and {duration(session.forward_ms)} forward"]
    if session.cadence_x10:
        words.append(f"median backward cadence {round(session.cadence_x10 / 10)} steps a minute")
    words.append(count(sum(len(detail.alerts) for detail in shown.details), "alert"))
    if session.contacts:
        words.append(f"mean backward impact {session.impact_g8 / session.contacts / 8:.1f} g")
    return "; ".join(words) + "."
