"""Which bytes of which logs to ask a device for next, and the answers in order. It does no input or output."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from retrostep.errors import Refused

READ_BYTES = 4096
"""Bytes of one READ request. Four requests in flight keep a line of 500 kB/s busy over a round trip of 30 ms. If the host is killed,
their answers leave a line of 115,200 bit/s within 1.5 s."""


@dataclass
class _Part:
    """A part of a log, up to byte `end`: it was returned up to `returned`, asked for up to `asked`. `early` holds later bytes by offset."""

    session: int
    returned: int
    asked: int
    end: int
    early: dict[int, bytes] = field(default_factory=dict)
    refused: Refused | None = None


@dataclass
class Read:
    """A READ request for bytes `start` to `end` of a log. `start` moves up as the answers arrive. `is_repeat`: it was sent before."""

    part: _Part
    start: int
    end: int
    is_repeat: bool = False

    @property
    def session(self) -> int:
        """Number of the session whose log is read."""
        return self.part.session


class ReadQueue:
    """Parts of several logs, read one after the other without a pause. What was lost on the line is asked for again.

    in_flight   READ requests without a complete answer, by their id, in the order in which they were sent
    """

    def __init__(self, wanted: Iterable[tuple[int, int, int]]) -> None:
        """`wanted`: (session, offset, length) of each part."""
        self.in_flight: dict[int, Read] = {}
        self._parts = [_Part(session, offset, offset, offset + length) for session, offset, length in wanted]
        self._first = 0  # the part to return next
        self._asking = 0  # the part to ask for next
        self._lost: list[Read] = []

    @property
    def is_done(self) -> bool:
        """Whether every part was returned."""
        return self._first == len(self._parts)

    def next_read(self) -> Read | None:
        """The next request to send: a lost one first. None if everything was asked for."""
        while self._lost:
            lost = self._lost.pop(0)
            end = min(lost.end, lost.part.end)
            if lost.start < end:
                return Read(lost.part, lost.start, end, is_repeat=True)
        while self._asking < len(self._parts):
            part = self._parts[self._asking]
            start = part.asked
            if start < part.end:
                part.asked = min(part.end, start + READ_BYTES)
                return Read(part, start, part.asked)
            self._asking += 1
        return None

    def put_data(self, number: int, offset: int, data: bytes) -> bool:
        """An answer with the bytes of a log from `offset` on. The last answer to a request is complete or empty.

        False if the answer is not one to this request, and is ignored.
        """
        read = self._answered(number)
        if not read.start <= offset <= offset + len(data) <= read.end:
            return False
        if offset > read.start:
            self._lost.append(Read(read.part, read.start, offset))
        read.start = offset + len(data)
        if data:
            read.part.early[offset] = data
        else:
            read.part.end = min(read.part.end, offset)  # the log ends here
        if read.start == read.end or not data:
            del self.in_flight[number]
        return True

    def put_refusal(self, number: int, refused: Refused) -> None:
        """An answer that ends its part: the device gives no more of that log."""
        read = self._answered(number)
        del self.in_flight[number]
        read.part.refused = refused
        read.part.end = read.part.returned

    def lose_all(self) -> None:
        """Ask again for everything in flight."""
        self._lost += self.in_flight.values()
        self.in_flight.clear()

    def take(self) -> Iterator[tuple[int, bytes | Refused | None]]:
        """(session, bytes) in order as far as they have arrived; (session, None) or (session, Refused) at the end of a part."""
        while not self.is_done:
            part = self._parts[self._first]
            while part.returned in part.early:
                data = part.early.pop(part.returned)
                part.returned += len(data)
                yield part.session, data
            if part.returned < part.end:
                return
            self._first += 1
            yield part.session, part.refused

    def _answered(self, number: int) -> Read:
        """The request `number`. Answers come in the order of the requests, so the earlier ones have lost the rest of theirs."""
        while (oldest := next(iter(self.in_flight))) != number:
            self._lost.append(self.in_flight.pop(oldest))
        return self.in_flight[number]
