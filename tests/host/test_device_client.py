"""A host talks to a board over a line that may do anything to its bytes."""

import time
from binascii import crc32
from pathlib import Path

import pytest
from fake_board import DEVICE, FakeBoard, Noise
from logs import session_log
from retrostep.device import client
from retrostep.device.client import Board, sanitized
from retrostep.device.core import core_hash
from retrostep.device.watch import described, told, watch
from retrostep.errors import LinkLost, NoApp, Refused
from retrostep_core.gait.limits import Limits
from retrostep_core.link import frames, messages

LOG = bytes(range(256)) * 90  # 23 KB: several requests, and every byte value


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that fit a board in the same process."""
    monkeypatch.setattr(client, "FIRST_WAIT_S", 0.04)
    monkeypatch.setattr(client, "NEXT_WAIT_S", 0.02)
    monkeypatch.setattr(client, "PATIENCE_S", 1.5)
    monkeypatch.setattr(client, "HELLO_EVERY_S", 0.05)


def test_hello_tells_who_the_board_is(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(1, session_log())
    hello = Board(fake).hello()
    assert (hello.device, hello.board, hello.unsynced, hello.core_hash) == (DEVICE, "VIRTUAL", 1, core_hash())


def test_list_has_as_many_pages_as_it_takes(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    for number in range(1, 231):
        (tmp_path / "sessions" / f"{number:08d}.rsl").write_bytes(b"x" * number)
    fake.put(231, b"yy", confirmed=True)
    listed = Board(fake).list()
    assert [(entry.session, entry.length) for entry in listed] == [(n, n) for n in range(1, 231)] + [(231, 2)]
    assert [entry.session for entry in listed if entry.flags & messages.CONFIRMED] == [231]


@pytest.mark.parametrize("offset", [0, 1, 1023, 1024, 4096, len(LOG) - 1, len(LOG)])
def test_read_gives_every_byte_once_and_in_order(tmp_path: Path, offset: int) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = Board(fake)
    assert b"".join(board.read(3, offset, len(LOG) - offset)) == LOG[offset:]
    assert board.repeated == 0


def test_read_ends_where_the_log_does(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG[:5000])
    assert b"".join(Board(fake).read(3, 100, 20_000)) == LOG[100:5000]


def test_read_keeps_four_requests_under_way_and_no_more(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(99_999_999, LOG * 4)
    assert b"".join(Board(fake).read(99_999_999, 0, len(LOG) * 4)) == LOG * 4
    assert fake.most_under_way == client.UNDER_WAY
    assert sum(len(line) for line in fake.asked[-client.UNDER_WAY :]) < 259


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
def test_a_bad_line_costs_time_and_no_byte(tmp_path: Path, noise: str, seed: int) -> None:
    down, up = NOISES[noise]
    fake = FakeBoard(tmp_path, seed=seed, down=down, up=up)
    fake.put(3, LOG)
    board = Board(fake)
    assert board.hello().device == DEVICE
    for _ in range(3):
        assert [entry.length for entry in board.list()] == [len(LOG)]
        assert b"".join(board.read(3, 0, len(LOG))) == LOG
    if "up" in noise or "drop" in noise or "flip" in noise:
        assert board.repeated + sum(fake.asked.count(line) > 1 for line in fake.asked) > 0, "the noise did not even touch a request"


def test_every_lost_frame_is_asked_for_exactly_once_more(tmp_path: Path) -> None:
    """Each single DATA frame of a read is swallowed in turn: the line carries the log and that one frame again."""
    for swallowed in range(23):
        fake = FakeBoard(tmp_path)
        fake.put(3, LOG)
        board = Board(fake)
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
        assert board.repeated == 1
        reads = [line.split() for line in fake.asked if b"READ" in line]
        assert sum(int(line[4].split(b"*")[0]) for line in reads) <= len(LOG) + client.READ_BYTES


def test_what_another_host_had_asked_for_confuses_nobody(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(1, LOG[::-1])
    fake.put(2, LOG)
    for stop in range(12):
        first = Board(fake)
        pieces = first.read(1, 0, len(LOG))
        for _ in range(stop):
            next(pieces)
        second = Board(fake)  # the first was killed; its answers are still on the line
        second._number = first._number - 3  # ids that fit
        assert second.hello().device == DEVICE
        assert b"".join(second.read(2, 0, len(LOG))) == LOG


def test_a_pulled_cable_is_told_at_once(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path, cut_after=9000)
    fake.put(3, LOG)
    got = b""
    with pytest.raises(LinkLost):
        for piece in Board(fake).read(3, 0, len(LOG)):
            got += piece
    assert got == LOG[: len(got)] and len(got) >= 4096


def test_a_board_that_falls_silent_is_lost_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE_S", 0.2)
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = Board(fake)
    board.hello()
    fake.deaf = True
    with pytest.raises(LinkLost, match="stopped answering.*run the same command again: it resumes"):
        board.status()
    with pytest.raises(LinkLost, match="stopped answering"):
        list(board.read(3, 0, len(LOG)))


def test_what_a_board_refuses_is_told_with_its_reason(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG)
    board = Board(fake)
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
        (tmp_path / "sessions" / f"{number:08d}.rsl").write_bytes(log)
    fake.put(31, LOG)
    board = Board(fake)
    told = dict(board.confirm_logs([(number, len(log), crc32(log)) for number, log in logs.items()] + [(31, len(LOG), 1), (99, 1, 1)]))
    assert {number for number, refused in told.items() if refused is None} == set(logs) and board.repeated
    assert [told[number].code for number in (31, 99)] == [messages.MISMATCH, messages.NO_SUCH_SESSION]
    assert all(fake.flash.confirmed(number) for number in logs) and not fake.flash.confirmed(31)


def test_limits_and_erasing(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    fake.put(3, LOG, confirmed=True)
    fake.put(4, LOG)
    board = Board(fake)
    stricter = Limits.from_dict({"session_stop_s": 240})
    board.set_limits(stricter)
    assert board.limits().pack() == stricter.pack() == fake.wearable.limits.pack()
    assert board.erase_confirmed() == 1
    assert [entry.session for entry in board.list()] == [4]


def test_the_clock_is_set_by_the_quickest_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeBoard(tmp_path)
    monkeypatch.setattr(client, "CLOCK_TURN_S", 0.0)
    waits = iter([0.03, 0.0, 0.03])
    told_ms: list[int] = []
    set_epoch_ms = fake.wearable.clock.set_epoch_ms

    def slow(epoch_ms: int, source: int) -> int:
        time.sleep(next(waits))
        told_ms.append(epoch_ms)
        return set_epoch_ms(epoch_ms, source)

    monkeypatch.setattr(fake.wearable.clock, "set_epoch_ms", slow)
    ticks_ms, epoch_ms = Board(fake).set_clock()
    assert epoch_ms == told_ms[1]
    assert abs((time.time() * 1000 - fake.wearable.clock.ticks_ms()) - (epoch_ms - ticks_ms)) < 25


class Script:
    """A Wire at whose other end there is no app: `answers` maps what is written to what is printed."""

    path = "/dev/fake"

    def __init__(self, answers: dict[bytes, bytes], default: bytes = b"") -> None:
        self.answers, self.default, self.waiting = answers, default, b""

    def write(self, data: bytes) -> None:
        self.waiting += self.answers.get(data, self.default if data.startswith(b"~") else b"")

    def read(self, timeout_s: float) -> bytes:
        out, self.waiting = self.waiting, b""
        if not out:
            time.sleep(max(0.0, timeout_s))
        return out

    def close(self) -> None:
        """Nothing to let go of."""


BANNER = b'\r\nMicroPython v1.29.0 on 2026-01-01; Generic ESP32 module with ESP32\r\nType "help()" for more information.\r\n>>> '


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (Script({}, b"~05 HELLO*\r\nTraceback:\r\nSyntaxError: invalid syntax\r\n>>> "), "at MicroPython's prompt; "),
        (Script({b"\r\x02": BANNER}), "at MicroPython's prompt; "),  # it was in the raw REPL
        (Script({b"\r\x02": b"OSError: no sensor\r\n>>> "}), "prompt after OSError: no sensor; "),
        (Script({}), "Nothing answers there"),
        (Script({}, b"temperature 21.5\r\n"), "prints text, but does not answer"),
    ],
)
def test_what_is_there_instead_of_the_app_is_recognised(wire: Script, said: str) -> None:
    with pytest.raises(NoApp) as told_so:
        Board(wire).hello(patience_s=0.3)
    assert said in str(told_so.value)
    assert "reset button" in str(told_so.value) and "retrostep deploy --board NAME --port /dev/fake" in str(told_so.value)


def test_another_version_of_the_link_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "PROTOCOL", 2)
    board = Board(FakeBoard(tmp_path))
    monkeypatch.setattr(messages, "PROTOCOL", 1)
    encoder = frames.FrameEncoder()
    encoder.payload[:2] = b"\x02?"

    def newer(data: bytes) -> None:
        wire.waiting += bytes(encoder.view[: encoder.finish(messages.HELLO, int(data[1:3], 16), 2)])

    wire = Script({})
    wire.write = newer  # type: ignore[method-assign]
    board = Board(wire)
    with pytest.raises(NoApp, match="speaks version 2 of the link.*pip install --upgrade retrostep"):
        board.hello(patience_s=0.3)


def test_log_text_reaches_the_caller_without_anything_a_terminal_obeys(tmp_path: Path) -> None:
    heard: list[str] = []
    fake = FakeBoard(tmp_path)
    board = Board(fake, on_text=heard.append)
    fake.say(b"\x1b]0;owned\x07battery low\r\n")
    assert board.hello().device == DEVICE
    fake.say(b"\xff\xfe torn \x80")
    assert board.hello().device == DEVICE
    assert "".join(heard) == " ]0;owned battery low\n"
    assert sanitized("a\x1b[2Jb\x9bc\u202ed\te\n") == "a [2Jb c d\te\n"


def test_watching_tells_events_until_the_session_ends(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    server = fake.server

    def watched() -> bool:
        """What an app does as its wearer moves: one session."""
        server.session(1000, 7, True)
        server.step(2000, 2100, 2)
        server.direction(2200, 1900, 2)
        server.cadence(2300, 1655)
        server.alert(2400, 1, 2, 161, 150)
        server.gap(2500, 2600)
        server.session(1000, 7, False)
        return server._event_count == 7

    seen = watch(Board(fake), time.monotonic() + 5, until_session_ends=True)
    status, fake.wearable.status = fake.wearable.status, lambda: (watched(), status())[1]  # type: ignore[method-assign]
    events = list(seen)
    assert time.monotonic() - fake.wearable.clock.began < 3, "it went on after the session's end"
    assert [told(event)["event"] for event in events] == ["session", "step", "direction", "cadence", "alert", "gap", "session"]
    assert told(events[1]) == {"event": "step", "at": 1.1, "t": 1.0, "direction": "backward"}
    assert told(events[4]) == {"event": "alert", "at": 1.4, "kind": "cadence_ramp", "severity": "stop", "measured": 16.1, "limit": 15.0}
    assert "ALERT     stop: cadence_ramp 16.1 % (limit 15 %)" in described(events[4])
    assert server._watch_ms == -1, "the board was not told to stop sending"


def test_a_session_whose_last_event_was_lost_ends_the_watch_all_the_same(tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path)
    status, states = fake.wearable.status, iter([1, 1, 0])
    fake.wearable.status = lambda: status()._replace(state=next(states), session=7)  # type: ignore[method-assign]
    assert list(watch(Board(fake), time.monotonic() + 20, until_session_ends=True)) == []
    assert next(states, None) is None
