"""The client of a device: its requests, the answers, and the events and log text in between."""

import math
import random
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from types import TracebackType
from typing import Any

from retrostep_core import code_names
from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.link import answers, host_frames, messages

from retrostep.device.boot_text import BootText
from retrostep.device.patience import Patience
from retrostep.device.read_queue import ReadQueue
from retrostep.device.starting import ASK_SAFE_MODE, Starting, at_prompt
from retrostep.device.transport import Transport
from retrostep.errors import BadAnswer, LinkLost, NoApp, OtherProtocol, Refused
from retrostep.plain_text import clean

MAX_IN_FLIGHT = 4
"""Requests that a device holds at once (FORMATS.md, "The link")."""
FIRST_WAIT_S = 1.0
NEXT_WAIT_S = 0.8
"""Time without data after which requests in flight are sent again: before the first answer, and after it."""
LOST_AFTER_S = 10.0
"""Time without a useful answer after which the device is lost."""
LEAST_USEFUL_BYTES = 1000
"""Of a log, in LOST_AFTER_S. A line of 9600 bit/s brings ten times as many."""
NO_BYTES_WORTH = 100
"""A refusal, or the end of a log, counts as so many useful bytes: hundreds of logs may be refused, but not for hours."""
LIST_S = 60.0
"""A device lists its sessions within this time; the largest flash takes a few seconds."""
CONFIRM_S = 0.2
CONFIRM_BYTES_PER_S = 20_000
"""A device confirms a log within CONFIRM_S, and the time to read it from its flash at this rate."""
HELLO_EVERY_S = 0.5
WAKE = b"\n" * 2_000
"""A device on a UART may sleep between bursts of samples, 115 ms apart, and hears nothing meanwhile. At 115200 baud this lasts 174 ms, and
any byte that it hears keeps it awake. Empty lines mean nothing to it."""
WAKE_S = 0.3
"""From the start of WAKE until the device has read what its ring of 260 bytes could hold of it."""
CLOCK_TRIES = 3
CLOCK_ROUND_TRIP_S = 0.05
"""A clock that was set within so short a round trip needs no second try."""
MAX_TEXT_BYTES = 1000
MAX_EVENTS = 4096
MAX_SESSIONS = 20_000
MAX_LISTED_BYTES = 1 << 26
"""No flash holds more sessions, or longer ones. A device that lists more is faulty."""
MAX_LOG_BYTES = 1 << 24
"""No board's flash holds a longer log. A longer one is not requested."""


class DeviceClient:
    """A device that runs Retrostep. Every request raises LinkLost once the device is gone, and Refused if the device refuses it.

    A device that sends on and on, but not what was asked for, is lost as well: every request ends in a time that depends on what is
    still to come. `resent` counts the requests that were sent again because their answer was lost.
    """

    def __init__(
        self, transport: Transport, on_text: Callable[[str], None] | None = None, on_wait: Callable[[str], None] | None = None
    ) -> None:
        """`on_text` gets each line of log text that arrives between frames, cleaned for a terminal.

        `on_wait` gets a sentence while `hello` waits for a board that starts.
        """
        self.resent = 0
        self._transport = transport
        self._on_text = on_text
        self._decoder = host_frames.FrameDecoder()
        self._frames: deque[tuple[int, int, bytes]] = deque()
        self._events: deque[answers.Event] = deque(maxlen=MAX_EVENTS)
        self._text = b""  # the last text, in which MicroPython's prompt is looked for
        self._line = b""  # text without its line end yet
        self._heard_at = -math.inf  # when bytes arrived last
        self._starting = Starting(transport.path, on_wait)
        self._boot_text: BootText | None = None  # while it is not known whether a program runs
        self._number = random.randrange(255)  # so that answers to an earlier host hardly ever match

    @property
    def path(self) -> str:
        """The path of the device's port."""
        return self._transport.path

    def close(self) -> None:
        """Close the transport. The device keeps counting."""
        self._transport.close()

    def __enter__(self) -> "DeviceClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def hello(self, timeout_s: float = 6.0) -> answers.Hello:
        """What the device is. Raises NoApp, with what is there instead, if it does not answer within `timeout_s`.

        A board that reports that it is starting gets up to a minute.

        A chip that runs no program is recognised within three seconds: BlankChip, InRomLoader or BootLoop.
        """
        self._boot_text = BootText(self.path)
        try:
            return self._hello(timeout_s, self._boot_text)
        finally:
            self._boot_text = None

    def _hello(self, timeout_s: float, boot_text: BootText) -> answers.Hello:
        until = time.monotonic() + timeout_s
        number = self._next_number()
        tries = 0
        while time.monotonic() < (end := max(until, self._starting.until)) and not self._at_prompt():
            payload = None
            if tries % 2 and boot_text.is_silent:
                self._transport.write(WAKE)
                payload = self._answer(messages.HELLO, number, min(end, time.monotonic() + WAKE_S))
            if payload is None:
                self._transport.write(host_frames.request(number, "HELLO"))
                payload = self._answer(messages.HELLO, number, min(end, time.monotonic() + HELLO_EVERY_S))
            tries += 1
            if payload is None:
                boot_text.ask_loader(self._transport)
                continue
            if payload[:1] != bytes([messages.PROTOCOL]):
                theirs = payload[0] if payload else 0
                raise OtherProtocol(
                    f"The board at {self.path} uses version {theirs} of the link protocol, this computer version {messages.PROTOCOL}.",
                    port=self.path,
                )
            hello: answers.Hello = self._unpacked(messages.HELLO, payload)
            return hello
        raise self._no_app()

    def list_sessions(self) -> list[answers.Entry]:
        """Every session that the device holds, in order of its number: number, length in bytes, flags.

        Number 0 means no session: a faulty device may list it, in any place. It then comes first, once. Raises BadAnswer for a list that is
        out of order, or that no flash holds.
        """
        patience = Patience(LIST_S)
        entries: list[answers.Entry] = []
        without_number: list[answers.Entry] = []
        total = 0
        more = True
        while more:
            if patience.is_over:
                raise self._lost()
            page = self._ask(messages.LIST, "LIST", entries[-1].session if entries else 0)
            listed = [entry for entry in page.sessions if entry.session]
            without_number = without_number or [entry for entry in page.sessions if not entry.session][:1]
            for entry in listed:
                if entries and entry.session <= entries[-1].session:
                    raise BadAnswer(f"The board at {self.path} lists its sessions out of order.", port=self.path)
                entries.append(entry)
                total += entry.length if entry.length <= MAX_LOG_BYTES else 0
            if len(entries) > MAX_SESSIONS or total > MAX_LISTED_BYTES:
                raise BadAnswer(f"The board at {self.path} lists more sessions than any flash holds.", port=self.path)
            more = page.more and bool(listed)
        return without_number + entries

    def read(self, session: int, offset: int, length: int) -> Iterator[bytes]:
        """The bytes `offset` to `offset + length` of a session's log as they arrive, in order; fewer if the log ends earlier."""
        for _, data in self.read_logs([(session, offset, length)]):
            if isinstance(data, Refused):
                raise data
            if data is not None:
                yield data

    def read_logs(self, wanted: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, bytes | Refused | None]]:
        """The parts (session, offset, length) of several logs, one after the other without a pause on the line.

        Yields (session, bytes) in order as they arrive. A part ends with (session, None), or with (session, Refused) if the device gives
        no more of it. Bytes that were lost on the line are asked for again.
        """
        queue = ReadQueue(wanted)
        patience = Patience(LOST_AFTER_S, LEAST_USEFUL_BYTES)
        wait_s = FIRST_WAIT_S
        while True:
            with patience.paused():
                yield from queue.take()
            if queue.is_done:
                return
            if patience.is_over:
                raise self._lost()
            while len(queue.in_flight) < MAX_IN_FLIGHT and (read := queue.next_read()) is not None:
                number = self._next_number(queue.in_flight)
                queue.in_flight[number] = read
                self.resent += read.is_repeat
                self._transport.write(host_frames.request(number, "READ", read.session, read.start, read.end - read.start))

            frame = self._receive(time.monotonic() + wait_s)
            if frame is None or (_is_torn_request(frame) and len(queue.in_flight) == 1):
                queue.lose_all()
                wait_s = wait_s if frame else min(2 * wait_s, LOST_AFTER_S / 4)
                continue
            kind, number, payload = frame
            if number not in queue.in_flight or kind not in (messages.DATA, messages.ERROR):
                continue  # a late answer to a request that was given up
            wait_s = NEXT_WAIT_S
            if kind == messages.ERROR:
                queue.put_refusal(number, self._refused(payload))
                patience.progress(NO_BYTES_WORTH)
            else:
                data = self._unpacked(messages.DATA, payload)
                if queue.put_data(number, data.offset, data.data):
                    patience.progress(len(data.data) or NO_BYTES_WORTH)

    def confirm(self, session: int, length: int, crc: int) -> None:
        """Confirm that these bytes of a session are safe here. Raises Refused (MISMATCH) if the device's log differs."""
        for _, refused in self.confirm_logs([(session, length, crc)]):
            if refused is not None:
                raise refused

    def confirm_logs(self, logs: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, Refused | None]]:
        """Confirm several logs (session, length, crc) without a pause. Yields (session, None), or (session, Refused), for each."""
        waiting = deque(logs)
        lengths = [length for _, length, _ in waiting]
        patience = Patience(
            LOST_AFTER_S + max(lengths, default=0) / CONFIRM_BYTES_PER_S,
            longest_s=LOST_AFTER_S + CONFIRM_S * len(lengths) + sum(lengths) / CONFIRM_BYTES_PER_S,
        )
        in_flight: dict[int, tuple[int, bytes]] = {}
        wait_s = FIRST_WAIT_S
        while waiting or in_flight:
            if patience.is_over:
                raise self._lost()
            while waiting and len(in_flight) < MAX_IN_FLIGHT:
                session, length, crc = waiting.popleft()
                number = self._next_number(in_flight)
                in_flight[number] = session, host_frames.request(number, "CONFIRM", session, length, crc)
                self._transport.write(in_flight[number][1])
            frame = self._receive(time.monotonic() + wait_s)
            if frame is None or _is_torn_request(frame):
                for _, line in in_flight.values():
                    self._transport.write(line)
                self.resent += len(in_flight)
                wait_s = wait_s if frame else min(2 * wait_s, LOST_AFTER_S / 4)
            elif frame[1] in in_flight and frame[0] in (messages.OK, messages.ERROR):
                patience.progress(1)
                session, _ = in_flight.pop(frame[1])
                with patience.paused():
                    yield session, None if frame[0] == messages.OK else self._refused(frame[2])

    def set_clock(self, now_s: Callable[[], float] = time.time) -> tuple[int, int]:
        """Set the device's clock to this computer's. Returns (ticks_ms, epoch_ms): the device's tick count at that time.

        The error is at most the round trip of the request. A slow one is tried again, and the fastest of CLOCK_TRIES counts.
        """
        best: tuple[float, int, int] | None = None
        for _ in range(CLOCK_TRIES):
            begun = time.monotonic()
            epoch_ms = int(now_s() * 1000)
            ticks_ms = self._parsed(answers.ok_ticks, self._ask(messages.OK, "CLOCK", epoch_ms))
            round_trip_s = time.monotonic() - begun
            if best is None or round_trip_s < best[0]:
                best = round_trip_s, ticks_ms, epoch_ms
            if round_trip_s <= CLOCK_ROUND_TRIP_S:
                break
        assert best is not None
        return best[1:]

    def limits(self) -> Limits:
        """The limits in force on the device."""
        limits: Limits = self._parsed(unpack_limits, self._ask(messages.LIMITS, "LIMITS").limits)
        return limits

    def set_limits(self, limits: Limits) -> None:
        """Put `limits` in force; they survive a restart."""
        self._ask(messages.OK, "LIMITS", limits.pack().hex())

    def status(self) -> answers.Status:
        """State, session, totals, battery, free flash and faults of the device."""
        status: answers.Status = self._ask(messages.STATUS, "STATUS")
        return status

    def blink(self) -> None:
        """Let the device pulse its motor and its LED eight times. Raises Refused (UNKNOWN_REQUEST) for older firmware."""
        self._ask(messages.OK, "BLINK")

    def capture(self, minutes: int, label: str) -> None:
        """Let the device log raw samples for `minutes` (0: no more). `label` is at most 32 printable ASCII characters.

        Raises Refused where the flash has too little room, or (UNKNOWN_REQUEST) for older firmware.
        """
        self._ask(messages.OK, "CAPTURE", minutes, label.encode("ascii").hex() or "-")

    def start_calibration(self) -> answers.Calibration:
        """Start to find the mount; a session in progress ends. Raises Refused if the sensor is not worn on the shank."""
        calibration: answers.Calibration = self._ask(messages.CALIBRATION, "CALIBRATE", 1)
        return calibration

    def cancel_calibration(self) -> answers.Calibration:
        """Stop a calibration; the mount stays as it was."""
        calibration: answers.Calibration = self._ask(messages.CALIBRATION, "CALIBRATE", 0)
        return calibration

    def calibration(self) -> answers.Calibration:
        """State of the calibration in progress, or result of the last one."""
        calibration: answers.Calibration = self._ask(messages.CALIBRATION, "CALIBRATE")
        return calibration

    def erase_confirmed(self) -> int:
        """Erase the logs that a host has confirmed. Returns how many."""
        return int(self._parsed(answers.ok_count, self._ask(messages.OK, "ERASE_CONFIRMED")))

    def send_events(self, on: bool) -> None:
        """Let the device send every step, direction, cadence and alert as it happens, or stop it.

        The device stops by itself 60 s after the last request.
        """
        self._ask(messages.OK, "WATCH", int(on))

    def events(self, timeout_s: float) -> Iterator[answers.Event]:
        """The events that have arrived, after a wait of at most `timeout_s` for the first."""
        until = time.monotonic() + timeout_s
        while not self._events and time.monotonic() < until:
            self._receive(until)
        while self._events:
            yield self._events.popleft()

    def has_events(self) -> bool:
        """Whether events have arrived that `events` has not returned yet."""
        return bool(self._events)

    def soft_reset(self) -> None:
        """Start the app of a board that is at MicroPython's prompt."""
        self._text = b""
        self._transport.write(b"\r\x02\r\x04")

    def _ask(self, kind: int, name: str, *arguments: int | str) -> Any:
        """Send a request until its answer, of type `kind`, arrives. Returns the unpacked answer."""
        number = self._next_number()
        until = time.monotonic() + LOST_AFTER_S
        wait_s = FIRST_WAIT_S
        while time.monotonic() < until:
            self._transport.write(host_frames.request(number, name, *arguments))
            payload = self._answer(kind, number, min(until, time.monotonic() + wait_s))
            if payload is not None:
                return self._unpacked(kind, payload)
            self.resent += 1
            wait_s = min(2 * wait_s, LOST_AFTER_S / 2)
        raise self._lost()

    def _answer(self, kind: int, number: int, until: float) -> bytes | None:
        """The payload of the answer to request `number`. None if there is none by `until`, or if a request arrived torn.

        Late answers to other requests are dropped.
        """
        while (frame := self._receive(until)) is not None:
            if frame[:2] == (kind, number):
                return frame[2]
            if frame[:2] == (messages.ERROR, number):
                raise self._refused(frame[2])
            if _is_torn_request(frame) or time.monotonic() >= until:
                return None
        return None

    def _receive(self, until: float) -> tuple[int, int, bytes] | None:
        """The next frame that is not an event: (type, id, payload). None if there is none by `until`. Events and text are kept."""
        while not self._frames:
            data = self._transport.read(until - time.monotonic())
            if data:
                self._heard_at = time.monotonic()
                if self._boot_text is not None:
                    self._boot_text.feed(data)
                    self._starting.feed(data)
            for item in self._decoder.feed(data) if data else self._decoder.idle():
                if item[0] == "text":
                    self._put_text(item[1])
                elif item[1] == messages.EVENT:
                    self._events.append(self._unpacked(messages.EVENT, item[3]))
                else:
                    self._frames.append(item[1:])
            if not self._frames and time.monotonic() >= until:
                return None
        return self._frames.popleft()

    def _put_text(self, text: bytes) -> None:
        self._text = (self._text + text)[-MAX_TEXT_BYTES:]
        *lines, self._line = (self._line + text)[-MAX_TEXT_BYTES:].split(b"\n")
        for line in lines:
            shown = line.decode("utf-8", "replace").strip()
            if self._on_text is not None and shown and "\ufffd" not in shown:  # otherwise it was a torn frame
                self._on_text(clean(shown))

    def _unpacked(self, kind: int, payload: bytes) -> Any:
        """The named tuple in a payload of type `kind`."""
        return self._parsed(answers.unpack, kind, payload)

    def _parsed(self, parse: Callable[..., Any], *arguments: Any) -> Any:
        """parse(*arguments). Raises BadAnswer if it fails: the frame was complete, so the device has another version."""
        try:
            return parse(*arguments)
        except (ValueError, IndexError) as error:
            raise BadAnswer(f"The board at {self.path} sends an answer that this version cannot read ({error}).", port=self.path) from error

    def _next_number(self, taken: Container[int] = ()) -> int:
        """An id from 1 to 255 for a request. Events have id 0."""
        self._number = self._number % 255 + 1
        while self._number in taken:
            self._number = self._number % 255 + 1
        return self._number

    def _lost(self) -> LinkLost:
        is_silent = time.monotonic() - self._heard_at > LOST_AFTER_S / 2
        what = "has stopped answering" if is_silent else "keeps sending, but hardly anything that was asked for"
        advice = "Check its cable and try again: a sync resumes where it stopped."
        return LinkLost(f"The board at {self.path} {what}. {advice}", port=self.path)

    def _refused(self, payload: bytes) -> Refused:
        error = self._unpacked(messages.ERROR, payload)
        name = code_names.ERROR_NAMES[error.code] if error.code < len(code_names.ERROR_NAMES) else f"error {error.code}"
        text = clean(error.text)
        return Refused(f"The board at {self.path} refused: {name}{f' ({text})' if text else ''}.", error.code, port=self.path)

    def _at_prompt(self) -> bool:
        """Whether the last text is MicroPython's prompt."""
        return self._text.rpartition(b"soft reboot")[2].rstrip(b" ").endswith(b">>>")

    def _no_app(self) -> NoApp:
        """The error that says what is there instead of the app. To find out, MicroPython's banner is asked for."""
        if not self._at_prompt():
            self._transport.write(b"\r\x02")  # leaves the raw REPL; for the app it is only the end of a line
            until = time.monotonic() + 1.0
            while not self._at_prompt() and time.monotonic() < until and self._receive(until) is not None:
                continue
        if self._at_prompt():
            text, self._text = self._text, b""
            self._transport.write(ASK_SAFE_MODE)
            until = time.monotonic() + 1.0
            while not self._at_prompt() and time.monotonic() < until:
                self._receive(until)
            found = at_prompt(self.path, text, self._text)
        elif self._starting.part:
            found = f"The board at {self.path} is still starting ({self._starting.part})."
        else:
            answer = "It prints text, but does not answer." if self._text.strip() else "Nothing answers there."
            found = f"No Retrostep board at {self.path}. {answer}"
        return NoApp(f"{found} Press its reset button.", found, port=self.path)


def _is_torn_request(frame: tuple[int, int, bytes]) -> bool:
    """Whether the device reports a request that arrived torn: it could not read the id either."""
    return frame[:2] == (messages.ERROR, 0)
