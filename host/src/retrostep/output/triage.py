"""The check as one line an athlete, and as the story of one athlete. Lines fit the terminal; characters that it lacks are replaced."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from retrostep.output.terminal import STYLES
from retrostep.plain_text import clean
from retrostep.training.dates import day_text, weekday
from retrostep.training.finding import OK, AthleteVerdict
from retrostep.training.plan import Allowance
from retrostep.training.review import Review
from retrostep.training.rules.week import WeekLoad
from retrostep.units import clock, duration

UNASSIGNED = "unassigned"
_HEAD = ("verdict", "change", "athlete", "finding", "7 days", "next", "pain", "days")
_FIXED = {"verdict": 7, "change": 6, "7 days": 12, "next": 10, "pain": 4, "days": 4}
_LEAST_NAME, _LEAST_FINDING = 11, 19
_MOST_WIDTH = 120
_GAIT_LETTERS = ("", "w", "j", "r")


@dataclass(frozen=True)
class Characters:
    """What the output can show: bars, the mark of a cut text, and the encoding."""

    bars: str
    zero: str
    cut: str
    encoding: str

    def shown(self, text: str) -> str:
        """`text`, cleaned, as it will stand there: characters that the encoding lacks are written as their codes."""
        return clean(text).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def fitted(self, text: str, width: int) -> str:
        """`text` in exactly `width` columns: padded, or cut with a mark. A wide character takes two columns."""
        shown = self.shown(text)
        if cell_len(shown) <= width:
            return set_cell_size(shown, width)
        return set_cell_size(shown, width - 1) + self.cut


_UNICODE = ("▁▂▃▄▅▆▇█", "·", "…")
_ASCII = ("12345678", ".", "~")


def characters(encoding: str | None = None) -> Characters:
    """The characters for standard output, or for an output with that encoding."""
    name = encoding or sys.stdout.encoding or "ascii"
    try:
        "".join(_UNICODE).encode(name)
    except UnicodeEncodeError:
        return Characters(*_ASCII, name)
    except LookupError:
        return Characters(*_ASCII, "ascii")
    return Characters(*_UNICODE, name)


def width() -> int:
    """How wide lines may be: the terminal, or COLUMNS, or 80."""
    return min(shutil.get_terminal_size((80, 24)).columns, _MOST_WIDTH)


def triage(verdicts: Sequence[AthleteVerdict], on: int, columns: int, shown: Characters) -> Iterator[Text]:
    """A head line, then one line for each verdict, in their order. `on`: the day number of the check."""
    rows = [dict(zip(_HEAD, _cells(verdict, on, shown), strict=True)) for verdict in verdicts]
    need = {
        name: max(cell_len(shown.shown(row[name])) for row in [*rows, dict(zip(_HEAD, _HEAD, strict=True))])
        for name in ("athlete", "finding")
    }
    free = max(columns - sum(_FIXED.values()) - len(_HEAD) + 1, _LEAST_NAME + _LEAST_FINDING)
    name_width = min(need["athlete"], max(_LEAST_NAME, free - need["finding"]))
    widths = {**_FIXED, "athlete": name_width, "finding": free - name_width}
    yield Text(" ".join(shown.fitted(name, widths[name]) for name in _HEAD).rstrip(), "bold")
    for verdict, cells in zip(verdicts, rows, strict=True):
        styles = {"verdict": STYLES[verdict.verdict], "athlete": "bold"}
        line = Text()
        for name in _HEAD:
            line.append(shown.fitted(cells[name], widths[name]), styles.get(name, ""))
            line.append(" ")
        line.rstrip()
        yield line


def _cells(verdict: AthleteVerdict, on: int, shown: Characters) -> tuple[str, ...]:
    top = next((finding for finding in verdict.findings if finding.weight != OK), None)
    headline = "" if top is None else f"{top.headline}{' (accepted)' if top.accepted else ''}"
    review = verdict.review
    first = (verdict.verdict.upper(), "" if review is None else review.change, verdict.athlete or UNASSIGNED, headline)
    if review is None:
        return (*first, "", "", "", "")
    return (*first, week_bar(review.load, shown), _next(review, on), pain_text(review), _days(review.days_without_data))


def week_bar(load: WeekLoad, shown: Characters) -> str:
    """Seven bars, a day each, and the sum as a percentage of the week's limit."""
    most = max(load.by_day_ms)
    steps = len(shown.bars) - 1
    bars = "".join(shown.bars[ms * steps // most] if ms else shown.zero for ms in load.by_day_ms)
    if not load.limit_ms:
        return bars
    percent = round(load.now_ms * 100 / load.limit_ms)
    return f"{bars} {f'{percent}%' if percent < 1_000 else '>999':>4}"


def _next(review: Review, on: int) -> str:
    """`Sun 1:15j`: the day, the longest time and the gait; `+9d 1:15j` after a week; `none` where no session is allowed.

    `if settled` where pain, limping or swelling was noted: no day says when it will have settled.
    """
    allowance = review.next_session
    if review.to_settle:
        return "if settled"
    if allowance.most_s == 0:
        return "none"
    time = "free" if allowance.most_s is None else clock(1_000 * allowance.most_s)
    ahead = allowance.day - on
    return f"{weekday(allowance.day) if ahead < 7 else f'+{ahead}d'} {time}{_GAIT_LETTERS[allowance.gait]}"


def pain_text(review: Review) -> str:
    """The worst pain, with a mark for limping or swelling; `-` where nothing was noted."""
    if review.pain is None and not review.is_hurt:
        return "-"
    return f"{'' if review.pain is None else review.pain}{'!' if review.is_hurt else ''}"


def pain_in_words(review: Review) -> str:
    """As `pain_text`, for a sentence: `2, and limping or swelling`."""
    pain = "" if review.pain is None else str(review.pain)
    hurt = "limping or swelling" if review.is_hurt else ""
    return ", and ".join(filter(None, (pain, hurt))) or "none noted"


def _days(days: int | None) -> str:
    return "30+" if days is None else str(days)


LEGEND = (
    "7 days: backward time by day, % of the week's limit. next: longest session",
    "without a warning; w walk, j jog, r run. pain ! limp or swelling. days: no data.",
)

HURT_LEGEND = "if settled: no backward running before pain, limping or swelling has settled."


def named_sources(verdicts: Iterable[AthleteVerdict]) -> dict[str, str]:
    """The source of every rule that found something, once each, in the order of the findings."""
    return {finding.rule: finding.source for verdict in verdicts for finding in verdict.findings if finding.verdict != OK}


def next_text(allowance: Allowance, gait: str) -> str:
    """`walk up to 10 min on Sun 2026-11-29 (first_exposure)`."""
    day = f"{weekday(allowance.day)} {day_text(allowance.day)}"
    if allowance.most_s == 0:
        return f"no session to {gait} backward in the next weeks ({allowance.rule})"
    if allowance.most_s is None:
        return f"{gait} backward from {day} on, not limited by a rule"
    return f"{gait} backward up to {duration(1_000 * allowance.most_s)} on {day} ({allowance.rule})"
