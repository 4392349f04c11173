"""The client of a device, over a line that may lose, change, double or delay bytes."""

from binascii import crc32
from pathlib import Path

import pytest
from retrostep.device import client, read_queue
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash
from retrostep.device.live_events import event_as_dict, event_text, live_events
from retrostep.errors import LinkLost, NoApp, OtherProtocol, Refused
from retrostep_core.gait.limits_json import limits_from_json
from retrostep_core.link import frames, messages
from support.fake_board import DEVICE, FakeBoard, Noise, write_log
from support.logs import session_log
from support.waiting_time import Clock

LOG = bytes(range(256)) * 90  # 23 KB: several requests, and every byte value


pytestmark = pytest.mark.usefixtures("clock")


def test_hello_identifies_the_board(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(1, session_log())
    hello = DeviceClient(fake).hello()
    assert (hello.device, hello.board, hello.unsynced, hello.core_hash) == (DEVICE, "VIRTUAL", 1, core_hash())


def test_list_has_as_many_pages_as_it_takes(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    for number in range(1, 231):
        write_log(tmp_path, number, b"x" * number)
    fake.put(231, b"yy", confirmed=True)
    listed = DeviceClient(fake).list_sessions()
    assert [(entry.session, entry.length) for entry in listed] == [(n, n) for n in range(1, 231)] + [(231, 2)]
    assert [entry.session for entry in listed if entry.flags & messages.CONFIRMED] == [231]


@pytest.mark.parametrize("offset", [0, 1, 1023, 1024, 4096, len(LOG) - 1, len(LOG)])
def test_read_gives_every_byte_once_and_in_order(tmp_path: Path, offset: int) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = DeviceClient(fake)
    assert b"".join(board.read(3, offset, len(LOG) - offset)) == LOG[offset:]
    assert board.resent == 0


def test_read_ends_where_the_log_does(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG[:5000])
    assert b"".join(DeviceClient(fake).read(3, 100, 20_000)) == LOG[100:5000]


def test_read_keeps_four_requests_under_way_and_no_more(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(99_999_999, LOG * 4)
    assert b"".join(DeviceClient(fake).read(99_999_999, 0, len(LOG) * 4)) == LOG * 4
    assert fake.most_under_way == client.MAX_IN_FLIGHT
    assert sum(len(line) for line in fake.asked[-client.MAX_IN_FLIGHT :]) < 259


NOISES = {
    "down drop": (Noise(drop=2e-4), Noise()),
    "down flip": (Noise(flip=2e-4), Noise()),
    "down double": (Noise(double=2e-4), Noise()),
    "down delay": (Noise(hold=0.05), Noise()),
    "up drop": (Noise(), Noise(drop=5e-3)),
    "up flip": (Noise(), Noise(flip=5e-3)),
    "up double": (Noise(), Noise(double=5e-3)),
    "everything": (Noise(drop=1e-4, flip=1e-4, double=1e-4, hold=0.01), Noise(drop=2e-3, flip=2e-3, double=2e-3)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", NOISES)
def test_a_bad_line_loses_no_byte(tmp_path: Path, noise: str, seed: int) -> None:
    down, up = NOISES[noise]
    fake = FakeBoard(tmp_path, seed=seed, down=down, up=up)
    fake.put(3, LOG)
    board = DeviceClient(fake)
    assert board.hello().device == DEVICE
    for _ in range(3):
        assert [entry.length for entry in board.list_sessions()] == [len(LOG)]
        assert b"".join(board.read(3, 0, len(LOG))) == LOG
    if "up" in noise or "drop" in noise or "flip" in noise:
        assert board.resent + sum(fake.asked.count(line) > 1 for line in fake.asked) > 0, "the noise did not even touch a request"


def test_a_lost_frame_is_asked_for_once_more(tmp_path: Path) -> None:
    """Each single DATA frame of a read is swallowed in turn: the line carries the log and that one frame again."""
    for swallowed in range(23):
        fake = FakeBoard(tmp_path)
        fake.put(3, LOG)
        board = DeviceClient(fake)
        count = 0
        poll = fake.server.poll

        def poll_and_swallow(now_ms: int, poll=poll, fake=fake, swallowed=swallowed) -> bool:  # type: ignore[no-untyped-def]
            nonlocal count
            start = len(fake._line)
            was_whole = fake.server.between_frames
            worked = bool(poll(now_ms))
            while not fake.server.between_frames:
                poll(now_ms)
            if was_whole and worked:
                if count == swallowed:
                    del fake._line[start:]
                count += 1
            return worked

        fake.server.poll = poll_and_swallow
        assert b"".join(board.read(3, 0, len(LOG))) == LOG
        assert board.resent == 1
        reads = [line.split() for line in fake.asked if b"READ" in line]
        assert sum(int(line[4].split(b"*")[0]) for line in reads) <= len(LOG) + read_queue.READ_BYTES


def test_answers_to_an_earlier_host_are_ignored(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(1, LOG[::-1])
    fake.put(2, LOG)
    for stop in range(12):
        first = DeviceClient(fake)
        pieces = first.read(1, 0, len(LOG))
        for _ in range(stop):
            next(pieces)
        second = DeviceClient(fake)  # the first was killed; its answers are still on the line
        second._number = first._number - 3  # ids that fit
        assert second.hello().device == DEVICE
        assert b"".join(second.read(2, 0, len(LOG))) == LOG


def test_a_pulled_cable_is_reported_at_once(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path, cut_after=9000)
    fake.put(3, LOG)
    got = b""
    with pytest.raises(LinkLost):
        for piece in DeviceClient(fake).read(3, 0, len(LOG)):
            got += piece
    assert got == LOG[: len(got)] and len(got) >= 4096


def test_a_board_that_falls_silent_is_lost_after_a_while(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = DeviceClient(fake)
    board.hello()
    fake.deaf = True
    with pytest.raises(LinkLost, match="stopped answering.*a sync resumes where it stopped"):
        board.status()
    with pytest.raises(LinkLost, match="stopped answering"):
        list(board.read(3, 0, len(LOG)))


def test_a_refusal_carries_its_reason(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = DeviceClient(fake)
    with pytest.raises(Refused, match="no such session") as refused:
        list(board.read(9, 0, 10))
    assert refused.value.code == messages.NO_SUCH_SESSION
    with pytest.raises(Refused, match="mismatch") as refused:
        board.confirm(3, len(LOG), 0)
    assert refused.value.code == messages.MISMATCH


def test_many_logs_are_confirmed_over_a_bad_line(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path, seed=2, down=Noise(drop=2e-3, flip=2e-3), up=Noise(drop=2e-3, flip=2e-3))
    logs = {number: bytes([number]) * 500 * number for number in range(1, 31)}
    for number, log in logs.items():
        write_log(tmp_path, number, log)
    fake.put(31, LOG)
    board = DeviceClient(fake)
    refusals = dict(board.confirm_logs([(number, len(log), crc32(log)) for number, log in logs.items()] + [(31, len(LOG), 1), (99, 1, 1)]))
    assert {number for number, refused in refusals.items() if refused is None} == set(logs) and board.resent
    assert [refusals[number].code for number in (31, 99)] == [messages.MISMATCH, messages.NO_SUCH_SESSION]
    assert all(fake.flash.confirmed(number) for number in logs) and not fake.flash.confirmed(31)


def test_limits_and_erasing(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG, confirmed=True)
    fake.put(4, LOG)
    board = DeviceClient(fake)
    stricter = limits_from_json({"session_stop_s": 240})
    board.set_limits(stricter)
    assert board.limits().pack() == stricter.pack() == fake.wearable.limits.pack()
    assert board.erase_confirmed() == 1
    assert [entry.session for entry in board.list_sessions()] == [4]


def test_the_fastest_round_trip_sets_the_clock(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeBoard(tmp_path)
    monkeypatch.setattr(client, "CLOCK_ROUND_TRIP_S", 0.0)
    waits = iter([0.03, 0.0, 0.03])
    set_ms: list[int] = []
    set_epoch_ms = fake.wearable.clock.set_epoch_ms

    def slow(epoch_ms: int, source: int) -> int:
        clock.sleep(next(waits))
        set_ms.append(epoch_ms)
        return set_epoch_ms(epoch_ms, source)

    monkeypatch.setattr(fake.wearable.clock, "set_epoch_ms", slow)
    ticks_ms, epoch_ms = DeviceClient(fake).set_clock(clock.time)
    assert epoch_ms == set_ms[1]
    assert abs((clock.time() * 1000 - fake.wearable.clock.ticks_ms()) - (epoch_ms - ticks_ms)) < 2


class Script:
    """A Transport at whose other end there is no app: `answers` maps what is written to what is printed."""

    path = "/dev/fake"

    def __init__(self, answers: dict[bytes, bytes], default: bytes = b"") -> None:
        self.answers, self.default, self.waiting = answers, default, b""

    def write(self, data: bytes) -> None:
        self.waiting += self.answers.get(data, self.default if data.startswith(b"~") else b"")

    def read(self, timeout_s: float) -> bytes:
        out, self.waiting = self.waiting, b""
        if not out:
            client.time.sleep(max(0.0, timeout_s))
        return out

    def close(self) -> None:
        """Nothing to let go of."""


BANNER = b'\r\nMicroPython v1.29.0 on 2026-01-01; Generic ESP32 module with ESP32\r\nType "help()" for more information.\r\n>>> '


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (Script({}, b"~05 HELLO*\r\nTraceback:\r\nSyntaxError: invalid syntax\r\n>>> "), "at MicroPython's prompt; "),
        (Script({b"\r\x02": BANNER}), "at MicroPython's prompt; "),  # it was in the raw REPL
        (Script({b"\r\x02": b"OSError: no sensor\r\n>>> "}), "prompt after OSError: no sensor; "),
        (Script({}), "Nothing answers there"),
        (Script({}, b"temperature 21.5\r\n"), "prints text, but does not answer"),
    ],
)
def test_the_error_names_what_is_there_instead_of_the_app(wire: Script, found: str) -> None:
    with pytest.raises(NoApp) as raised:
        DeviceClient(wire).hello(timeout_s=0.3)
    assert found in str(raised.value)
    assert str(raised.value).endswith("Press its reset button.") and raised.value.facts == {"port": "/dev/fake"}


def test_another_version_of_the_link_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "PROTOCOL", 2)
    board = DeviceClient(FakeBoard(tmp_path))
    monkeypatch.setattr(messages, "PROTOCOL", 1)
    encoder = frames.FrameEncoder()
    encoder.payload[:2] = b"\x02?"

    def newer(data: bytes) -> None:
        wire.waiting += bytes(encoder.view[: encoder.finish(messages.HELLO, int(data[1:3], 16), 2)])

    wire = Script({})
    wire.write = newer  # type: ignore[method-assign]
    board = DeviceClient(wire)
    with pytest.raises(OtherProtocol, match="uses version 2 of the link protocol, this computer version 1"):
        board.hello(timeout_s=0.3)


def test_log_text_is_cleaned_for_a_terminal(tmp_path: Path) -> None:
    heard: list[str] = []
    fake = FakeBoard(tmp_path)
    board = DeviceClient(fake, on_text=heard.append)
    fake.print_text(b"\x1b]0;owned\x07battery low\r\n")
    assert board.hello().device == DEVICE
    fake.print_text(b"\xff\xfe torn \x80")
    assert board.hello().device == DEVICE
    assert heard == ["<U+001B>]0;owned<U+0007>battery low"]


def test_log_text_arrives_line_by_line(tmp_path: Path) -> None:
    heard: list[str] = []
    fake = FakeBoard(tmp_path)
    board = DeviceClient(fake, on_text=heard.append)
    for part in (b"one\r\ntw", b"o\r\n\r\nthr"):
        fake.print_text(part)
        board.hello()
    assert heard == ["one", "two"]


def test_live_events_until_the_session_ends(tmp_path: Path, clock: Clock) -> None:
    fake = FakeBoard(tmp_path)
    server = fake.server

    def watched() -> bool:
        """What an app does as its wearer moves: one session."""
        server.session(1000, 7, True)
        server.step(2000, 2100, 2)
        server.direction(2200, 1900, 2)
        server.cadence(2300, 1655)
        server.alert(2400, 1, 2, 161, 150)
        server.gap(2500, 2600, 1)
        server.session(1000, 7, False)
        return server._event_count == 7

    seen = live_events(DeviceClient(fake), clock.monotonic() + 5, until_session_ends=True)
    status, fake.wearable.status = fake.wearable.status, lambda: (watched(), status())[1]  # type: ignore[method-assign]
    events = list(seen)
    assert clock.monotonic() - fake.wearable.clock.began < 3, "it continued after the session's end"
    assert [event_as_dict(event)["event"] for event in events] == ["session", "step", "direction", "cadence", "alert", "gap", "session"]
    assert event_as_dict(events[1]) == {"event": "step", "at": 1.1, "t": 1.0, "direction": "backward"}
    alert = {"event": "alert", "at": 1.4, "kind": "cadence_ramp", "severity": "stop", "measured": 16.1, "limit": 15.0}
    assert event_as_dict(events[4]) == alert
    assert "ALERT     stop: cadence_ramp: rose 16.1 %; stop from 15 %" in event_text(events[4])
    assert event_text(events[0]) == "     0.00 s  session   7 started"
    assert event_text(events[6]) == "             session   7 ended", "its event has no time"
    assert server._watch_ms == -1, "the board was not asked to stop sending"


def test_live_events_end_although_the_last_event_of_the_session_was_lost(tmp_path: Path, clock: Clock) -> None:
    fake = FakeBoard(tmp_path)
    status, states = fake.wearable.status, iter([1, 1, 0])
    fake.wearable.status = lambda: status()._replace(state=next(states), session=7)  # type: ignore[method-assign]
    assert list(live_events(DeviceClient(fake), clock.monotonic() + 20, until_session_ends=True)) == []
    assert next(states, None) is None
