"""Settings of the virtual board: shown, changed, kept over power cuts; and a device that blinks."""

import json
import time
from pathlib import Path

from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.link.messages import IN_SESSION
from support.cli import Retrostep, one_sentence
from support.flash_files import files_on, new_flash, put_files
from support.virtual_board_process import VirtualBoard, wait_until

SPEED = 5


def test_settings_are_shown_changed_and_kept_over_a_power_cut(tmp_path: Path, retrostep: Retrostep) -> None:
    flash = tmp_path / "flash.bin"
    device = new_flash(flash)
    put_files(flash, {"settings.json": json.dumps({"mount": "+y+z+x", "limits": "x", "mine": 1}).encode()})
    with VirtualBoard("--speed", SPEED, flash=flash, ready=True) as board:
        shown = retrostep("settings", "--port", board.port)
        assert shown.status == 0 and "side        left (default)" in shown.out and "+y+z+x (calibrated)" in shown.out
        # The damaged limits are a wrong setting, and the device reports it; what it shows is not changed by that.
        put = retrostep("settings", "--port", board.port, "--led", "off")
        assert put.status == 1 and "set it again" in one_sentence(put)
    put_files(flash, {"settings.json": json.dumps({"mount": "+y+z+x", "mine": 1}).encode()})
    words = ["--side", "right", "--haptic", "60", "--auto-start", "off", "--auto-stop", "2min", "--led", "off"]
    with VirtualBoard("--speed", SPEED, flash=flash, ready=True) as board:
        with DeviceClient(SerialPort(board.port)) as client:
            client.set_clock()
        changed = retrostep("settings", "--port", board.port, *words, "--nickname", " Ada   right ")
        assert changed.status == 0, changed.err
        assert "calibrated mount was found on the other leg" in changed.out
        with DeviceClient(SerialPort(board.port)) as client:
            hello = client.hello()
            assert hello.epoch_ms and hello.nickname == "Ada right" and client.calibration().mount == "-y-z+x"
        board.cut_power()
    kept = {"side": "right", "haptic": 60, "auto_start": 0, "auto_stop_s": 120, "nickname": "Ada right", "led": 0, "mine": 1}
    assert json.loads(files_on(flash)["settings.json"]) == kept
    with VirtualBoard("--speed", SPEED, flash=flash, ready=True) as board:
        facts = retrostep("settings", "--port", board.port, "--json").json
        assert facts["settings"] == {**{name: kept[name] for name in kept if name != "mine"}, "placement": "shank", "ble": 0}
        assert facts["device"] == device and "placement" not in facts["own"] and facts["mount"] is None
        assert f"{device} (Ada right)" in retrostep("devices", "--port", board.port).out


def test_a_device_in_a_session_is_left_alone(tmp_path: Path, retrostep: Retrostep) -> None:
    pins = tmp_path / "pins"
    with VirtualBoard("--pins", pins, ready=True) as board:
        VirtualBoard.drive(pins, 0, "0")
        time.sleep(0.3)
        VirtualBoard.drive(pins, 0, "1")

        def in_session() -> bool:
            with DeviceClient(SerialPort(board.port)) as client:
                return client.hello().state == IN_SESSION

        wait_until(in_session, "a session")
        for arguments in (("settings",), ("settings", "--side", "right")):
            refused = retrostep(*arguments, "--port", board.port)
            assert refused.status == 1 and "is in a session, which this would end" in one_sentence(refused)
        checked = retrostep("doctor", "--port", board.port, "--json").json["checks"]
        assert "session" in [check["check"] for check in checked] and "self-test" not in [check["check"] for check in checked]
        assert in_session()


def test_a_device_blinks_also_with_a_weaker_motor(tmp_path: Path, retrostep: Retrostep) -> None:
    pins, flash = tmp_path / "pins", tmp_path / "flash.bin"
    device = new_flash(flash)
    put_files(flash, {"settings.json": b'{"haptic": 40}'})
    with VirtualBoard("--pins", pins, flash=flash, ready=True) as board:
        ran = retrostep("devices", "blink", "--port", board.port)
        assert ran.status == 0 and ran.out == f"{device} pulses eight times.\n"
        wait_until(lambda: pins.read_bytes()[384 + 4] == 40, "a pulse of 40 % strength")
        wait_until(lambda: pins.read_bytes()[128 + 4 * 4] == 8 and pins.read_bytes()[128 + 4 * 2] >= 8, "eight pulses")
