"""Activity files in XML, read element by element: neither entities nor document types are allowed, and no tree is built."""

from datetime import UTC, datetime
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from retrostep.errors import DamagedFile, UnusableActivity

_MAX_DEPTH = 64
_MAX_NAMES = 2_000
"""Most different names of elements and attributes: the parser keeps each of them in memory."""

_MAX_TOKEN_BYTES = 1_000_000
"""Most bytes of a tag or a comment: the parser keeps all of it in memory. Text comes in pieces."""

_CHUNK_BYTES = 65_536
_MAX_TEXT = 4_000
"""Most characters of an element's text; more are left out. Times, numbers and our own notes are shorter."""


class Elements:
    """Takes the events of the parser. A subclass keeps what matters; names are without their namespace.

    root   the name of the outermost element
    path   the names of the elements around the present one
    """

    def __init__(self) -> None:
        self.root = ""
        self.path: list[str] = []
        self._text: list[str] = []
        self._names: set[str] = set()
        self._length = 0

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element began."""

    def closed(self, name: str, text: str) -> None:
        """An element ended; `text` is what it held after its last inner element."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """For the parser."""
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._names.update((tag, *attributes))
        if len(self._names) > _MAX_NAMES:
            raise UnusableActivity("it has more kinds of elements than an activity can have")
        self.path.append(name)
        self._text, self._length = [], 0
        if len(self.path) > _MAX_DEPTH:
            raise UnusableActivity("its elements are nested more deeply than those of an activity")
        self.opened(name, attributes)

    def data(self, text: str) -> None:
        """For the parser."""
        if self._length < _MAX_TEXT:
            self._text.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        """For the parser."""
        name, text = self.path.pop(), "".join(self._text)[:_MAX_TEXT].strip()
        self._text, self._length = [], 0
        self.closed(name, text)

    def close(self) -> None:
        """For the parser: nothing is left to do."""


def read_elements(data: bytes, target: Elements) -> None:
    """Give the elements of a file to `target`. Raises DamagedFile where it is cut or damaged, UnusableActivity where it is hostile."""
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        for at in range(0, len(data), _CHUNK_BYTES):
            parser.feed(data[at : at + _CHUNK_BYTES])
            if at - parser.parser.CurrentByteIndex > _MAX_TOKEN_BYTES:
                raise UnusableActivity("it has a longer tag or comment than an activity can have")
        parser.close()
    except DefusedXmlException as error:
        raise UnusableActivity("it declares a document type or entities, which no activity needs") from error
    except (ParseError, ValueError, LookupError) as error:
        raise DamagedFile("it is a damaged XML file: it was cut, or its text changed") from error


def number(text: str | None) -> float | None:
    """A number from 0 to a million; None for everything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def moment_ms(text: str) -> int | None:
    """An ISO time, in UTC where it names no zone; None for everything else."""
    try:
        moment = datetime.fromisoformat(text)
        return round(1_000 * (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
