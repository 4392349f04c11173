"""Removing a person for good: from the event journal, from the store that is derived from it, and from quarantine.

1. The journal is read from its beginning, so that an entry is known to be about the person whatever the name was at that time.
2. Entries about the person are removed: name, limits, removals. An assignment becomes one to nobody, because it ends the one before.
3. Notes of the person's sessions are removed, with what was corrected about them and the reasons. The recordings stay, without a name.
   Imported activities of the person are removed with everything about them, because nothing else is left of them.
4. The name is removed from free text of the other entries.
5. The store is written again from the changed journal; copies of older stores in quarantine that hold the name are deleted.
"""

import json
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from retrostep.archive.corrections import ATHLETE, EXCLUDED, SessionKey
from retrostep.archive.data_dir import DataDir
from retrostep.archive.database_logs import DatabaseLogs
from retrostep.archive.durable_files import file_errors, write_atomically
from retrostep.archive.event_journal import Entry, EventJournal
from retrostep.archive.identifiers import IMPORTED, person_key
from retrostep.archive.store import Store

REMOVED = "(removed)"
"""In place of a name, or of a reason, in text that stays."""

_NAMED = {
    "athlete": "name",
    **dict.fromkeys(("assign", "override", "reset", "rename", "remove", "accept", "revoke", "limits", "import"), "athlete"),
}
"""By the kind of an entry: the field that names an athlete."""

_ABOUT_PERSON = {"athlete", "override", "reset", "rename", "remove", "accept", "revoke"}
_OF_NOTES = {"note", "note_change"}
_TEXTS = {"why", "who", "text", "file"}


@dataclass
class Forgotten:
    """What was removed, and what was not reached.

    entries    how many entries of the journal were changed or removed
    sessions   how many recordings have no name now
    unreached  files beside the store that hold the name still
    """

    entries: int
    sessions: int
    unreached: list[Path] = field(default_factory=list)


def forget_athlete(store: Store, name: str) -> Forgotten:
    """Remove the athlete `name` for good. It cannot be undone. Raises AthleteNotFound.

    After a power cut the journal is as before or without the person; in the second case the store is written again when it is opened.
    """
    if any(row.removed for row in store.athletes_named(name)):
        store.restore_athlete(name)  # so that the store knows which sessions are the person's
    found = store.find_athlete(name).name
    sessions = {(row.device, row.generation, row.number) for row, worn_by in store.sessions() if worn_by == found}
    person = _Person.in_journal(store.journal, found)
    changed = store.rewrite_journal(_Change(person, sessions))
    return Forgotten(changed, len(sessions), _clean_files(store, person))


_LETTER = re.compile(r".[\u0300-\u036f]*", re.DOTALL)


def _plain(text: str) -> str:
    """The text decomposed, in compatible letters, without case, and without characters that are not shown (soft hyphens, joiners)."""
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", shown).casefold())


class _Names:
    """Whose name a name is, line after line of the journal: athletes are numbered in the order in which their names appear."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._count = 0

    def number(self, name: object) -> int | None:
        """The number of the athlete who has that name now; None where it is no name."""
        if not isinstance(name, str):
            return None
        key = person_key(name)
        if key not in self._numbers:
            self._count += 1
            self._numbers[key] = self._count
        return self._numbers[key]

    def follow(self, entry: Entry) -> int | None:
        """The number of the athlete whom an entry names, before a renaming takes place."""
        kind = entry["entry"]
        if kind == "correct" and entry.get("what") == ATHLETE:
            return self.number(entry.get("value"))
        number = self.number(entry.get(_NAMED.get(kind, "")))
        if kind == "rename" and number is not None and isinstance(entry.get("name"), str):
            self._numbers.pop(person_key(entry["athlete"]), None)
            self._numbers[person_key(entry["name"])] = number
        return number


@dataclass
class _Person:
    """An athlete in the journal: the number by `_Names`, and every name that the athlete ever had."""

    number: int
    names: set[str]

    @classmethod
    def in_journal(cls, journal: EventJournal, name: str) -> "_Person":
        """The athlete who has that name at the end of the journal."""
        names = _Names()
        had: dict[int, set[str]] = {}
        for line in journal.lines():
            if line.entry is None:
                continue
            number = names.follow(line.entry)
            if number is not None:
                given = (line.entry.get(one) for one in ("name", "athlete", "value"))
                had.setdefault(number, set()).update(one for one in given if isinstance(one, str))
        number = names.number(name) or 0
        return cls(number, {name, *had.get(number, ())})

    def without_names(self, text: str) -> str:
        """The text with every name in it, as whole words, replaced by REMOVED. Where there is none, the text as it is.

        Names are found in upper and lower case, composed and decomposed, in full-width and other compatible letters, with any space
        between their words and with characters that are not shown.
        """
        names = sorted({_plain(name) for name in self.names}, key=len, reverse=True)
        words = "|".join(r"\s+".join(map(re.escape, name.split())) for name in names)
        # Letters with their marks, in plain form, and where each starts in the text.
        letters = list(_LETTER.finditer(text))
        plain = [_plain(letter[0]) for letter in letters]
        starts = list(accumulate(map(len, plain), initial=0))
        kept, reached = [], 0
        for found in re.finditer(rf"(?<!\w)(?:{words})(?![\w\u0300-\u036f])", "".join(plain)):
            first, last = bisect_right(starts, found.start()) - 1, bisect_left(starts, found.end())
            kept += [text[reached : letters[first].start()], REMOVED]
            reached = letters[last - 1].end()
        return "".join([*kept, text[reached:]])


class _Change:
    """What becomes of each entry. It is called once for every entry, in order."""

    def __init__(self, person: _Person, sessions: set[SessionKey]) -> None:
        self._person = person
        self._sessions = sessions
        self._names = _Names()

    def __call__(self, entry: Entry) -> Entry | None:
        """The entry without the person; None where it is removed."""
        kind = entry["entry"]
        is_named = self._names.follow(entry) == self._person.number
        is_of_session = (entry.get("device"), entry.get("life", 0), entry.get("number")) in self._sessions
        is_import_of_person = is_of_session and entry.get("device") == IMPORTED
        if (is_named and kind in _ABOUT_PERSON) or (is_of_session and kind in _OF_NOTES) or is_import_of_person:
            return None
        changed = dict(entry)
        if is_named and kind in ("assign", "limits", "import"):
            changed["athlete"] = None
        if is_named and kind == "assign":
            changed["why"] = ""
        if kind == "correct" and entry.get("what") == ATHLETE:
            if is_named:
                changed["value"] = None
            if self._names.number(entry.get("before")) == self._person.number:
                changed["before"] = None
        elif kind == "correct" and entry.get("what") == EXCLUDED and is_of_session and isinstance(entry.get("before"), str):
            changed["before"] = REMOVED
        if is_of_session and entry.get("why"):
            changed["why"] = REMOVED
        return {name: self._without_name(name, value) for name, value in changed.items()}

    def _without_name(self, name: str, value: Any) -> Any:
        """A field of an entry, with the names removed from free text."""
        if isinstance(value, dict):
            return {inner: self._without_name(inner, text) for inner, text in value.items()}
        if name not in _TEXTS or not isinstance(value, str):
            return value
        return self._person.without_names(value)


def _clean_files(store: Store, person: _Person) -> list[Path]:
    """Remove the names from quarantine. Return the files of the data folder that hold one still; raw logs hold no names."""
    in_bytes = re.compile(b"|".join(re.escape(text) for text in _spellings(person.names)))
    unreached = []
    if isinstance(store.raw, DatabaseLogs):
        store.raw.drop_from_quarantine(lambda piece: in_bytes.search(piece) is not None)
    for path in () if store.path is None else _other_files(store.data_dir, store.path):
        with file_errors(path):
            data = path.read_bytes()
        if not in_bytes.search(data):
            continue
        is_old = path.name.startswith((f"{store.path and store.path.name}", store.journal.path.name))
        if path.parent == store.data_dir.quarantine and is_old:
            with file_errors(path):
                path.unlink()
        elif path.parent == store.data_dir.quarantine and path.suffix == ".txt":
            write_atomically(path, person.without_names(data.decode("utf-8", "replace")).encode())
        else:
            unreached.append(path)
    damaged = (line.raw for line in store.journal.lines() if line.entry is None)
    if any(in_bytes.search(line) for line in damaged):
        unreached.append(store.journal.path)
    return unreached


def _other_files(data_dir: DataDir, store_path: Path) -> Iterable[Path]:
    """The files of the data folder and of quarantine, without the journal, the store and the logs."""
    own = {data_dir.journal, *(store_path.with_name(store_path.name + ending) for ending in ("", "-wal", "-shm"))}
    with file_errors(data_dir.path):
        for folder in (data_dir.path, data_dir.quarantine):
            if folder.is_dir():
                yield from (path for path in sorted(folder.iterdir()) if path.is_file() and path not in own and path.suffix != ".rsl")


def _spellings(names: set[str]) -> Iterable[bytes]:
    """The bytes of names in files: composed, decomposed and full-width, as UTF-8 and as JSON escapes."""
    forms: list[Callable[[str], bytes]] = [str.encode, lambda text: json.dumps(text)[1:-1].encode()]
    written = {unicodedata.normalize(kind, name) for name in names for kind in ("NFC", "NFD", "NFKC", "NFKD")}
    written |= {name.translate(_FULL_WIDTH) for name in written}
    return sorted({form(name) for name in written for form in forms})


_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
"""ASCII as East Asian keyboards write it in full width."""
