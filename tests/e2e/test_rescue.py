"""A board whose app does not start, or only a dump of its flash: every session on it is rescued."""

import random
import shutil
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import serial
from flash_image import BLOCK, SIZE
from littlefs import LittleFS
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.codes import FORWARD
from retrostep_core.log import records
from support.cli import Retrostep, one_sentence
from support.flash_files import files_on, log_path, put_files, put_sessions
from support.logs import LogBuilder, session_log
from support.virtual_board_process import VirtualBoard, wait_until

PARTITION_AT = 0x200000
TAIL_BYTES, PIECE_BYTES = 300, 116


@pytest.fixture
def logs(device: str) -> dict[int, bytes]:
    """Three logs: a short one, one over many blocks, and one that a power cut left open."""
    return {
        1: session_log(1, device=device),
        2: session_log(2, device=device, forward_s=6_000, backward_s=4_000),
        3: bytes(LogBuilder(3, device=device, boot=2).bout(FORWARD, 300).data),
    }


@pytest.fixture
def flash(tmp_path: Path, provisioned: tuple[Path, str], logs: dict[int, bytes]) -> Path:
    path = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], path)
    # The first one is where older firmware wrote it.
    put_files(path, {"sessions/00000001.rsl": logs[1], log_path(2): logs[2], log_path(3): logs[3][:-TAIL_BYTES]})
    put_files(path, tail(3, logs[3]))
    confirmed = struct.pack("<II", len(logs[1]), records.binascii.crc32(logs[1]))
    put_files(path, {"sessions/00000001.ok": confirmed + struct.pack("<I", records.binascii.crc32(confirmed))})
    return path


def tail(session: int, log: bytes) -> dict[str, bytes]:
    """The last bytes of a log as they wait in /tail while it is being written (FORMATS.md)."""
    found = {}
    for piece, at in enumerate(range(len(log) - TAIL_BYTES, len(log), PIECE_BYTES)):
        body = struct.pack("<II", session, at) + log[at : at + PIECE_BYTES]
        found[f"tail/{piece}"] = body + struct.pack("<I", zlib.crc32(body))
    return found


def archived(retrostep: Retrostep) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs").rglob("*.rsl")}


def quarantined(retrostep: Retrostep) -> list[bytes]:
    return sorted(path.read_bytes() for path in (retrostep.home / "quarantine").glob("*.rsl"))


def outcomes(summary: dict) -> dict[str, str]:
    return {one["file"]: one["outcome"] for one in summary["sessions"]}


# Over the port


@pytest.mark.parametrize("broken", ["raises", "hangs", "no main"])
def test_a_board_whose_app_is_broken(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes], broken: str) -> None:
    programs = {"raises": b"raise ValueError('worn out')", "hangs": b"while True:\n    pass\n", "no main": b""}
    put_files(flash, {"main.py": programs[broken], "sessions/notes.txt": b"not a log"})
    with VirtualBoard(flash=flash) as board:
        if broken == "raises":
            assert f"retrostep rescue --port {board.port}" in one_sentence(retrostep("sync", "--port", board.port))
        before = files_on(flash)
        ran = retrostep("rescue", "--port", board.port, "--json")
        assert ran.status == 0, ran.err
        summary = ran.json
        assert (summary["device"], summary["rescued"], summary["had"], summary["quarantined"]) == (device, 3, 0, 0)
        assert [one["synced_before"] for one in summary["sessions"]] == [True, False, False]
        assert summary["app"] != "runs" and "retrostep deploy" in summary["app"]
        if broken == "raises":
            again = retrostep("rescue", "--port", board.port)
            assert again.status == 0 and "0 sessions rescued, 3 received before" in again.out, again.out + again.err
            assert "ValueError: worn out" in again.out, "what keeps the app from starting is shown"
        assert files_on(flash) == before, "nothing on the board was changed, and nothing is confirmed to it"
    assert archived(retrostep) == logs
    assert len(retrostep("sessions", "--json").json["sessions"]) == 3


def test_a_board_left_in_the_raw_repl_is_left_running(retrostep: Retrostep, flash: Path, logs: dict[int, bytes]) -> None:
    """A dump, then the port, then a sync: a log that has grown in between continues after the bytes rescued before."""
    assert "3 sessions rescued" in retrostep("rescue", "--image", flash).out
    with VirtualBoard(flash=flash) as board:
        with DeviceClient(SerialPort(board.port)) as running:
            running.hello(60)  # its start has closed the third session, which a power cut had left open
        with serial.Serial(board.port, 115200, timeout=1) as line:
            heard = bytearray()

            def prompts() -> bool:
                line.write(b"\x03\x03\r\x01")
                heard.extend(line.read(4096))
                return b"raw REPL; CTRL-B to exit" in heard

            wait_until(prompts, "the raw REPL answers")
        ran = retrostep("rescue", "--port", board.port)
        assert ran.status == 0 and "1 session rescued" in ran.out and "2 received before" in ran.out, ran.out + ran.err
        assert "app runs again" in ran.out
        [synced] = retrostep("sync", "--port", board.port, "--json").json["devices"]
        assert {session["session"]: session["outcome"] for session in synced["sessions"]} == {1: "had", 2: "had", 3: "had"}
    kept = archived(retrostep)
    assert kept[3].startswith(logs[3]) and len(kept[3]) > len(logs[3]) and (kept[1], kept[2]) == (logs[1], logs[2])
    assert not quarantined(retrostep)
    assert len(retrostep("sessions", "--json").json["sessions"]) == 3


def test_unreadable_files_on_the_board_are_kept_or_reported(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes]) -> None:
    foreign = session_log(9, device="../../etc")
    hurt = bytearray(session_log(4, device=device))
    hurt[len(hurt) // 2] ^= 0x40
    put_files(
        flash,
        {
            "main.py": b"1 / 0",
            "sessions/00000004.rsl": bytes(hurt),
            "sessions/00000005.rsl": b"\x00" * 5_000,
            "sessions/00000009.rsl": foreign,
            "sessions/'); import os; os.rename('main.py', 'gone.py') #.rsl": b"hostile name",
            "sessions/\x1b]0;evil\x07.rsl": b"hostile as well",
        },
    )
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("rescue", "--port", board.port)
        assert ran.status == 4 and "\x1b" not in ran.out + ran.err and "Traceback" not in ran.err
        assert "3 sessions rescued" in ran.out and "1 damaged" in ran.out and "4 unreadable" in ran.out, ran.out
        assert "main.py" in files_on(flash)
    assert archived(retrostep) == {**logs, 4: bytes(hurt)}
    assert quarantined(retrostep) == sorted([b"\x00" * 5_000, foreign, b"hostile name", b"hostile as well"])
    assert not [path for path in retrostep.home.parent.iterdir() if path.name not in ("home", "flash.bin")]

    huge = bytes(range(256)) * 3_000
    put_files(flash, {"sessions/00000008.rsl": huge})
    elsewhere = Retrostep(retrostep.home.parent / "elsewhere")
    ran = elsewhere("rescue", "--image", flash)
    assert ran.status == 4 and "\x1b" not in ran.out + ran.err and "Traceback" not in ran.err
    assert archived(elsewhere) == archived(retrostep) and quarantined(elsewhere) == sorted([*quarantined(retrostep), huge])


def test_ports_that_lead_nowhere(retrostep: Retrostep, tmp_path: Path) -> None:
    for port in ("/dev/ttyNONE", str(tmp_path)):
        ran = retrostep("rescue", "--port", port)
        assert ran.status == 1 and port in one_sentence(ran)
    assert retrostep("rescue").status == 2 and retrostep("rescue", "--port", "x", "--image", __file__).status == 2


# From a dump


def full_dump(partition: bytes) -> bytes:
    """All 4 MB of a board's flash, as `esptool read_flash 0 ALL` reads it: bootloader, partition table, program, files."""
    dump = bytearray(b"\xff" * PARTITION_AT)
    dump[0x1000:0x1004] = b"\xe9\x03\x02\x20"
    table = b""
    for kind, subtype, at, size, name in (
        (1, 2, 0x9000, 0x6000, b"nvs"),
        (1, 1, 0xF000, 0x1000, b"phy_init"),
        (0, 0, 0x10000, 0x1F0000, b"factory"),
        (1, 0x81, PARTITION_AT, 0x200000, b"vfs"),
    ):
        table += struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, size, name, 0)
    dump[0x8000 : 0x8000 + len(table)] = table
    dump[0x10000:0x90000] = (b"a program that names littlefs and holds RSL\x01 as well" * 11_000)[:0x80000]
    return bytes(dump) + partition


@pytest.mark.parametrize("kind", ["partition", "all", "all, no table", "a superblock gone"])
def test_a_dump(retrostep: Retrostep, flash: Path, tmp_path: Path, logs: dict[int, bytes], kind: str) -> None:
    data = bytearray(flash.read_bytes()[:SIZE])
    if kind == "a superblock gone":
        older = 0 if int.from_bytes(data[:4], "little") < int.from_bytes(data[BLOCK : BLOCK + 4], "little") else BLOCK
        data[older : older + BLOCK] = b"\x00" * BLOCK
    dump = bytearray(data if kind == "partition" else full_dump(bytes(data)))
    if kind == "all, no table":
        dump[0x8000:0x9000] = b"\xff" * 0x1000
    path = tmp_path / "dump.bin"
    path.write_bytes(dump)
    ran = retrostep("rescue", "--image", path, "--json")
    assert ran.status == 0, ran.err
    assert outcomes(ran.json) == {f"{number:08d}.rsl": "rescued" for number in logs}
    assert [one["synced_before"] for one in ran.json["sessions"]] == [True, False, False]
    assert archived(retrostep) == logs and path.read_bytes() == dump
    again = retrostep("rescue", "--image", path)
    assert again.status == 0 and "0 sessions rescued, 3 received before" in again.out


def place_of(flash: Path, content: bytes, at: int) -> int:
    """The place on the flash of byte `at` of a log."""
    data, piece = flash.read_bytes()[:SIZE], content[at : at + 24]
    assert data.count(piece) == 1
    return data.find(piece)


def test_a_damaged_log_is_kept_and_a_sync_replaces_it(retrostep: Retrostep, flash: Path, tmp_path: Path, logs: dict[int, bytes]) -> None:
    """Bits changed in the dump only: the other records count, until a sync brings the complete log."""
    data = bytearray(flash.read_bytes()[:SIZE])
    data[place_of(flash, logs[2], 14_000)] ^= 1
    path = tmp_path / "dump.bin"
    path.write_bytes(data)
    ran = retrostep("rescue", "--image", path)
    assert ran.status == 4 and "2 sessions rescued" in ran.out and "1 damaged" in ran.out
    hurt = archived(retrostep)[2]
    assert hurt != logs[2] and len(hurt) == len(logs[2])
    with VirtualBoard(flash=flash) as board:
        synced = retrostep("sync", "--port", board.port, "--json")
    assert synced.status == 0, synced.err
    assert archived(retrostep)[2] == logs[2] and quarantined(retrostep) == [hurt]
    assert not any(session["damaged"] for session in retrostep("sessions", "--json").json["sessions"])


def test_a_dump_that_was_cut_short(retrostep: Retrostep, flash: Path, tmp_path: Path, logs: dict[int, bytes]) -> None:
    """The cut is within the long log: the bytes before it are saved, and reported as pieced together where littlefs cannot read them."""
    path = tmp_path / "dump.bin"
    path.write_bytes(flash.read_bytes()[: place_of(flash, logs[2], 22_000)])
    ran = retrostep("rescue", "--image", path, "--json")
    assert ran.status == 4 and "Traceback" not in ran.err
    kept = [*archived(retrostep).values(), *quarantined(retrostep)]
    assert logs[1] in kept and all(any(log.startswith(one) for log in logs.values()) for one in kept)
    assert max(len(one) for one in kept if logs[2].startswith(one)) > 22_000 - BLOCK - 300
    assert "pieced together" in ran.err


def test_a_lost_file_system(retrostep: Retrostep, flash: Path, tmp_path: Path, device: str, logs: dict[int, bytes]) -> None:
    """No superblock is left. Logs longer than a block are pieced together from their records to the last byte. A later sync counts them."""
    long = session_log(6, device=device, forward_s=3_000, backward_s=900)
    put_sessions(flash, {6: long})
    data = bytearray(flash.read_bytes()[:SIZE])
    data[: 2 * BLOCK] = b"\xff" * (2 * BLOCK)
    path = tmp_path / "dump.bin"
    path.write_bytes(data)
    ran = retrostep("rescue", "--image", path, "--json")
    assert ran.status == 4 and not archived(retrostep)
    assert {logs[2], long} <= set(quarantined(retrostep))
    assert {f"{device}/2", f"{device}/6"} <= {one["session"] for one in ran.json["sessions"]}
    with VirtualBoard(flash=flash) as board:
        assert retrostep("sync", "--port", board.port).status == 0
    assert archived(retrostep)[2] == logs[2] and archived(retrostep)[6] == long
    assert len(retrostep("sessions", "--json").json["sessions"]) == 4


def test_what_is_no_dump(retrostep: Retrostep, tmp_path: Path) -> None:
    empty = LittleFS(block_size=BLOCK, block_count=16)
    for name, content in {"empty": b"", "blank": b"\xff" * SIZE, "text": b"no dump " * 9_999, "zeros": bytes(SIZE)}.items():
        (tmp_path / name).write_bytes(content)
        ran = retrostep("rescue", "--image", tmp_path / name)
        assert ran.status == 1 and "esptool read_flash" in one_sentence(ran), name
    (tmp_path / "fresh").write_bytes(empty.context.buffer)
    ran = retrostep("rescue", "--image", tmp_path / "fresh")
    assert ran.status == 0 and "0 sessions rescued" in ran.out
    assert retrostep("rescue", "--image", tmp_path / "absent").status == 2


def without_superblock(block: bytes) -> bytes:
    """One of the first two blocks, with another name and a valid CRC: mounting it divides by zero."""
    forged = bytearray(block.replace(b"littlefs", b"LITTLEFS", 1))
    at, tag = 4, 0xFFFFFFFF
    while tag >> 20 & 0x780 != 0x500:  # up to the commit's CRC (littlefs's SPEC.md, "Metadata blocks")
        tag ^= int.from_bytes(block[at : at + 4], "big")
        at += 4 + (tag & 0x3FF)
    at -= tag & 0x3FF
    forged[at : at + 4] = (zlib.crc32(forged[:at]) ^ 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(forged)


def test_an_image_that_crashes_littlefs(retrostep: Retrostep, flash: Path, tmp_path: Path, logs: dict[int, bytes]) -> None:
    data = flash.read_bytes()[:SIZE]
    forged = without_superblock(data[:BLOCK]) + without_superblock(data[BLOCK : 2 * BLOCK]) + data[2 * BLOCK :]
    path = tmp_path / "dump.bin"
    path.write_bytes(forged)
    mount = (
        "import sys; from littlefs import LittleFS, UserContext; context = UserContext(buffer=bytearray(open(sys.argv[1], 'rb').read())); "
        "LittleFS(context, mount=False, block_size=4096, block_count=0).mount()"
    )
    assert subprocess.run([sys.executable, "-c", mount, str(path)], capture_output=True).returncode == -signal.SIGFPE
    path.write_bytes(full_dump(forged))  # its partition table calls them a file system
    ran = retrostep("rescue", "--image", path)
    assert ran.status == 4 and "Traceback" not in ran.err
    assert logs[2] in quarantined(retrostep), "pieced together all the same"


def test_any_damage_is_reported(retrostep: Retrostep, flash: Path, tmp_path: Path, logs: dict[int, bytes]) -> None:
    """Blocks swapped, overwritten, torn: only complete logs, or their beginnings, are archived without a report."""
    data = flash.read_bytes()[:SIZE]
    used = [n for n in range(SIZE // BLOCK) if data[n * BLOCK : (n + 1) * BLOCK].strip(b"\xff")]
    for seed in range(6):
        chance = random.Random(seed)
        hurt = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            one, other = chance.choice(used), chance.choice(used)
            hurt[one * BLOCK : (one + 1) * BLOCK] = chance.choice([chance.randbytes(BLOCK), data[other * BLOCK : (other + 1) * BLOCK]])
        if seed % 3 == 0:
            del hurt[chance.randrange(len(hurt)) :]
        home = Retrostep(tmp_path / f"home{seed}")
        path = tmp_path / "dump.bin"
        path.write_bytes(hurt)
        ran = home("rescue", "--image", path)
        assert ran.status in (0, 1, 4) and "Traceback" not in ran.err, (seed, ran.err)
        if ran.status != 4:
            assert all(log == logs[number] for number, log in archived(home).items()), seed
