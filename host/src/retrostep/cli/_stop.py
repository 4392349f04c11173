"""Ctrl-C: what it leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def after_ctrl_c(sentence: str) -> Iterator[None]:
    """On Ctrl-C, `Stopped.` is followed by `sentence`, which says what the command has done so far."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise click.Abort(sentence) from stop
