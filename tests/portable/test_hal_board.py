"""Fields of board.json and settings.json, valid and wrong."""

import json
import os

from hal.board import Board, load
from hal.settings import save_limits, save_mount
from retrostep_core.codes import LEFT, RIGHT, SHANK, WAIST
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json
from support.disk import Disk
from support.wearable import VIRTUAL


def but(**changes):
    board = dict(VIRTUAL)
    board.update(changes)
    return board


def test_a_valid_board_is_read_completely():
    board = Board(VIRTUAL, {})
    assert board.problems == []
    assert (board.name, board.link, board.watermark, board.auto_stop_s) == ("VIRTUAL", "usb", 12, 60)
    assert (board.side, board.placement) == (LEFT, SHANK)
    assert board.mount_text == "+y+z+x" and board.mount == ((1, 1), (2, 1), (0, 1))
    assert board.limits == Limits()


def test_the_wearers_side_chooses_the_mount():
    board = Board(VIRTUAL, {"side": "right", "placement": "waist"})
    assert (board.side, board.placement, board.mount_text) == (RIGHT, WAIST, "-y-z+x")
    assert Board(VIRTUAL, {"side": "right", "mount": "+x+y+z"}).mount_text == "+x+y+z"


def test_limits_in_the_settings_apply():
    limits = limits_from_json({"session_stop_s": 120})
    from binascii import hexlify

    board = Board(VIRTUAL, {"limits": hexlify(limits.pack()).decode()})
    assert board.limits == limits and board.problems == []


def test_every_wrong_setting_is_named_and_replaced():
    for settings, word in (
        ({"side": "up"}, "side"),
        ({"placement": 3}, "placement"),
        ({"limits": "zz"}, "limits"),
        ({"limits": 7}, "limits"),
        ({"limits": "00" * 24}, "limits"),
        ({"mount": "+x+x+z"}, "mount"),
        ({"mount": 5}, "mount"),
        ({"haptic": 101}, "haptic"),
        ({"haptic": "strong"}, "haptic"),
        ({"led": 2}, "led"),
        ({"auto_start": None}, "auto_start"),
        ({"auto_stop_s": 9}, "auto_stop_s"),
        ({"nickname": 7}, "nickname"),
    ):
        board = Board(VIRTUAL, settings)
        assert len(board.problems) == 1 and word in board.problems[0], (settings, board.problems)
        assert board.imu and board.side == LEFT and board.limits == Limits()


def test_the_settings_say_how_the_device_behaves():
    board = Board(VIRTUAL, {"haptic": 60, "led": False, "auto_start": 0, "auto_stop_s": 120, "nickname": "Ada left"})
    assert board.problems == [] and (board.auto_stop_s, board.auto_start, board.nickname) == (120, False, "Ada left")
    assert board.haptic_percent == 60 and board.feedback == {"haptic": VIRTUAL["feedback"]["haptic"]}
    board = Board(VIRTUAL, {"haptic": 0, "led": True})
    assert board.feedback == {"led": VIRTUAL["feedback"]["led"]} and board.auto_start
    assert set(VIRTUAL["feedback"]) == {"led", "haptic"}
    assert Board(but(feedback=None), {"haptic": 0, "led": 0}).feedback is None


def test_wrong_hardware_is_left_out_and_reported():
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
        assert len(found.problems) == 1 and part in found.problems[0]


def test_a_board_without_button_feedback_and_battery_is_valid():
    board = Board({key: VIRTUAL[key] for key in VIRTUAL if key not in ("button", "feedback", "battery")}, {})
    assert board.problems == [] and board.button is board.feedback is board.battery is None


def test_files_that_are_missing_or_damaged():
    disk = Disk()
    board = load(disk.root)
    assert len(board.problems) == 1 and "board.json is missing" in board.problems[0]
    assert board.imu is None and board.name == "unknown"
    disk.put("board.json", json.dumps(VIRTUAL).encode())
    assert load(disk.root).problems == []
    for damage in (b"{", b"", b"[1]", b"\xff\xfe"):
        disk.put("settings.json", damage)
        board = load(disk.root)
        assert len(board.problems) == 1 and "settings.json" in board.problems[0], (damage, board.problems)
        assert board.name == "VIRTUAL"


def test_limits_are_kept_beside_the_other_settings():
    disk = Disk()
    disk.put("board.json", json.dumps(VIRTUAL).encode())
    disk.put("settings.json", b'{"side": "right"}')
    limits = limits_from_json({"ceiling_stop_spm": 199.5})
    save_limits(limits, disk.root)
    save_mount("-x-y+z", disk.root)
    disk.cut()
    board = load(disk.root)
    assert board.limits == limits and board.side == RIGHT and board.problems == []
    assert board.mount_text == "-x-y+z"
    assert "settings.json.new" not in os.listdir(disk.root + "/")
