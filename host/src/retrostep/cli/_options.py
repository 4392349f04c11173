"""Options that several commands share."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from retrostep.archive.identifiers import LATEST
from retrostep.errors import NoAccess, RetrostepError
from retrostep.training.dates import day_start_ms

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    envvar="RETROSTEP_STORE",
    help="Use this store: sqlite:///PATH or postgresql://USER@HOST/NAME (default: RETROSTEP_STORE, or in the data folder).",
)

YEARS = (1971, 2099)
"""The years that a date may have. No device was worn before, and times near the ends of datetime's range cannot be converted."""


class LocalMoment(click.ParamType[datetime]):
    """A local date, or date and time: `2026-11-20`, `2026-11-20 17:30`. With a UTC offset it is that moment: `2026-11-20T17:30+01:00`."""

    name = "date"

    def __init__(self, *, is_past: bool = False) -> None:
        """`is_past`: a moment in the future is refused."""
        self.is_past = is_past

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment with its time zone; a date is the beginning of that day. A local time that does not exist, or exists twice, fails."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            if not YEARS[0] <= moment.year <= YEARS[1]:
                self.fail(f"{ascii(value)} is too far away: dates lie between {YEARS[0]} and {YEARS[1]}.", param, ctx)
            if moment.tzinfo is not None:
                moment = moment.astimezone()
            elif _is_date(value):
                moment = datetime.fromtimestamp(day_start_ms(moment.toordinal()) / 1_000, UTC).astimezone()
            else:
                moment = self._clear(moment, param, ctx)
        except (ValueError, OverflowError):
            self.fail(f"{ascii(value)} is no date: write 2026-11-20, or '2026-11-20 17:30'.", param, ctx)
        if self.is_past and moment > datetime.now(UTC):
            self.fail(f"{ascii(value)} lies in the future.", param, ctx)
        return moment

    def _clear(self, moment: datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The local time `moment` with its time zone, if it exists once."""
        # Not `astimezone` of the local time: it is wrong for times that do not exist.
        first, second = sorted(datetime.fromtimestamp(moment.replace(fold=fold).timestamp(), UTC).astimezone() for fold in (0, 1))
        if first.replace(tzinfo=None) != moment:
            choice = f"write '{first:%Y-%m-%d %H:%M}' or '{second:%Y-%m-%d %H:%M}'"
            self.fail(f"'{moment:%Y-%m-%d %H:%M}' does not exist: the clocks were put forward then; {choice}.", param, ctx)
        if first != second:
            choice = f"write {first.isoformat(timespec='minutes')} or {second.isoformat(timespec='minutes')}"
            self.fail(f"'{moment:%Y-%m-%d %H:%M}' exists twice: the clocks were put back then; {choice}.", param, ctx)
        return first


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


LOCAL_MOMENT = LocalMoment()
PAST_MOMENT = LocalMoment(is_past=True)


class NewFile(click.Path):
    """The file that a command writes. An empty name, which would be the folder, and `-`, as other programs call stdout, fail."""

    def __init__(self) -> None:
        """Its value is a Path."""
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if value in ("", "-"):
            self.fail(f"{value!r} is no name of a file: write one.", param, ctx)
        return super().convert(value, param, ctx)


class WholeNumber(click.IntRange):
    """A whole number within a range. Anything else fails with the range in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            most = "on" if self.max is None else f"to {self.max}"
            self.fail(f"{ascii(str(value)[:60])} is not in the range from {self.min} {most}: write a whole number.", param, ctx)


class Limit(click.ParamType[tuple[float, str]]):
    """A rule's limit: a number with its unit (`15`, `15%`, `5min`, `90s`), as (number, unit). A time becomes (seconds, "s")."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, str]:
        """(number, unit); the unit is empty for a bare number."""
        if isinstance(value, tuple):
            return value
        parts = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*(%|s|min|h|)", value.strip(), re.ASCII)
        if parts is None:
            self.fail(f"{ascii(value)} is no limit: write a number between 0 and 999999, such as 15, 1.5, 5min or 90s.", param, ctx)
        number, unit = float(parts[1]), parts[2]
        return (number * _SECONDS[unit], "s") if unit in _SECONDS else (number, unit)


_SECONDS = {"s": 1, "min": 60, "h": 3_600}
LIMIT = Limit()

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


why_option = click.option("--why", default="", metavar="TEXT", help="The reason of a correction; --history shows it.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def athlete_option(help_text: str) -> Decorator:
    """`--athlete NAME`, with what it does to this command."""
    return click.option("--athlete", metavar="NAME", help=help_text)


def session_names(words: Sequence[str]) -> list[str]:
    """The sessions that the words of a command line name, for `Store.find_session`: `latest` takes the athlete that follows it."""
    names: list[str] = []
    for word in words:
        if names and names[-1].casefold() == LATEST and "/" not in word and not word.isdecimal():
            names[-1] += f" {word}"
        else:
            names.append(word)
    return names


class RuleName(click.Choice[str]):
    """The name of a rule. A wrong one fails with the nearest names."""

    name = "rule"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        """The rules, on one line."""
        return f"Rules are {', '.join(self.choices)}."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name."""
        if value not in self.choices:
            close = get_close_matches(str(value), self.choices, 3, 0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else f"rules are {', '.join(self.choices)}."
            self.fail(f"there is no rule {ascii(str(value)[:60])}: {hint}", param, ctx)
        return str(value)


def rule_argument(rules: Sequence[str], *, required: bool = True) -> Decorator:
    """The argument RULE, one of `rules`."""
    return click.argument("rule", type=RuleName(rules), metavar="RULE" if required else "[RULE]", required=required)


@contextmanager
def written_by_option(option: str, what: str, another: str) -> Iterator[None]:
    """Raises RetrostepError where the block may not write `what`. It asks to name `another`, "file" or "folder", with `option`."""
    try:
        yield
    except NoAccess as error:
        why = f"{what} cannot be written there: change the folder's permissions, or name another {another} with {option}."
        raise RetrostepError(why) from error
