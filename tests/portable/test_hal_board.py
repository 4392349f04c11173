"""What board.json and settings.json may say, and what happens where they say nonsense."""

import json
import os

from disk import Disk
from hal.board import Board, load
from hal.settings import save_limits, save_mount
from retrostep_core.gait.codes import LEFT, RIGHT, SHANK, WAIST
from retrostep_core.gait.limits import Limits

VIRTUAL = {
    "name": "VIRTUAL",
    "link": "usb",
    "i2c": {"id": 0, "scl": 22, "sda": 21, "freq_hz": 400000},
    "imu": {"model": "LSM6DSOX", "address": 106},
    "mount_left": "+y+z+x",
    "mount_right": "-y-z+x",
    "side": "left",
    "placement": "shank",
    "button": {"pin": 0, "active_low": True},
    "signal": {"led": 2, "haptic": 4},
    "battery": {"pin": 35, "scale_x100": 200},
    "rates": {"odr_hz": 104, "watermark": 12},
    "auto_stop_s": 60,
}


def but(**changes):
    board = dict(VIRTUAL)
    board.update(changes)
    return board


def test_a_sound_board_is_taken_as_it_stands():
    board = Board(VIRTUAL, {})
    assert board.trouble == []
    assert (board.name, board.link, board.watermark, board.auto_stop_s) == ("VIRTUAL", "usb", 12, 60)
    assert (board.side, board.placement) == (LEFT, SHANK)
    assert board.mount_text == "+y+z+x" and board.mount == ((1, 1), (2, 1), (0, 1))
    assert board.limits == Limits()


def test_the_wearers_side_chooses_the_mount():
    board = Board(VIRTUAL, {"side": "right", "placement": "waist"})
    assert (board.side, board.placement, board.mount_text) == (RIGHT, WAIST, "-y-z+x")
    assert Board(VIRTUAL, {"side": "right", "mount": "+x+y+z"}).mount_text == "+x+y+z"


def test_limits_in_the_settings_hold():
    limits = Limits.from_dict({"session_stop_s": 120})
    from binascii import hexlify

    board = Board(VIRTUAL, {"limits": hexlify(limits.pack()).decode()})
    assert board.limits == limits and board.trouble == []


def test_every_unusable_field_is_named_and_replaced():
    for settings, word in (
        ({"side": "up"}, "side"),
        ({"placement": 3}, "placement"),
        ({"limits": "zz"}, "limits"),
        ({"limits": 7}, "limits"),
        ({"limits": "00" * 24}, "limits"),
        ({"mount": "+x+x+z"}, "mount"),
        ({"mount": 5}, "mount"),
    ):
        board = Board(VIRTUAL, settings)
        assert len(board.trouble) == 1 and word in board.trouble[0], (settings, board.trouble)
        assert board.imu and board.side == LEFT and board.limits == Limits()


def test_unusable_hardware_is_left_out_and_said():
    for board, part in (
        (but(imu={"model": "MPU6050", "address": 104}), "imu"),
        (but(imu=None), "imu"),
        (but(i2c={"id": 0}), "i2c"),
        (but(i2c=[]), "i2c"),
        (but(battery={"pin": "A1", "scale_x100": 200}), "battery"),
        (but(button={}), "button"),
    ):
        found = Board(board, {})
        assert getattr(found, part) is None, part
        assert len(found.trouble) == 1 and part in found.trouble[0]


def test_a_board_without_button_signal_and_battery_is_sound():
    board = Board({key: VIRTUAL[key] for key in VIRTUAL if key not in ("button", "signal", "battery")}, {})
    assert board.trouble == [] and board.button is board.signal is board.battery is None


def test_files_that_are_missing_or_damaged():
    disk = Disk()
    board = load(disk.root)
    assert len(board.trouble) == 1 and "board.json is missing" in board.trouble[0]
    assert board.imu is None and board.name == "unknown"
    disk.put("board.json", json.dumps(VIRTUAL).encode())
    assert load(disk.root).trouble == []
    for damage in (b"{", b"", b"[1]", b"\xff\xfe"):
        disk.put("settings.json", damage)
        board = load(disk.root)
        assert len(board.trouble) == 1 and "settings.json" in board.trouble[0], (damage, board.trouble)
        assert board.name == "VIRTUAL"


def test_limits_are_kept_beside_the_other_settings():
    disk = Disk()
    disk.put("board.json", json.dumps(VIRTUAL).encode())
    disk.put("settings.json", b'{"side": "right"}')
    limits = Limits.from_dict({"ceiling_stop_spm": 199.5})
    save_limits(limits, disk.root)
    save_mount("-x-y+z", disk.root)
    disk.cut()
    board = load(disk.root)
    assert board.limits == limits and board.side == RIGHT and board.trouble == []
    assert board.mount_text == "-x-y+z"
    assert "settings.json.new" not in os.listdir(disk.root + "/")
