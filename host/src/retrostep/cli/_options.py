"""Options that several commands share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
store_option = click.option(
    "--store", "store_url", metavar="URL", help="The store to use, sqlite:///PATH (default: the one in the data folder)."
)


YEARS = (1971, 2099)
"""No device was worn before or is after: what lies a history or a time zone beyond these is still a date."""


class LocalMoment(click.ParamType[datetime]):
    """A date, or date and time, of the coach's calendar: `2026-11-20`, `2026-11-20 17:30`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment with its time zone; a date is its midnight."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            if not YEARS[0] <= moment.year <= YEARS[1]:
                self.fail(f"{ascii(value)} is too far away: dates lie between {YEARS[0]} and {YEARS[1]}.", param, ctx)
            return moment if moment.tzinfo is not None else moment.astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{ascii(value)} is no date: write 2026-11-20, or '2026-11-20 17:30'.", param, ctx)


LOCAL_MOMENT = LocalMoment()

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def athlete_option(help_text: str) -> Decorator:
    """`--athlete NAME`, with what it does to this command."""
    return click.option("--athlete", metavar="NAME", help=help_text)
