"""The doctor with boards that answer anything, and the measurements that it makes of the sensor's samples."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.device.boards import read_board
from retrostep.doctor import app_checks, sensor_test
from retrostep.doctor.board_checks import BUTTON, FACTS, PULSES, check_stopped
from retrostep.doctor.check import FAIL, Report
from retrostep.errors import NoRepl
from retrostep_core.codes import FAULT_RESTARTED

BOARD = read_board("VIRTUAL")
MPY = ["esp32", "Generic ESP32 module with ESP32", [1, 27, 0], 6 | 3 << 8]


def answers(acc_test: float = 500, gyr_test: float = 400, noise: int = 1, g: float = 1.0, hz: float = 104.0) -> list[Any]:
    """What the script of the sensor's test prints: 24 reads, then begin, words, end and the FIFO."""

    def reads(change: float, unit: float) -> list[str]:
        rest, tested = struct.pack("<hhh", 5, -5, 0), struct.pack("<hhh", *(round(offset + change / unit) for offset in (5, -5, 0)))
        # The first sample of each half has not settled.
        return [half.hex() for one in (rest, tested) for half in [b"\xff\x7f" * 3, *5 * [one]]]

    words, begun = round(hz * 2 * 2), 1_073_000_000
    ended = (begun + 2_000_000) & 0x3FFFFFFF
    z = round(g * 1000 / 0.488)
    fifo = b"".join(
        bytes([tag << 3]) + struct.pack("<hhh", *((0, 0, z + noise * (n % 2)) if tag == 2 else (0, 0, 0)))
        for n in range(words // 2)
        for tag in (1, 2)
    )
    return [*reads(acc_test, 0.122), *reads(gyr_test, 0.07), begun, words, ended, fifo.hex()]


class Tool:
    """A board at its prompt. `sensor` is the answer to its test, `facts` that about memory and board.json."""

    def __init__(self, facts: Any, identity: Any, sensor: Any) -> None:
        self.facts, self.identity, self.sensor = facts, identity, sensor

    def ask(self, script: str) -> Any:
        if script == FACTS:
            return self.facts
        if "sys.implementation" in script:
            return MPY
        if "I2C" in script:
            return [self.identity, [] if "for op, reg, n in []" in script else self.sensor]
        assert script.startswith((BUTTON[:20], PULSES[:20]))
        return False


def examined(**changes: Any) -> dict[str, list[str]]:
    """{check: its verdicts} of a board with these measurements."""
    report = Report("/dev/fake")
    facts = [160_000, 1_000_000, 2_000_000, json.dumps(BOARD)]
    check_stopped(report, Tool(facts, [[0x6A, 0x6C]], answers(**changes)), None)  # type: ignore[arg-type]
    found: dict[str, list[str]] = {}
    for check in report.checks:
        found.setdefault(check.name, []).append(check.verdict)
    return found


@pytest.mark.parametrize(
    ("changes", "check", "verdicts"),
    [
        ({}, "self-test", ["ok", "ok"]),
        ({"acc_test": 51}, "self-test", ["ok", "ok"]),
        ({"acc_test": 49}, "self-test", ["fail", "ok"]),
        ({"acc_test": 1710}, "self-test", ["fail", "ok"]),
        ({"gyr_test": -151}, "self-test", ["ok", "ok"]),
        ({"gyr_test": 149}, "self-test", ["ok", "fail"]),
        ({"gyr_test": 701}, "self-test", ["ok", "fail"]),
        ({"hz": 104}, "sample rate", ["ok"]),
        ({"hz": 97}, "sample rate", ["warn"]),
        ({"hz": 92}, "sample rate", ["fail"]),
        ({"hz": 116}, "sample rate", ["fail"]),
        ({"noise": 0}, "noise", ["fail"]),
        ({"noise": 20}, "noise", ["ok"]),
        ({"noise": 40}, "noise", ["warn"]),
        ({"noise": 200}, "noise", ["fail"]),
        ({"g": 0.8}, "gravity", ["fail"]),
        ({"g": 1.1}, "gravity", ["ok"]),
    ],
)
def test_each_measurement_has_its_limits(changes: dict[str, Any], check: str, verdicts: list[str]) -> None:
    found = examined(**changes)
    assert found[check] == verdicts
    assert not changes or all(set(others) == {"ok"} for name, others in found.items() if name != check)


@pytest.mark.parametrize("family", [sensor_test.TAGGED, sensor_test.PATTERNED])
def test_the_ops_restore_the_sensor_and_leave_no_stimulus(family: sensor_test.Fifo) -> None:
    ops = sensor_test.ops(family)
    stimuli = [value for op, register, value in ops if op == "w" and register == 0x14]
    assert stimuli == [0, 1, 0, 0, 4, 0] and ops[0] == ops[-1] == ("w", 0x12, 1)
    assert sum(value for op, _, value in ops if op == "s") < 10_000


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.sampled_from(["imu", "i2c", "button", "feedback", "name"])


@given(facts=ANY, identity=ANY, sensor=ANY, changes=st.dictionaries(PARTS, ANY, max_size=3), is_board=st.booleans())
def test_any_answer_is_a_check_or_no_repl(facts: Any, identity: Any, sensor: Any, changes: dict[str, Any], is_board: bool) -> None:
    if is_board:
        facts = [160_000, 1_000_000, 2_000_000, json.dumps({**BOARD, **changes})]
    report = Report("/dev/fake")
    try:
        check_stopped(report, Tool(facts, identity, sensor), None)  # type: ignore[arg-type]
    except NoRepl as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert is_board or FAIL in {check.verdict for check in report.checks} or facts
    assert all((check.verdict == "ok") == (check.problem is None) for check in report.checks)


@pytest.mark.parametrize(("faults", "verdict"), [(0, "ok"), (FAULT_RESTARTED, "warn"), (FAULT_RESTARTED - 1, "ok")])
def test_a_reset_by_the_watchdog_is_named(faults: int, verdict: str) -> None:
    report = Report("/dev/fake")
    app_checks._check_watchdog(report, faults)
    assert [(check.name, check.verdict) for check in report.checks] == [("watchdog", verdict)]
