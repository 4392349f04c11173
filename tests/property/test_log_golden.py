"""Logs that must stay readable: those in tests/golden, and the example in FORMATS.md."""

import json
import re
from pathlib import Path

import pytest
from retrostep_core.link import host_frames, messages
from retrostep_core.log.reader import read_log
from support import core_reader, formats_reader

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests/golden").glob("*.rsl"))


def example(name: str) -> bytes:
    """The bytes of a hex block in FORMATS.md: on each line, the digits before two spaces."""
    text = (ROOT / "firmware/FORMATS.md").read_text()
    block = re.search(rf"^```hex {name}\n(.*?)^```", text, re.S | re.M)
    assert block, name
    return b"".join(bytes.fromhex(line.strip().split("  ")[0]) for line in block[1].splitlines())


def test_there_are_golden_logs() -> None:
    assert GOLDEN


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
@pytest.mark.parametrize("read", [core_reader.read, formats_reader.read], ids=["core", "formats"])
def test_golden_logs_are_read_as_before(path: Path, read) -> None:
    assert read(path.read_bytes()) == json.loads(path.with_suffix(".json").read_text())


def test_golden_logs_have_every_kind_of_record() -> None:
    kinds = {kind for path in GOLDEN for _, kind, _, _ in formats_reader.records(path.read_bytes())}
    assert kinds >= set(range(1, 15))


def test_the_log_in_the_document_agrees_with_its_text() -> None:
    data = example("log")
    assert core_reader.read(data) == formats_reader.read(data)
    log = read_log(data)
    assert log.damage == [] and log.closed
    assert (log.header.session, log.header.boot, log.header.start_ticks_ms) == (7, 3, 61000)
    assert (log.header.device, log.header.board, log.header.mount) == ("RS-A1", "VIRTUAL", "+y+z+x")
    assert log.steps == [(500, 1), (853, 1), (1210, 1), (1560, 2), (1915, 2)]
    assert log.alerts[0] == (2950, 3, 1, 0, 300)
    assert log.clocks[0] == (52000, 1795354200000, 1)
    assert log.totals == (3, 2, 0, 1500, 415)


def test_the_request_and_the_frame_in_the_document_agree_with_their_text() -> None:
    assert host_frames.request(0x2A, "READ", 7, 0, 4) == example("request")
    (found,) = host_frames.FrameDecoder().feed(example("frame"))
    assert found == ("frame", messages.DATA, 0x2A, bytes(4) + example("log")[:4])
