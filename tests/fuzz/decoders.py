"""Every decoder of bytes from outside, with one small function each: it takes any bytes and checks the guarantees of the decoder.

These are: only the documented exceptions, bounded memory, and work in proportion to the input (counted, never timed).
tests/property/test_decoders.py runs them on input from Hypothesis, `make fuzz` on input that atheris finds by coverage.
"""

import json
import os
import re
import shutil
import struct
import tempfile
from binascii import crc32
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from hal.board import Board as BoardFacts
from hal.settings import read as read_settings
from hal.store import LogStore as Flash
from retrostep.activity_files.files import activities_in
from retrostep.archive.dating import ClockFact
from retrostep.archive.identifiers import device_name
from retrostep.archive.imported import ImportedActivity, activity_of, import_fields
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.schema import StoreState
from retrostep.archive.store import Store
from retrostep.archive.store_url import sqlite_path
from retrostep.device import client, patience
from retrostep.device.boards import board_bytes, read_board
from retrostep.errors import DamagedData, NotFound, RetrostepError, UnsafeName, UnsupportedStore
from retrostep.output.sessions import detail_dict, session_dict
from retrostep.plain_text import clean
from retrostep.replay.imu import blocks
from retrostep.replay.recording import RecordingError, read_recording
from retrostep.training.check import Check
from retrostep.training.data_quality import Core
from retrostep.units import utc
from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json
from retrostep_core.gait.units import parse_mount
from retrostep_core.link import answers, frames, host_frames, messages
from retrostep_core.log import decoded, records
from retrostep_core.log.reader import LogError, read_log, scan, valid_length
from sqlalchemy import update
from support import core_reader, formats_reader
from support.activity_files import phone_gpx, watch_fit, watch_tcx
from support.disk import numbers
from support.link_host import LinkHost
from support.logs import DEVICE, session_log
from support.ram_store import RamStore
from support.recovery import recover

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = [path.read_bytes() for path in sorted((ROOT / "tests/golden").glob("*.rsl"))]


@dataclass(frozen=True)
class Decoder:
    """One decoder's harness, valid input to start from, and the number of runs of `make fuzz`."""

    name: str
    run: Callable[[bytes], None]
    seeds: list[bytes]
    runs: int
    longest: int = 4096


def examples(kind: str) -> list[bytes]:
    """The hex blocks of FORMATS.md that begin with `kind`."""
    text = (ROOT / "firmware/FORMATS.md").read_text()
    blocks = re.findall(rf"^```hex {kind}\n(.*?)^```", text, re.S | re.M)
    return [b"".join(bytes.fromhex(line.strip().split("  ")[0]) for line in block.splitlines()) for block in blocks]


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Split `data` into (code, bytes): each is a code, a length and that many bytes."""
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]


def joined(*parts: tuple[int, bytes]) -> bytes:
    """The bytes that `pieces` splits into these."""
    return b"".join(bytes([code, len(part)]) + part for code, part in parts)


# Session logs


def log(data: bytes) -> None:
    """Both readers agree on any bytes. The board's reader reads each byte of a file a bounded number of times."""
    asked = 0

    def read(offset: int, into: memoryview) -> int:
        nonlocal asked
        asked += 1
        part = data[offset : offset + len(into)]
        into[: len(part)] = part
        return len(part)

    end = valid_length(read, len(data))
    assert 0 <= end <= len(data)
    assert asked <= len(data) // 240 + len(data) // records.OVERHEAD + 2
    assert core_reader.read(data) == formats_reader.read(data)
    try:
        found = read_log(data)
    except LogError as error:
        assert str(error)
        return
    assert len(found.steps) <= 60 * len(data) and len(found.damage) <= 2 * len(data) + 1
    try:
        facts = summarize_log(data, found.header.device, found.header.session, 0)
    except DamagedData as error:
        assert str(error).isprintable()
    else:
        json.dumps(facts.session, allow_nan=False)
        assert all(fact.is_plausible() for fact in facts.clock_facts)


def valid_records(data: bytes) -> None:
    """Records with a valid CRC and any payload."""
    built = bytearray(GOLDEN[0][:4])
    buf = bytearray(records.MAX_RECORD)
    for seq, (kind, payload) in enumerate(pieces(data)):
        built += buf[: decoded.pack_record(buf, kind, seq, payload)]
        for view in (payload, memoryview(payload)):
            try:
                decoded.decode(kind, view)
            except ValueError as error:
                assert str(error)
    log(bytes(built))
    store = RamStore(boot=2)
    store.logs[1] = bytes(built)
    recover(store, store.boot)
    assert store.logs.get(1, bytes(built)).startswith(bytes(built))


def raw_recovery(data: bytes) -> None:
    """Recovery of any log of an earlier boot: every valid record stays, and a second recovery changes nothing."""
    store = RamStore(boot=2)
    store.logs[1] = data
    recover(store, store.boot)
    kept = store.logs.get(1, data)
    before = list(scan(data))
    assert list(scan(kept))[: len(before)] == before and len(kept) <= len(data) + 25 + records.OVERHEAD
    recover(store, store.boot)
    assert store.logs.get(1, data) == kept


# The link


def requests(data: bytes) -> None:
    """Any bytes from a host: the board answers or ignores them, and its logs stay."""
    host = LinkHost()
    host.store.logs = {1: GOLDEN[0], 2: b"x" * 3000}
    before = dict(host.store.logs)
    for at in range(0, len(data), 97):
        host.send(data[at : at + 97])
        assert len(host.server._queue) <= 4
        host.poll()
        host.out.data = b""
    assert host.store.logs == before and set(host.store.oks) <= set(before)


def framed(data: bytes) -> None:
    """Any bytes from a board: each frame is unpacked or refused, and at most one is kept."""
    decoder = host_frames.FrameDecoder()
    text = 0
    for at in range(0, len(data), 61):
        for item in decoder.feed(data[at : at + 61]) + (decoder.idle() if at % 5 == 0 else []):
            if item[0] == "text":
                text += len(item[1])
            else:
                answer(bytes([item[1]]) + item[3])
        assert len(decoder._pending) <= host_frames.MAX_FRAME
    assert text <= len(data)


def answer(data: bytes) -> None:
    """Any payload of any type."""
    if not data:
        return
    try:
        found = answers.unpack(data[0], data[1:])
        if data[0] == messages.OK:
            answers.ok_count(found)
            answers.ok_ticks(found)
        if data[0] == messages.ERROR:
            assert found.text.isascii() and (not found.text or found.text.isprintable())
    except ValueError as error:
        assert str(error)


def cobs(data: bytes) -> None:
    """Decoding never raises, and decoding an encoded text returns it."""
    host_frames.cobs_decode(data)
    host_frames.unpack_frame(data)
    assert host_frames.cobs_decode(host_frames.cobs_encode(data)) == data


class _Clock:
    """Time that passes only during a wait."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now_s

    time = monotonic


class _Scripted:
    """A Transport that answers each request with the next of `script`: (code, payload), in a valid frame or, for codes over 127, raw."""

    path = "/dev/scripted"

    def __init__(self, script: bytes, clock: _Clock) -> None:
        self.script = pieces(script)
        self.clock = clock
        self.waiting = b""
        self.turns = 0

    def write(self, data: bytes) -> None:
        self.turns += 1
        for code, payload in self.script:
            if code > 127:
                self.waiting += payload
                continue
            encoder = frames.FrameEncoder()
            encoder.payload[: len(payload)] = payload
            kind = messages.ERROR if code % 16 == 15 else code % 16
            number = int(data[1:3], 16) if data[:1] == b"~" and code < 112 else 0
            self.waiting += encoder.view[: encoder.finish(kind, number, len(payload))]
            if code & 16 == 0:  # with this bit the next piece follows immediately
                break

    def read(self, timeout_s: float) -> bytes:
        self.turns += 1
        found, self.waiting = self.waiting, b""
        if not found:
            self.clock.now_s += max(0.01, timeout_s)
        return found

    def close(self) -> None:
        """Nothing to close."""


def board_answers(data: bytes) -> None:
    """A board that sends complete frames with any content: the client returns values or one error, in a bounded number of requests."""
    clock = _Clock()
    heard: list[str] = []
    with mock.patch.object(client, "time", clock), mock.patch.object(patience, "time", clock):
        wire = _Scripted(data, clock)
        board = client.DeviceClient(wire, heard.append)
        board._number = 0
        for ask in (
            lambda: board.hello(),
            lambda: board.list_sessions(),
            lambda: [len(piece) for _, piece in board.read_logs([(1, 0, 9000), (2, 5, 700)]) if isinstance(piece, bytes)],
            lambda: board.confirm(1, 5, 7),
            lambda: board.status(),
            lambda: board.limits(),
            lambda: board.set_clock(clock.time),
            lambda: board.calibration(),
            lambda: board.erase_confirmed(),
            lambda: list(board.events(1.0)),
        ):
            try:
                ask()
            except RetrostepError as error:
                assert str(error) and clean(str(error)) == str(error)
        assert wire.turns <= 3_000 + len(data)
    assert all(char.isprintable() or char in "\n\t" for text in heard for char in text)
    assert len(board._text) <= client.MAX_TEXT_BYTES and len(board._events) <= client.MAX_EVENTS


# Settings


def limits_bytes(data: bytes) -> None:
    """Limits in 24 bytes are packed to the same bytes."""
    try:
        found = unpack_limits(data)
    except ValueError as error:
        assert str(error)
        return
    assert found.pack()[:16] == data[:16] and limits_from_json(limits_to_json(found)) == found


def limits_json(data: bytes) -> None:
    """Any JSON value."""
    value = _json(data)
    if value is None:
        return
    try:
        found = limits_from_json(value)
    except ValueError as error:
        assert str(error).isprintable()
        return
    assert unpack_limits(found.pack()) == found


def mount(data: bytes) -> None:
    """Any text."""
    try:
        found = parse_mount(data.decode("utf-8", "replace"))
    except ValueError as error:
        assert str(error)
        return
    assert found is None or sorted(axis for axis, _ in found) == [0, 1, 2]


def board_json(data: bytes) -> None:
    """Any board.json and settings.json on a board: it starts, and reports what it could not use."""
    value = _json(data)
    parts = value if isinstance(value, list) and len(value) == 2 else [value, {}]
    facts, settings = (part if isinstance(part, dict) else {} for part in parts)
    board = BoardFacts(facts, settings)
    assert all(isinstance(sentence, str) for sentence in board.problems)
    assert 2 <= board.watermark <= 64 and 10 <= board.auto_stop_s <= 900
    unpack_limits(board.limits.pack())
    with _folder() as folder:
        (folder / "settings.json").write_bytes(data)
        with mock.patch("hal.settings.open", lambda path: open(path, encoding="utf-8"), create=True):
            try:
                assert isinstance(read_settings(f"{folder}/settings.json", [], True), dict)
            except RecursionError:
                assert data.count(b"[") + data.count(b"{") > 500  # CPython's parser alone recurses; MicroPython's keeps a list


def _log_of(store: Flash, number: int) -> bytes:
    data = bytearray(store.size(number))
    return bytes(data[: store.read_into(number, 0, data)])


def flash(data: bytes) -> None:
    """Any files on the flash: the store opens, numbers continue, and only logs that a host has completely count as confirmed."""
    with _folder() as folder:
        root = folder / "flash"
        (root / "sessions").mkdir(parents=True)
        (root / "logs/00000000").mkdir(parents=True)
        for code, content in pieces(data):
            number = code % 4
            name = (
                "state.bin",
                f"sessions/{number:08d}.rsl",
                f"sessions/{number:08d}.ok",
                f"sessions/0000000{number}\xb2.rsl",
                f"logs/00000000/{number + 2:08d}.rsl",
                f"logs/00000000/{number + 2:08d}.rsc",
                f"logs/0000000{number}",
                f"logs/00000000/0000000{number}\xb2.rsl",
            )[code // 4 % 8]
            if code & 64 and not (root / name).exists():
                (root / name).mkdir()  # a folder where a file belongs
            elif not (root / name).is_dir():
                content = content + struct.pack("<I", crc32(content)) if code & 128 else content
                (root / name).write_bytes(content)
        if (root / "state.bin").is_dir():
            return
        store = Flash(str(root))
        if store.unreadable:
            return
        assert all(number > 0 for number in numbers(store)) and store.next_number > max(numbers(store), default=0)
        before = {number: _log_of(store, number) for number in numbers(store)}
        sealed = {n: (root / f"sessions/{n:08d}.ok").read_bytes() for n in range(4) if (root / f"sessions/{n:08d}.ok").is_file()}
        for number in before:
            if store.confirmed(number):
                assert (root / f"logs/00000000/{number:08d}.rsc").exists()
                sealed.pop(number, None)
        while store.tend():
            assert numbers(store) == list(before), "nothing is erased where there is room"
        for number in before:
            if store.confirmed(number) and number in sealed:
                assert struct.unpack_from("<I", sealed[number])[0] == len(before[number])
        recover(store, store.boot)
        for number, content in before.items():
            assert not content or _log_of(store, number).startswith(content)
        assert Flash(str(root)).boot == store.boot + 1


# Files from people


def recording(data: bytes) -> None:
    """Any recording: memory is bounded by its lines, and its blocks stay within the range of the chip."""
    with _folder() as folder:
        path = folder / "motion.csv"
        path.write_bytes(data)
        try:
            found = read_recording(path)
        except RecordingError as error:
            assert clean(str(error)) == str(error) and "\n" not in str(error)
            return
        assert len(found.t_s) <= 1 + data.count(b"\n") + data.count(b"\r") and found.duration_s > 0
        for _, block in zip(range(3), blocks(found), strict=False):
            assert len(block.samples) == 6 * block.n


def activity_file(data: bytes) -> None:
    """Any activity file: what can be imported of it is an entry that the store takes, and every reason is one printable line."""
    try:
        found = activities_in(data, "run.fit")
    except RetrostepError as error:
        assert str(error).isprintable()
        return
    for number, activity in enumerate(found, 1):
        if not isinstance(activity, ImportedActivity):
            assert clean(str(activity)) == str(activity)
            continue
        line = json.loads(json.dumps({"at_ms": 1, **import_fields(activity, "Ada", number, "coach")}))
        assert activity_of(line).bouts == activity.bouts and len(activity.bouts) <= len(data)


def entries(data: bytes) -> None:
    """Any journal: every line is applied or counted as damaged, and the store can then be shown and checked."""
    store = JOURNAL.store
    store.journal.path.write_bytes(data)
    lines = list(store.journal.lines())
    assert len(lines) <= data.count(b"\n")
    with store._write() as session:
        session.execute(update(StoreState).values(entries_applied=0))
    damaged = store.rebuild().damaged_entries
    assert 0 <= damaged <= len(list(store.journal.lines())), "what the journal lost is restored from the store"
    ((row, name),) = store.sessions()
    json.dumps([session_dict(row, name), detail_dict(store.detail(row))], allow_nan=False)
    verdicts = Check(store, Core((0, 1, 0), "00" * 8)).verdicts()
    json.dumps([verdict.as_dict() for verdict in verdicts], allow_nan=False)
    for override, _ in store.overrides():
        assert override.warn is None or 0 <= override.warn < 1e6
    for worn in store.assignments():
        assert utc(worn.from_at_ms)


def names(data: bytes) -> None:
    """Any name of a device, a session, an athlete or a store, typed or reported by a device."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        assert "/" not in device_name(text) and device_name(text).isascii()
    except UnsafeName as error:
        assert str(error).isprintable()
    try:
        path = sqlite_path(text)
    except UnsupportedStore as error:
        assert clean(str(error)) == str(error)
    else:
        assert path.is_absolute() and "\0" not in str(path)
    for ask in (NAMED.store.find_device, NAMED.store.find_session, NAMED.store.find_athlete):
        try:
            ask(text)
        except (NotFound, UnsafeName) as error:
            assert str(error)
    raw = NAMED.store.raw
    kept = raw.quarantine_path(text, len(data), 7, len(data) % 3)
    assert kept.parent == NAMED.store.data_dir.quarantine


def clock_facts(data: bytes) -> None:
    """Clock facts with any numbers: a session gets a date within its bounds, or bounds alone."""
    from retrostep.archive.dating import date_session

    numbers = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    facts = [ClockFact(*numbers[at : at + 3], 1 + at % 2) for at in range(0, len(numbers) - 2, 3)]
    found = date_session(3, 10_000, 60_000, 1_800_000_000_000, facts)
    assert (found.started_at_ms is None) == (found.dated in ("bounded", "undated"))
    if found.not_before_ms is not None:
        assert found.not_before_ms <= found.not_after_ms


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class _Opened:
    """A store with an athlete and a session, opened at its first use."""

    @cached_property
    def store(self) -> Store:
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        opened = Store(f"sqlite:///{self._folder.name}/store.sqlite")
        opened.add_athlete("Ada")
        opened.raw.commit(DEVICE, 1, SHORT)
        opened.ingest(DEVICE, 1, SHORT)
        return opened


SHORT = session_log(1, forward_s=20, backward_s=15)
NAMED, JOURNAL = _Opened(), _Opened()

HELLO_PAYLOAD = (
    bytes([1, 0, 1, 0]) + bytes(8) + struct.pack("<BIQQIHB", 1, 3, 9000, 1_800_000_000_000, 1 << 20, 2, 0) + b"\x05RS-A1\x07VIRTUAL"
)
STATUS_PAYLOAD = struct.pack("<BIIBH", 1, 7, 90, 2, 1600) + bytes(20) + struct.pack("<HBIHB", 3900, 80, 1 << 20, 2, 0)
ENTRY_LINES = [
    {"entry": "athlete", "at_ms": 1, "name": "Ada"},
    {"entry": "assign", "at_ms": 1, "device": DEVICE, "athlete": "Ada", "from_at_ms": 0},
    {"entry": "clock", "at_ms": 1, "device": DEVICE, "boot": 1, "ticks_ms": 1, "epoch_ms": 1_800_000_000_000, "source": 1},
    {"entry": "seen", "at_ms": 1, "device": DEVICE, "board": "V", "core_version": "0.1.0", "core_hash": "00", "boot": 1},
    {
        "entry": "note",
        "at_ms": 1,
        "device": DEVICE,
        "number": 1,
        "pain": 3,
        "rpe": None,
        "text": "x",
        "next_day": False,
        "limp": True,
        "swelling": False,
    },
    {
        "entry": "override",
        "at_ms": 1,
        "rule": "share",
        "athlete": "Ada",
        "warn": 1.5,
        "fail": None,
        "enabled": True,
        "from_at_ms": 1,
        "to_at_ms": None,
        "who": "K",
        "why": "w",
    },
]
CSV = b"# retrostep-recording: 1\n# placement: shank\n# side: left\n# mount: +y+z+x\nt_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n" + b"".join(
    b"%.4f,0.1,0,1,2,-3,4\n" % (i / 104) for i in range(40)
)
SEALED = struct.pack("<II", 3, 9)
CANNED = SimpleNamespace(board=board_bytes(read_board("VIRTUAL")), settings=b'{"side": "left", "mount": "+y+z+x", "limits": "%s"}')

ACTIVITY_FILES = [
    watch_fit("2026-11-20 16:30", 8, pauses=[(3, 5)]),
    watch_tcx("2026-11-20 16:30", 4),
    phone_gpx("2026-11-20 16:30", 4, pause=(1, 2)),
    b"date,duration,cadence_spm\n2026-11-20 16:30,10,171\n2026-11-21,0:10:00,\n",
    b"session,athlete,time,t_s,cadence_spm,direction,steps,alert\nX/1,Ada,2026-11-20T16:30:01Z,1,171,backward,3,\n",
]

DECODERS = [
    Decoder("log", log, [*GOLDEN, *examples("log"), SHORT], 20_000, 1024),
    Decoder("valid_records", valid_records, [joined(*[(k, p) for _, k, _, p in formats_reader.records(GOLDEN[0])][:40])], 20_000, 1024),
    Decoder("raw_recovery", raw_recovery, [*GOLDEN, SHORT[:-20]], 20_000, 1024),
    Decoder(
        "requests",
        requests,
        [
            *examples("request"),
            b"".join(
                host_frames.request(n, *words)
                for n, words in enumerate(
                    [
                        ("HELLO",),
                        ("LIST", 0),
                        ("READ", 1, 0, 99),
                        ("CONFIRM", 1, 5, 6),
                        ("CLOCK", 1_800_000_000_000),
                        ("LIMITS",),
                        ("WATCH", 1),
                    ]
                )
            ),
        ],
        20_000,
        1024,
    ),
    Decoder("framed", framed, [*examples("frame"), b"text\r\n" + b"".join(examples("frame")) * 3], 100_000),
    Decoder(
        "answer", answer, [b"\x01" + HELLO_PAYLOAD, b"\x06" + STATUS_PAYLOAD, b"\x02\x00\x01" + bytes(9), b"\xff\x05busy"], 1_000_000, 256
    ),
    Decoder("cobs", cobs, [b"\x01\x01", b"\x03ab\x02c", bytes(range(256)) * 2], 300_000, 1300),
    Decoder(
        "board_answers",
        board_answers,
        [
            joined((1, HELLO_PAYLOAD), (2, b"\x00\x01\x01\x00\x00\x00\x09\x00\x00\x00\x02"), (3, bytes(4) + b"RSL"), (6, STATUS_PAYLOAD)),
            joined((129, b"boot\r\n>>> "), (15, b"\x05busy"), (7 + 16, bytes(19)), (4, bytes(8))),
        ],
        10_000,
        1024,
    ),
    Decoder("limits_bytes", limits_bytes, [Limits().pack()], 500_000, 32),
    Decoder("limits_json", limits_json, [json.dumps(limits_to_json(Limits())).encode()], 300_000, 512),
    Decoder("mount", mount, [b"+y+z+x", b"?"], 500_000, 16),
    Decoder("board_json", board_json, [CANNED.board, b"[" + CANNED.board + b"," + CANNED.settings % (b"00" * 24) + b"]"], 30_000),
    Decoder("flash", flash, [joined((128, SEALED), (129 + 4, SHORT[:200]), (1 + 4, SHORT[:250]), (129 + 8, SEALED))], 10_000, 1024),
    Decoder("recording", recording, [CSV], 30_000),
    Decoder("activity_file", activity_file, ACTIVITY_FILES, 30_000),
    Decoder("entries", entries, [b"".join(json.dumps(line).encode() + b"\n" for line in ENTRY_LINES)], 500),
    Decoder("names", names, [b"RS-A1/12", b"sqlite:///club/store.sqlite", b"../../x", b"Ada", b"\xff"], 10_000, 200),
    Decoder("clock_facts", clock_facts, [struct.pack("<QQQ", 3, 5000, 1_800_000_000_000) * 2], 200_000, 240),
]
