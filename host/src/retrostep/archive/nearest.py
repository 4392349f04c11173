"""The known names that a mistyped one is nearest to."""

from collections.abc import Iterable
from difflib import get_close_matches

from retrostep.archive.identifiers import person_likeness

MOST_KNOWN = 10
"""Number of names that are listed where none is near."""


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to three of `names`: those that contain `wanted`, then those spelled like it: the whole name, one of its words, or its end."""
    names = list(names)
    key, by_key = person_likeness(wanted), dict[str, list[str]]()
    containing = [name for name in names if key and key in person_likeness(name)]
    for name in names:
        whole = person_likeness(name)
        for part in {whole, *whole.split(), whole[-len(key) :]}:
            by_key.setdefault(part, []).append(name)
    close = [name for part in get_close_matches(key, by_key, 3, 0.6) for name in by_key[part]]
    return list(dict.fromkeys(containing + close))[:3]


def hint(wanted: str, names: Iterable[str]) -> str:
    """A question or a list for a message: the names nearest to `wanted`, else the first ones."""
    names = list(names)
    if close := nearest(wanted, names):
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return "there are none yet"
    return f"known: {', '.join(names[:MOST_KNOWN])}{' ...' if len(names) > MOST_KNOWN else ''}"
