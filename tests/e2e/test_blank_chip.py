"""From a blank chip to a device: esptool itself talks to a model of the ROM's loader, which then runs MicroPython."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import Retrostep, one_sentence
from support.flash_files import put_sessions
from support.flashable import stand_in_image
from support.logs import session_log
from support.virtual_board_process import VirtualBoard

ESPTOOL = [sys.executable, "-m", "esptool", "--chip", "esp32"]


@pytest.mark.parametrize(
    ("option", "part"),
    [("", "is blank: it has no MicroPython yet"), ("--in-loader", "waits in its ROM loader"), ("--boot-loop", "finds no valid program")],
)
def test_every_command_recognises_a_chip_without_a_program(option: str, part: str, retrostep: Retrostep) -> None:
    with VirtualBoard("--chip", "esp32", *option.split()) as chip:
        for command in ("devices", "sync", "monitor", "calibrate", "rescue", "deploy --board VIRTUAL"):
            ran = retrostep(*command.split(), "--port", chip.port)
            assert ran.status == 1, command
            message = one_sentence(ran)
            assert part in message and f"`retrostep flash --board NAME --port {chip.port}`" in message, command


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c3", "esp32c6"])
@pytest.mark.parametrize("stub", [[], ["--no-stub"]])
def test_esptool_writes_and_verifies_with_the_loader_of_every_chip(tmp_path: Path, chip: str, stub: list[str]) -> None:
    image = stand_in_image(tmp_path, chip)
    offset = "0x1000" if chip == "esp32" else "0x0"
    with VirtualBoard("--chip", chip) as board:
        command = [sys.executable, "-m", "esptool", "--chip", "auto", "--port", board.port, "--baud", "460800", *stub]
        run = subprocess.run([*command, "write-flash", offset, str(image)], capture_output=True, text=True, timeout=200)
    assert run.returncode == 0 and "Hash of data verified" in run.stdout, run.stdout + run.stderr


def test_a_blank_chip_becomes_a_device(tmp_path: Path, retrostep: Retrostep) -> None:
    with VirtualBoard("--chip", "esp32", flash=tmp_path / "flash.bin") as chip:
        ran = retrostep("flash", "--board", "VIRTUAL", "--port", chip.port, "--image", stand_in_image(tmp_path))
        assert ran.status == 0, ran.err
        assert "runs MicroPython 1.28.0 and Retrostep" in ran.out
        [device] = retrostep("devices", "--port", chip.port, "--json").json["devices"]
    assert device["board"] == "VIRTUAL" and device["core"] == "same" and device["device"] in ran.out
    # The files are on its flash: after a power cut the board starts by itself.
    with VirtualBoard(flash=tmp_path / "flash.bin") as board:
        [again] = retrostep("devices", "--port", board.port, "--json").json["devices"]
    assert again["device"] == device["device"]


def test_a_running_board_is_flashed_again_once_its_sessions_are_safe(
    tmp_path: Path, provisioned: tuple[Path, str], retrostep: Retrostep
) -> None:
    flash, (_, device) = tmp_path / "flash.bin", provisioned
    flash.write_bytes(provisioned[0].read_bytes())
    put_sessions(flash, {7: session_log(7, device=device)})
    again = ("flash", "--board", "VIRTUAL", "--image", stand_in_image(tmp_path))
    with VirtualBoard("--speed", "5", flash=flash, ready=True) as board:
        refused = retrostep(*again, "--port", board.port)
        assert refused.status == 1 and f"1 session of {device} is not synced" in one_sentence(refused)
        assert retrostep("sync", "--port", board.port).status in (0, 4)
        ran = retrostep(*again, "--port", board.port)
        assert ran.status == 0 and f"{device} runs MicroPython 1.28.0" in ran.out, ran.err
        [after] = retrostep("devices", "--port", board.port, "--json").json["devices"]
    assert after["device"] == device and after["sessions_to_sync"] == 0
    assert f"{device}/7" in retrostep("sessions").out


def test_another_chip_than_the_boards_is_refused_before_anything_is_erased(
    tmp_path: Path, provisioned: tuple[Path, str], retrostep: Retrostep
) -> None:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(provisioned[0].read_bytes())
    with VirtualBoard("--chip", "esp32s3", "--in-loader", flash=flash) as chip:
        ran = retrostep("flash", "--board", "VIRTUAL", "--port", chip.port, "--image", stand_in_image(tmp_path), "--erase")
        assert ran.status == 1 and "is an ESP32-S3, but the board has an ESP32. Nothing was erased." in one_sentence(ran)
        # The reset after it starts the program that was there.
        assert json.loads(retrostep("devices", "--port", chip.port, "--json").out)["devices"][0]["device"] == provisioned[1]
