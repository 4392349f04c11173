"""The question who wears a device that is new."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from retrostep.archive.nearest import nearest
from retrostep.cli._ask import can_ask
from retrostep.cli._cures import sentence
from retrostep.cli._who import login_name
from retrostep.errors import AthleteNotFound, NotFound, RetrostepError
from retrostep.output.lines import echo
from retrostep.plain_text import clean
from retrostep.sync.sync import SyncResult

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store

_MOST_NAMES = 8
_LATER = "later"


def ask_wearer(store: Store, result: SyncResult) -> bool:
    """Ask which athlete wears the synced device, and assign it. Return whether it is assigned now.

    Only about a device that was never assigned, and only where a person can read the question and answer.
    """
    if not (result.never_assigned and _is_at_a_terminal()):
        return False
    name = f"{result.device} ({result.nickname})" if result.nickname else result.device
    echo(f"{name} is new. Which athlete wears it? {_suggested(store, result.nickname)}", err=True)
    while True:
        try:
            typed = " ".join(str(click.prompt("Athlete", default=_LATER, err=True)).split())
            if typed.casefold() == _LATER:
                return False
            athlete = _athlete(store, typed)
        except click.Abort:
            click.echo(err=True)
            return False
        if athlete is not None:
            store.assign(result.device, athlete, who=login_name())
            echo(f"{result.device} is assigned to {athlete}, all its sessions included.")
            return True


def _is_at_a_terminal() -> bool:
    """Whether a person can read a question and answer it."""
    return can_ask() and sys.stderr.isatty()


def _suggested(store: Store, nickname: str) -> str:
    """A sentence that suggests athletes: those with a name like the device's nickname, else those without a device."""
    known = [row.name for row in store.athletes()]
    worn = {one.athlete for one in store.assignments() if one.to_at_ms is None}
    alike = dict.fromkeys(name for word in nickname.split() for name in nearest(word, known))
    names = list(alike) or [name for name in known if name not in worn]
    if not names:
        return "Type a name."
    return f"Perhaps {', '.join(names[:_MOST_NAMES])}{' ...' if len(names) > _MOST_NAMES else ''}."


def _athlete(store: Store, typed: str) -> str | None:
    """The athlete with that name, who is added if the person agrees; None to ask again. Raises Abort."""
    try:
        return store.find_athlete(typed).name
    except AthleteNotFound as unknown:
        echo(str(unknown), err=True)
    except NotFound as removed:
        echo(sentence(removed), err=True)
        return None
    if not click.confirm(clean(f"Add {typed} as a new athlete?"), default=False, err=True):
        return None
    try:
        return store.add_athlete(typed)
    except RetrostepError as refused:
        echo(str(refused), err=True)
        return None
