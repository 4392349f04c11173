"""How long work tells what it is at."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how much of it is done out of how much (bytes)."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
