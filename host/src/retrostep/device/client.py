"""A board at the other end of a line: requests, answers, and what arrives in between."""

import random
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

from retrostep_core.gait.limits import Limits
from retrostep_core.link import answers, caller, messages

from retrostep.errors import LinkLost, NoApp, Refused

UNDER_WAY = 4
"""Requests that the device may hold at once (FORMATS.md, "The link")."""
READ_BYTES = 4096
"""Bytes asked for by one READ: four under way keep a line of 500 kB/s busy over a turn of 30 ms, and what a killed host had
asked for is off a line of 115200 baud within 1.5 s."""
FIRST_WAIT_S = 1.0
NEXT_WAIT_S = 0.8
"""Silence after which what is under way counts as lost: before the first answer, and after it."""
PATIENCE_S = 10.0
"""Silence after which the board counts as gone."""
HELLO_EVERY_S = 0.5
CLOCK_TRIES = 3
CLOCK_TURN_S = 0.05
"""A clock that was set within so short a turn needs no second try."""
TEXT_KEPT = 1000
EVENTS_KEPT = 4096
SESSIONS_MOST = 20_000
"""No flash holds as many sessions; a board that lists more makes them up."""


class Wire(Protocol):
    """What a Board talks through; device.open.Line is one. read and write raise LinkLost once the other end is gone."""

    path: str

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting up to `timeout_s`; b"" where nothing came."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    def close(self) -> None:
        """Let go of the line."""


@dataclass
class _Part:
    """A part of a log that is wanted: it was given up to `given`, asked for up to `asked`; `ahead` came before its turn, by offset."""

    session: int
    given: int
    asked: int
    end: int
    ahead: dict[int, bytes] = field(default_factory=dict)
    refused: Refused | None = None


@dataclass
class _Read:
    """A READ under way: bytes `at` to `end` of its part are still due."""

    part: _Part
    at: int
    end: int


class Board:
    """A board that runs Retrostep. Every request raises LinkLost once the board is gone, and Refused where the board says no.

    `on_text` gets the log text that arrives between frames, fit for a terminal. `repeated` counts the requests that had to be sent again.
    """

    def __init__(self, wire: Wire, on_text: Callable[[str], None] | None = None) -> None:
        self.repeated = 0
        self._wire = wire
        self._on_text = on_text
        self._decoder = caller.FrameDecoder()
        self._arrived: deque[tuple[int, int, bytes]] = deque()
        self._events: deque[answers.Event] = deque(maxlen=EVENTS_KEPT)
        self._text = b""
        self._number = random.randrange(255)  # so that answers to a host before us hardly ever fit

    @property
    def path(self) -> str:
        """The path of the board's port."""
        return self._wire.path

    def close(self) -> None:
        """Let go of the board; it goes on counting."""
        self._wire.close()

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def hello(self, patience_s: float = 6.0) -> messages.Hello:
        """Who the board is. Raises NoApp, saying what is there instead, where nothing answers for `patience_s`."""
        until = time.monotonic() + patience_s
        number = self._next_number()
        while time.monotonic() < until and not self._at_prompt():
            self._wire.write(caller.request(number, "HELLO"))
            payload = self._answer(messages.HELLO, number, min(until, time.monotonic() + HELLO_EVERY_S))
            if payload is None:
                continue
            if payload[:1] != bytes([messages.PROTOCOL]):
                raise NoApp(
                    f"The board at {self.path} speaks version {payload[0] if payload else 0} of the link, this computer version "
                    f"{messages.PROTOCOL}: run `pip install --upgrade retrostep`, or `retrostep deploy --board NAME --port {self.path}`."
                )
            hello: messages.Hello = self._unpacked(messages.HELLO, payload)
            return hello
        raise self._no_app()

    def list(self) -> list[answers.Entry]:
        """Every session the board holds, by number."""
        entries: list[answers.Entry] = []
        more = True
        while more:
            page = self._ask(messages.LIST, "LIST", entries[-1].session if entries else 0)
            for entry in page.sessions:
                if entries and entry.session <= entries[-1].session:
                    raise LinkLost(f"The board at {self.path} lists its sessions out of order. {_again(self.path)}")
                entries.append(entry)
            more = page.more and bool(page.sessions) and len(entries) < SESSIONS_MOST
        return entries

    def read(self, session: int, offset: int, length: int) -> Iterator[bytes]:
        """The bytes `offset` to `offset + length` of a session's log as they come, in order; fewer where the log ends before."""
        for _, piece in self.read_logs([(session, offset, length)]):
            if isinstance(piece, Refused):
                raise piece
            if piece is not None:
                yield piece

    def read_logs(self, wanted: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, bytes | Refused | None]]:
        """The parts (session, offset, length) of several logs, one after the other without a pause on the line.

        Yields (session, bytes) as they come, in order, and at a part's end (session, None), or (session, Refused) where the board gives no
        more of it. Up to UNDER_WAY requests are kept under way; what is lost, torn or late on the line is asked for again.
        """
        parts = [_Part(session, offset, offset, offset + length) for session, offset, length in wanted]
        first = asking = 0
        lost: list[tuple[_Part, int, int]] = []
        under_way: dict[int, _Read] = {}
        heard_at = time.monotonic()
        wait_s = FIRST_WAIT_S
        while first < len(parts):
            part = parts[first]
            while part.given in part.ahead:
                piece = part.ahead.pop(part.given)
                part.given += len(piece)
                yield part.session, piece
            if part.given >= part.end:
                yield part.session, part.refused
                first += 1
                continue

            while len(under_way) < UNDER_WAY:
                while asking < len(parts) and parts[asking].asked >= parts[asking].end:
                    asking += 1
                if lost:
                    asked, start, stop = lost.pop(0)
                    self.repeated += 1
                elif asking < len(parts):
                    asked = parts[asking]
                    start = asked.asked
                    stop = asked.asked = min(asked.end, start + READ_BYTES)
                else:
                    break
                stop = min(stop, asked.end)
                if start < stop:
                    number = self._next_number(under_way)
                    under_way[number] = _Read(asked, start, stop)
                    self._wire.write(caller.request(number, "READ", asked.session, start, stop - start))

            frame = self._receive(time.monotonic() + wait_s)
            if frame is None or (frame[:2] == (messages.ERROR, 0) and len(under_way) == 1):  # one that came torn has no id
                if time.monotonic() - heard_at > PATIENCE_S:
                    raise self._silent()
                lost += [(read.part, read.at, read.end) for read in under_way.values()]
                under_way.clear()
                wait_s = wait_s if frame else min(2 * wait_s, PATIENCE_S / 4)
                continue
            kind, number, payload = frame
            read = under_way.get(number)
            if read is None or kind not in (messages.DATA, messages.ERROR):
                continue  # the late answer to a request that was given up
            heard_at = time.monotonic()
            wait_s = NEXT_WAIT_S
            while next(iter(under_way)) != number:  # answers come in the order of the requests: those before it have lost their rest
                skipped = under_way.pop(next(iter(under_way)))
                lost.append((skipped.part, skipped.at, skipped.end))
            if kind == messages.ERROR:
                del under_way[number]
                read.part.refused = self._refused(payload)
                read.part.end = read.part.given
                continue
            data = self._unpacked(messages.DATA, payload)
            if not read.at <= data.offset <= data.offset + len(data.data) <= read.end:
                continue
            if data.offset > read.at:
                lost.append((read.part, read.at, data.offset))
            read.at = data.offset + len(data.data)
            if data.data:
                read.part.ahead[data.offset] = data.data
            else:
                read.part.end = min(read.part.end, data.offset)  # the log ends here
            if read.at == read.end or not data.data:
                del under_way[number]

    def confirm(self, session: int, length: int, crc: int) -> None:
        """Tell the board that these bytes of a session are safe here. Raises Refused (MISMATCH) where its own log is another."""
        for _, refused in self.confirm_logs([(session, length, crc)]):
            if refused is not None:
                raise refused

    def confirm_logs(self, logs: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, Refused | None]]:
        """Confirm several logs (session, length, crc) without a pause between them; (session, None) for each that the board took."""
        waiting = deque(logs)
        under_way: dict[int, tuple[int, bytes]] = {}
        heard_at = time.monotonic()
        wait_s = FIRST_WAIT_S
        while waiting or under_way:
            while waiting and len(under_way) < UNDER_WAY:
                session, length, crc = waiting.popleft()
                number = self._next_number(under_way)
                under_way[number] = session, caller.request(number, "CONFIRM", session, length, crc)
                self._wire.write(under_way[number][1])
            frame = self._receive(time.monotonic() + wait_s)
            if frame is None or frame[:2] == (messages.ERROR, 0):
                if time.monotonic() - heard_at > PATIENCE_S:
                    raise self._silent()
                for _, line in under_way.values():
                    self._wire.write(line)
                self.repeated += len(under_way)
                wait_s = wait_s if frame else min(2 * wait_s, PATIENCE_S / 4)
            elif frame[1] in under_way and frame[0] in (messages.OK, messages.ERROR):
                heard_at = time.monotonic()
                session, _ = under_way.pop(frame[1])
                yield session, None if frame[0] == messages.OK else self._refused(frame[2])

    def set_clock(self, now_s: Callable[[], float] = time.time) -> tuple[int, int]:
        """Set the board's clock to this computer's; (ticks_ms, epoch_ms) tells at which tick of the board it was what time.

        The error is at most the turn of the request; a slow one is tried again and the fastest is kept.
        """
        best: tuple[float, int, int] | None = None
        for _ in range(CLOCK_TRIES):
            begun = time.monotonic()
            epoch_ms = int(now_s() * 1000)
            ticks_ms = self._sense(answers.ok_ticks, self._ask(messages.OK, "CLOCK", epoch_ms))
            turn_s = time.monotonic() - begun
            if best is None or turn_s < best[0]:
                best = turn_s, ticks_ms, epoch_ms
            if turn_s <= CLOCK_TURN_S:
                break
        assert best is not None
        return best[1:]

    def limits(self) -> Limits:
        """The limits in force on the board."""
        limits: Limits = self._sense(Limits.unpack, self._ask(messages.LIMITS, "LIMITS").limits)
        return limits

    def set_limits(self, limits: Limits) -> None:
        """Put `limits` in force; they survive a reboot."""
        self._ask(messages.OK, "LIMITS", limits.pack().hex())

    def status(self) -> messages.Status:
        """What the board is at."""
        status: messages.Status = self._ask(messages.STATUS, "STATUS")
        return status

    def calibrate(self, begin: bool) -> messages.Calibration:
        """Begin to find the mount, which ends the session, or leave off. Raises Refused where the sensor isn't worn on the shank."""
        calibration: messages.Calibration = self._ask(messages.CALIBRATION, "CALIBRATE", int(begin))
        return calibration

    def calibration(self) -> messages.Calibration:
        """How the calibration goes, or what came of the last one."""
        calibration: messages.Calibration = self._ask(messages.CALIBRATION, "CALIBRATE")
        return calibration

    def erase_confirmed(self) -> int:
        """Erase the logs that a host has confirmed; how many there were."""
        return int(self._sense(answers.ok_count, self._ask(messages.OK, "ERASE_CONFIRMED")))

    def watch(self, on: bool) -> None:
        """Have every step, direction, cadence and alert sent as they happen; the board stops 60 s after the last request."""
        self._ask(messages.OK, "WATCH", int(on))

    def events(self, timeout_s: float) -> Iterator[answers.Event]:
        """The events that have arrived, waiting up to `timeout_s` for the first."""
        until = time.monotonic() + timeout_s
        while not self._events and time.monotonic() < until:
            self._receive(until)
        while self._events:
            yield self._events.popleft()

    def has_events(self) -> bool:
        """Whether events have arrived that `events` has not given yet."""
        return bool(self._events)

    def soft_reset(self) -> None:
        """Start the app of a board that is at MicroPython's prompt."""
        self._text = b""
        self._wire.write(b"\r\x02\r\x04")

    def _ask(self, kind: int, name: str, *arguments: int | str) -> Any:
        """Send a request until its answer, of `kind`, is there; the answer unpacked.

        What arrives meanwhile and answers something else is late and dropped.
        """
        number = self._next_number()
        begun = time.monotonic()
        wait_s = FIRST_WAIT_S
        while time.monotonic() < begun + PATIENCE_S:
            self._wire.write(caller.request(number, name, *arguments))
            payload = self._answer(kind, number, time.monotonic() + wait_s)
            if payload is not None:
                return self._unpacked(kind, payload)
            self.repeated += 1
            wait_s = min(2 * wait_s, PATIENCE_S / 2)
        raise self._silent()

    def _answer(self, kind: int, number: int, until: float) -> bytes | None:
        """The payload of the answer to request `number`; None where it isn't there by `until`, or where a request came torn."""
        while (frame := self._receive(until)) is not None:
            if frame[:2] == (kind, number):
                return frame[2]
            if frame[:2] == (messages.ERROR, number):
                raise self._refused(frame[2])
            if frame[:2] == (messages.ERROR, 0):  # one that came torn has no id
                return None
        return None

    def _refused(self, payload: bytes) -> Refused:
        error = self._unpacked(messages.ERROR, payload)
        name = answers.ERROR_NAMES[error.code] if error.code < len(answers.ERROR_NAMES) else f"error {error.code}"
        said = sanitized(error.text)
        return Refused(f"The board at {self.path} refused: {name}{f' ({said})' if said else ''}.", error.code)

    def _silent(self) -> LinkLost:
        return LinkLost(f"The board at {self.path} has stopped answering. {_again(self.path)}")

    def _receive(self, until: float) -> tuple[int, int, bytes] | None:
        """The next frame that is no event: (type, id, payload); None where none has come by `until`. Events and text are put aside."""
        while not self._arrived:
            data = self._wire.read(until - time.monotonic())
            for item in self._decoder.feed(data) if data else self._decoder.idle():
                if item[0] == "text":
                    self._heard(item[1])
                elif item[1] == messages.EVENT:
                    self._events.append(self._unpacked(messages.EVENT, item[3]))
                else:
                    self._arrived.append(item[1:])
            if not self._arrived and time.monotonic() >= until:
                return None
        return self._arrived.popleft()

    def _unpacked(self, kind: int, payload: bytes) -> Any:
        """The named tuple of a payload."""
        return self._sense(answers.unpack, kind, payload)

    def _sense(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """read(*arguments). Raises LinkLost where a frame that came whole makes no sense to it."""
        try:
            return read(*arguments)
        except (ValueError, IndexError) as error:
            raise LinkLost(
                f"The board at {self.path} answers in another language ({error}): run `retrostep deploy --board NAME --port {self.path}`."
            ) from error

    def _next_number(self, taken: Container[int] = ()) -> int:
        """An id from 1 to 255 for a request; 0 is the events'."""
        self._number = self._number % 255 + 1
        while self._number in taken:
            self._number = self._number % 255 + 1
        return self._number

    def _heard(self, text: bytes) -> None:
        self._text = (self._text + text)[-TEXT_KEPT:]
        if self._on_text is not None:
            shown = sanitized(text.decode("utf-8", "replace"))
            if shown.strip() and "\ufffd" not in shown:  # otherwise it was a torn frame
                self._on_text(shown)

    def _at_prompt(self) -> bool:
        """Whether the last that was heard is MicroPython's prompt."""
        return self._text.rpartition(b"soft reboot")[2].rstrip(b" ").endswith(b">>>")

    def _no_app(self) -> NoApp:
        """What is there instead of the app, found out by asking for MicroPython's banner."""
        cure = (
            f"Press its reset button; if that does not help, run `retrostep rescue --port {self.path}`, which saves its sessions, "
            f"then `retrostep deploy --board NAME --port {self.path}`."
        )
        if not self._at_prompt():
            self._wire.write(b"\r\x02")  # leaves the raw REPL; an app takes it for the end of a line
            until = time.monotonic() + 1.0
            while not self._at_prompt() and self._receive(until) is not None:
                continue
            if not self._at_prompt():
                said = " It prints text, but does not answer." if self._text.strip() else " Nothing answers there."
                found = f"No Retrostep board at {self.path}.{said}"
                return NoApp(f"{found} {cure}", found)
        lines = sanitized(self._text.decode("utf-8", "replace")).splitlines()
        stopped = [line for line in lines if "Error: " in line and "SyntaxError" not in line]
        why = f" after {stopped[-1].strip()[:120]}" if stopped else ""
        found = f"The board at {self.path} is at MicroPython's prompt{why}; Retrostep isn't running on it."
        return NoApp(f"{found} {cure}", found)


def sanitized(text: str) -> str:
    """`text` from outside with nothing in it that a terminal would obey: control characters but newlines and tabs become spaces."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c != "\r" else "" for c in text)


def _again(path: str) -> str:
    return f"Check the cable at {path} and run the same command again: it resumes."
