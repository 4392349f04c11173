"""The doctor examines the virtual board: a good one passes every check, and each fault is found with its cure."""

import os
import select
from pathlib import Path
from typing import Any

import click
import pytest
from retrostep.cli import doctor as command_module
from retrostep.device.boards import sensors
from retrostep.doctor import port_checks
from support.cli import Ran, Retrostep
from support.flash_files import files_on, new_flash, put_files
from support.virtual_board_process import VirtualBoard

SPEED = 5


def checks(ran: Ran) -> dict[str, list[dict[str, Any]]]:
    """{check: its results}. Each problem has a cure, and nothing else has one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for check in ran.json["checks"]:
        assert (check["verdict"] == "ok") == (check["cure"] is None), check
        assert check["cure"] is None or check["cure"].endswith("."), check
        found.setdefault(check["check"], []).append(check)
    return found


def problems(ran: Ran) -> dict[str, str]:
    """{check: verdict} of those that are not ok."""
    return {name: check["verdict"] for name, results in checks(ran).items() for check in results if check["verdict"] != "ok"}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program on this computer takes serial ports."""
    monkeypatch.setattr(port_checks, "_rivals", lambda: [])


@pytest.mark.usefixtures("alone")
def test_a_good_board_passes_and_stays_as_it_was(tmp_path: Path, provisioned: tuple[Path, str], retrostep: Retrostep) -> None:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(provisioned[0].read_bytes())
    with VirtualBoard("--speed", SPEED, flash=flash, ready=True) as board:
        before = retrostep("doctor", "--port", board.port, "--json")
        assert before.status == 0 and before.json["device"] == provisioned[1]
        assert problems(before) == {"clock": "warn"} and before.json["verdict"] == "warn"
        assert f"`retrostep sync --port {board.port}`" in checks(before)["clock"][0]["cure"]
        assert retrostep("sync", "--port", board.port).status == 0
        after = retrostep("doctor", "--port", board.port, "--json")
        # The restart of its program has not cost it the time.
        assert after.json["verdict"] == "ok" and retrostep("doctor", "--port", board.port, "--json").json["verdict"] == "ok"
        plain = retrostep("doctor", "--port", board.port)
    assert plain.status == 0 and f"{provisioned[1]} works." in plain.out
    found = checks(after)
    assert {"port", "firmware", "clock", "battery", "mount", "MicroPython", "heap", "flash", "sensor", "button", "restart"} <= set(found)
    assert [check["measured"] for check in found["self-test"]] == [
        "accelerometer 500, 500, 500 mg (50 to 1700)",
        "gyroscope 400, 400, 400 degrees/s (150 to 700)",
    ]
    assert 102 < float(found["sample rate"][0]["measured"].split()[0]) < 107


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("model", [model for model in sensors() if model != "LSM6DSOX"])
def test_each_sensor_is_tested_at_its_own_ranges(retrostep: Retrostep, model: str) -> None:
    with VirtualBoard("--speed", SPEED, "--sensor", model, ready=True) as board:
        ran = retrostep("doctor", "--port", board.port, "--json")
    assert problems(ran) == {"clock": "warn"}
    found = checks(ran)
    assert found["sensor"][0]["measured"] == f"{model} at 0x6A" and found["gravity"][0]["measured"] == "1.00 g at rest"
    assert found["self-test"][0]["measured"].startswith("accelerometer 500, 500, 500 mg")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("options", "check", "measured", "cure"),
    [
        (["--fault", "imu-missing"], "sensor", "nothing answers at 0x6A or 0x6B", "SDA to GPIO 21, SCL to GPIO 22, 3V3, GND"),
        (["--fault", "imu-at=0x6B"], "sensor", "answers at 0x6B, not at 0x6A", "imu.address to 107 in boards/VIRTUAL/board.json"),
        (["--fault", "who-am-i=0x69"], "sensor", "LSM6DS33 at 0x6A, but board.json says LSM6DSOX", "Solder an LSM6DSOX on"),
        (["--fault", "gyro-dead=0:99999"], "self-test", "gyroscope 0, 0, 0 degrees/s", "replace the sensor"),
        (["--fault", "imu-frozen=0:99999"], "noise", "the values do not change", "off and on"),
        (["--fault", "imu-noisy=0:99999"], "noise", " mg, ", "still on a table"),
        (["--fault", "imu-heavy=0:99999"], "gravity", "2.00 g at rest", "still on a table"),
    ],
)
def test_each_fault_of_the_sensor_is_found(
    tmp_path: Path, provisioned: tuple[Path, str], retrostep: Retrostep, options: list[str], check: str, measured: str, cure: str
) -> None:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(provisioned[0].read_bytes())
    with VirtualBoard("--speed", SPEED, *options, flash=flash, ready=True) as board:
        ran = retrostep("doctor", "--port", board.port, "--json")
    assert ran.status == 1 and ran.json["verdict"] == "fail"
    [failed] = [one for one in checks(ran)[check] if one["verdict"] == "fail"]
    assert measured in failed["measured"] and cure in failed["cure"]
    assert checks(ran)["restart"][0]["verdict"] == "ok"


@pytest.mark.usefixtures("alone")
def test_another_core_a_full_flash_and_a_pressed_button_are_found(tmp_path: Path, retrostep: Retrostep) -> None:
    flash, pins = tmp_path / "flash.bin", tmp_path / "pins"
    new_flash(flash)
    core = files_on(flash)["lib/retrostep_core/__init__.py"]
    put_files(flash, {"lib/retrostep_core/__init__.py": core + b"# another\n", "fill": bytes(1_200_000)})
    with VirtualBoard("--speed", SPEED, "--pins", pins, flash=flash, ready=True) as board:
        VirtualBoard.drive(pins, 0, "0")
        ran = retrostep("doctor", "--port", board.port, "--json")
        VirtualBoard.drive(pins, 0, "1")
    found = problems(ran)
    assert found["firmware"] == "warn" and found["flash"] in ("warn", "fail") and found["button"] == "fail"
    assert "`retrostep deploy --board VIRTUAL" in checks(ran)["firmware"][0]["cure"]
    assert "`retrostep sync" in checks(ran)["flash"][0]["cure"]


@pytest.mark.usefixtures("alone")
def test_a_person_feels_the_motor_and_presses_the_button(tmp_path: Path, retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tmp_path / "pins"
    asked: list[str] = []

    class Wearer:
        def agrees(self, question: str) -> bool:
            asked.append(question)
            return "LED" in question

        def told(self, text: str) -> None:
            VirtualBoard.drive(pins, 0, "0")

    monkeypatch.setattr(command_module, "Keyboard", Wearer)
    monkeypatch.setattr(command_module, "can_ask", lambda: True)
    with VirtualBoard("--speed", SPEED, "--pins", pins, ready=True) as board:
        ran = retrostep("doctor", "--port", board.port)
        VirtualBoard.drive(pins, 0, "-")
        rises = pins.read_bytes()[128:]
    assert asked == ["Did you feel two pulses?", "Did the LED flash twice?"]
    assert rises[4 * 4] >= 2 and rises[4 * 2] >= 2
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["ok", "button", "works"] in lines and ["ok", "LED", "works"] in lines and ["fail", "motor", "not", "noticed"] in lines
    assert ran.status == 1


@pytest.mark.usefixtures("alone")
def test_ctrl_c_at_a_question_leaves_what_was_found_so_far(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient:
        def agrees(self, question: str) -> bool:
            raise click.Abort  # as click.confirm does on Ctrl-C

        def told(self, text: str) -> None:
            """The button is not pressed."""

    monkeypatch.setattr(command_module, "Keyboard", Impatient)
    monkeypatch.setattr(command_module, "can_ask", lambda: True)
    with VirtualBoard("--speed", SPEED, ready=True) as board:
        ran = retrostep("doctor", "--port", board.port)
        assert retrostep("devices", "--port", board.port).status == 0, "its program runs again"
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.status == 1 and ["ok", "sensor", "LSM6DSOX", "at", "0x6A"] in lines and "was not examined completely." in ran.out
    assert " works." not in ran.out and "The board's program starts again." in ran.err


@pytest.mark.usefixtures("alone")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_a_silent_port_is_asked_for_ten_seconds_in_all(retrostep: Retrostep) -> None:
    board, line = os.openpty()
    tty = pytest.importorskip("tty")
    tty.setraw(line)
    ran = retrostep("doctor", "--port", os.ttyname(line), "--json")
    os.set_blocking(board, False)
    asked = b"".join(iter(lambda: os.read(board, 4_096) if select.select([board], [], [], 0)[0] else b"", b""))
    os.close(board)
    os.close(line)
    assert ran.status == 1 and problems(ran) == {"firmware": "fail", "MicroPython": "fail"}
    assert 5 <= asked.count(b"\r\x03\x03\x02") <= 7, "twice a second, for 3 s after the firmware did not answer"


def test_a_port_that_cannot_be_used_is_the_only_check(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_checks, "_rivals", lambda: ["ModemManager", "brltty"])
    ran = retrostep("doctor", "--port", "/dev/ttyNONE7", "--json")
    assert ran.status == 1 and problems(ran) == {"port": "fail", "other programs": "warn"}
    assert "systemctl disable --now ModemManager" in ran.out and "apt remove brltty" in ran.out


@pytest.mark.usefixtures("alone")
def test_a_blank_chip_is_named(retrostep: Retrostep) -> None:
    with VirtualBoard("--chip", "esp32c3") as chip:
        ran = retrostep("doctor", "--port", chip.port, "--json")
    assert ran.status == 1 and problems(ran) == {"program": "fail"}
    assert "is blank" in checks(ran)["program"][0]["cure"] and "`retrostep flash" in checks(ran)["program"][0]["cure"]
