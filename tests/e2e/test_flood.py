"""A board whose clock runs while it computes, as a real one's, loses no sample whatever a host sends at the full rate of the line."""

import random
import time
from pathlib import Path

import serial
from motion import Stand, Walk, generate
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.link import host_frames
from retrostep_core.log.reader import read_log
from support.virtual_board_process import PATIENCE_S, VirtualBoard

FLOODS = {
    "one long line": b"x" * 4000,
    "empty lines": b"\n" * 4000,
    "shortest bad requests": b"~\n" * 2000,
    "bad requests": (b"~05 READ 1 0 4096*00000000\n") * 150,
    "valid requests": b"".join(host_frames.request(id, "STATUS") for id in range(1, 200)),
    "hosts that connect": host_frames.request(7, "HELLO") * 200,
    "noise": random.Random(1).randbytes(4000).replace(b"\x03", b""),
}
WALK_S = 10
# Of each: 0.8 s at the full rate of the line.
FLOOD_BYTES = 9_000


def walked_in_a_flood(tmp_path: Path) -> tuple[list[object], int, int]:
    """A walk on a board that a host floods: the gaps of its log, its damaged places, and its steps."""
    with VirtualBoard("--link", "uart", "--cpu", 160, recording=tmp_path / "leg.csv", ready=True) as board:
        with serial.Serial(board.port, timeout=0, write_timeout=PATIENCE_S) as port:
            for flood in FLOODS.values():
                sent = 0
                while sent < FLOOD_BYTES:
                    sent += port.write(flood[:1000])
                    port.read(100_000)
                    flood = flood[1000:] + flood[:1000]
        with DeviceClient(SerialPort(board.port)) as client:
            client.hello(PATIENCE_S)
            while client.status().t_ms < (WALK_S + 2) * 1000:
                time.sleep(0.5)
            status = client.status()
            (entry,) = client.list_sessions()
            log = read_log(b"".join(client.read(entry.session, 0, entry.length)))
    return list(log.gaps), len(log.damage), sum(status.totals[:3])


def test_a_flood_at_the_full_rate_of_the_line_costs_no_sample(tmp_path: Path) -> None:
    generate([Stand(2), Walk(WALK_S), Stand(60)], seed=3).write(tmp_path / "leg.csv")
    # The board's clock follows the processor's, which is slower now and then where other work shares its caches.
    for _ in range(3):
        gaps, damage, steps = walked_in_a_flood(tmp_path)
        assert damage == 0
        if not gaps:
            break
    assert gaps == []
    assert abs(steps - WALK_S * 110 / 60) <= 4, steps
