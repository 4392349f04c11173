"""Questions to the person at the keyboard. A program that cannot answer gets an error that names the option."""

import sys

import click

from retrostep.errors import RetrostepError
from retrostep.plain_text import clean


def confirm(facts: str, question: str, is_confirmed: bool, option: str) -> None:
    """Return if `option` was given (`is_confirmed`), or if the person at the keyboard says yes to `question`.

    RetrostepError where nobody can be asked; Abort where the answer is no.
    """
    if is_confirmed:
        return
    if not can_ask():
        raise RetrostepError(f"{facts} {question} If so, add {option}.")
    if not click.confirm(clean(f"{facts} {question}"), err=True):
        raise click.Abort("Nothing was changed.")


def retype(facts: str, name: str, is_confirmed: bool, option: str) -> None:
    """As `confirm`, but the person types `name` again."""
    if is_confirmed:
        return
    if not can_ask():
        raise RetrostepError(f"{facts} To do it, add {option}.")
    typed = click.prompt(clean(f"{facts} To do it, type the name again ({name})"), default="", show_default=False, err=True)
    if " ".join(str(typed).split()) != name:
        raise click.Abort("That is another name. Nothing was changed.")


def can_ask() -> bool:
    """Whether a person is at the keyboard."""
    return sys.stdin is not None and sys.stdin.isatty()
