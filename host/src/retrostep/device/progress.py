"""How long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, bytes done, bytes in total); a total of 0 is not known yet."""


def no_progress(what: str, done: int, total: int) -> None:
    """A Progress that reports nothing."""
