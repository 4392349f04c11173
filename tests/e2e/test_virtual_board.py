"""The virtual board as a host sees it: its tty, flash, resets, time, leg, faults and errors."""

import json
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from retrostep.deploy.firmware_files import firmware_files
from support.flash_files import new_flash, put_files
from support.virtual_board_process import PATIENCE_S, ROOT, VIRTUAL_BOARD, VirtualBoard, read_image, wait_until, write_image

# Answers every line with its length and the reversed line.
ECHO = """
import sys
print("ready")
while True:
    line = sys.stdin.readline().rstrip()
    print("%d %s" % (len(line), "".join(reversed(line))))
"""
# Reads nothing for some seconds, then prints the length of the first line.
DEAF = "import sys, time\nprint('deaf')\ntime.sleep({})\nprint('n', len(sys.stdin.readline()))\ninput()"
READ_RAW = """
import machine, time
i2c = machine.I2C(0)
def words(register, n):
    raw = i2c.readfrom_mem(106, register, 2 * n)
    values = [raw[2 * k] | raw[2 * k + 1] << 8 for k in range(n)]
    return [v - 65536 if v > 32767 else v for v in values]
def start():
    i2c.writeto_mem(106, 0x10, b"\\x44\\x4c")
    i2c.writeto_mem(106, 0x09, b"\\x44")
    i2c.writeto_mem(106, 0x0A, b"\\x06")
"""


class Host:
    """A host at the other end of the cable."""

    def __init__(self, board: VirtualBoard) -> None:
        self.port = serial.Serial(board.port, 115200, timeout=0.02)
        self.seen = b""

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *unused: object) -> None:
        self.port.close()

    def send(self, text: str) -> None:
        self.port.write(text.encode())

    def read(self, count: int, timeout_s: float = PATIENCE_S) -> bytes:
        """`count` bytes, or those that arrived before the timeout."""
        end = time.monotonic() + timeout_s
        while len(self.seen) < count and time.monotonic() < end:
            self.seen += self.port.read(4096)
        data, self.seen = self.seen[:count], self.seen[count:]
        return data

    def until(self, text: str, timeout_s: float = PATIENCE_S) -> str:
        """All output before `text`."""
        end = time.monotonic() + timeout_s
        while text.encode() not in self.seen:
            assert time.monotonic() < end, f"{text!r} did not come, but {self.seen[-500:]!r}"
            self.seen += self.port.read(4096)
        head, _, self.seen = self.seen.partition(text.encode())
        return head.decode(errors="replace")

    def ask(self, code: str) -> object:
        """Evaluate an expression in the REPL."""
        self.send(f"import json; print('<' + json.dumps({code}) + '>')\r")
        self.until("\r\n<")
        return json.loads(self.until(">"))

    def repl(self) -> "Host":
        """Interrupt the program."""
        self.send("\x03")
        self.until(">>> ")
        self.do("pass")
        return self

    def do(self, code: str) -> None:
        """Run one line in the REPL to its end."""
        self.send(f"exec({code!r}); print('do' 'ne')\r")
        self.until("done\n>>> ")


def run(*options: object, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """Run virtual_board.py to its end."""
    command = [sys.executable, str(VIRTUAL_BOARD), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)


def alive(pid: int) -> bool:
    """Whether the process runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def interpreters(board: VirtualBoard) -> list[int]:
    """The child processes of virtual_board.py."""
    return [int(pid) for pid in Path(f"/proc/{board.pid}/task/{board.pid}/children").read_text().split()]


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    return write_image(tmp_path / "echo.flash", main=ECHO)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A board without a program: the REPL at once."""
    return write_image(tmp_path / "plain.flash")


@pytest.fixture
def repl(plain: Path) -> Iterator[Host]:
    with VirtualBoard(flash=plain) as board, Host(board) as host:
        yield host.repl()


def ramp(path: Path, seconds: int = 600, lines: str = "") -> Path:
    """A recording with a forward acceleration of 1 mg a second of its time; sampled at 10 Hz."""
    rows = "".join(f"{k / 10:.1f},{k / 10000:.4f},0,1,0,{k / 10:.1f},0\n" for k in range(10 * seconds + 1))
    head = "# retrostep-recording: 1\n# placement: shank\n# side: left\n# mount: +x+y+z\n"
    path.write_text(head + "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n" + rows + lines)
    return path


# The tty


def test_the_first_line_is_the_tty_and_nothing_follows(echo: Path) -> None:
    board = VirtualBoard(flash=echo)
    process = subprocess.Popen(board.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    path = process.stdout.readline().rstrip("\n")
    assert os.stat(path).st_rdev and path.startswith("/dev/")
    with serial.Serial(path, 115200, timeout=PATIENCE_S) as port:
        port.write(b"abc\n")
        assert b"3 cba\n" in port.read_until(b"cba\n")
    process.terminate()
    rest, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_hosts_connect_and_disconnect(echo: Path) -> None:
    with VirtualBoard(flash=echo) as board:
        for k in range(5):
            with Host(board) as host:
                host.send(f"host {k}\n")
                host.until(f"6 {k} tsoh\n")
                host.send("an answer that no host reads\n")
        with Host(board) as host:
            host.send("last\n")
            host.until("4 tsal\n")


def test_a_host_that_reads_nothing_does_not_block_the_next_one(echo: Path) -> None:
    with VirtualBoard(flash=echo) as board:
        with Host(board) as host:
            host.port.write_timeout = 0.5
            with pytest.raises(serial.SerialTimeoutException):
                for _ in range(1000):
                    host.send("x" * 500 + "\n")
        with Host(board) as host:
            host.send("\nnext\n")
            host.until("4 txen\n")


def test_a_request_sent_while_the_board_starts_is_answered(echo: Path) -> None:
    with VirtualBoard(flash=echo) as board, Host(board) as host:
        host.send("early\n")
        host.until("5 ylrae\n")


def test_output_without_a_host_is_lost_and_does_not_block(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", main="for k in range(20000): print('line', k)\nwhile True: print('done', input())")
    with VirtualBoard(flash=image) as board:
        time.sleep(1)
        with Host(board) as host:
            host.send("x\n")
            host.until("done x\n")


def test_bytes_pass_unchanged(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", main="import sys\nsys.stdin.readline()\nsys.stdout.buffer.write(bytes(range(256)) * 40)\ninput()")
    with VirtualBoard(flash=image) as board, Host(board) as host:
        host.send("\n")
        assert host.read(256 * 40) == bytes(range(256)) * 40


# The line


def test_a_uart_loses_bytes_while_its_ring_is_full(tmp_path: Path) -> None:
    main = "import machine, sys\nb = machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP)\nprint('deaf')\nwhile b.value(): pass\n"
    main += "print('hears')\nprint('n', len(sys.stdin.readline()))\nwhile True: sys.stdin.readline()"
    image, pins = write_image(tmp_path / "i", main=main), tmp_path / "pins"
    with VirtualBoard("--link", "uart", "--bps", 1000000, "--pins", pins, flash=image) as board, Host(board) as host:
        host.until("deaf\n")
        host.send("x" * 600)
        wait_until(lambda: not host.port.out_waiting, "the board's end of the line takes it")
        time.sleep(1)
        board.drive(pins, 0, "0")
        host.until("hears\n")
        # A line end that finds the ring still full is lost too.
        while b"n " not in host.seen:
            host.send("\n")
            host.seen += host.port.read(4096)
        assert host.until("\n").strip() == "n 260"


def test_usb_holds_bytes_back_while_its_ring_is_full(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", main=DEAF.format(1))
    with VirtualBoard("--link", "usb", flash=image) as board, Host(board) as host:
        host.until("deaf\n")
        host.send("x" * 2999 + "\n")
        assert host.until("\n").strip() == "n 3000"


def test_ctrl_c_passes_a_full_ring(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", main="import time\nprint('deaf')\nwhile True: time.sleep(1)")
    for link in ("uart", "usb"):
        with VirtualBoard("--link", link, flash=image) as board, Host(board) as host:
            host.until("deaf\n")
            host.send("x" * 200)
            host.send("\x03")
            host.until("KeyboardInterrupt")


def test_the_line_is_never_faster_than_its_rate(tmp_path: Path) -> None:
    main = "import sys\nprint('go')\ninput()\nsys.stdout.buffer.write(bytes(3000))\nsys.stdin.readline()\nprint('end')\ninput()"
    image = write_image(tmp_path / "i", main=main)
    with VirtualBoard("--bps", 20000, flash=image) as board, Host(board) as host:
        host.until("go\n")
        start = time.monotonic()
        host.send("\n")
        assert len(host.read(3000)) == 3000
        assert time.monotonic() - start > 1.4
        start = time.monotonic()
        host.send("y" * 1500 + "\n")
        host.until("end\n")
        assert time.monotonic() - start > 0.7


def test_the_cable_is_pulled_after_so_many_bytes(tmp_path: Path) -> None:
    main = "import sys\ninput()\nwith open('/kept', 'w') as f: f.write('kept')\nsys.stdout.buffer.write(bytes(100000))\ninput()"
    image = write_image(tmp_path / "i", main=main)
    with VirtualBoard("--cut-after", 5000, flash=image) as board:
        port = serial.Serial(board.port, 115200, timeout=1)
        port.write(b"\n")
        data = b""
        with pytest.raises((serial.SerialException, termios.error)):
            while True:
                data += port.read(1000)
        assert len(data) <= 5000
        assert board.wait() == 0
    assert read_image(image, "kept") == b"kept"


# REPL and resets


def test_a_program_that_ends_leaves_the_repl(repl: Host) -> None:
    assert repl.ask("6 * 7") == 42
    assert repl.ask("[n for n in dir() if n[0] != '_' and n != 'json']") == []
    assert repl.ask("__import__('sys').path") == ["", ".frozen", "/lib"]
    assert repl.ask("sorted(__import__('os').listdir('/'))") == ["board.json", "settings.json"]


def test_ctrl_d_restarts_the_program(tmp_path: Path) -> None:
    main = "import time\ntry: n = int(open('/n').read())\nexcept OSError: n = 0\n"
    main += "with open('/n', 'w') as f: f.write(str(n + 1))\nprint('run', n, time.ticks_ms())\nwhile True: time.sleep(1)"
    with VirtualBoard(flash=write_image(tmp_path / "i", main=main)) as board, Host(board) as host:
        last = -1
        for n in range(3):
            host.until(f"run {n} ")
            ticks = int(host.until("\n"))
            assert ticks > last
            last = ticks
            host.repl().send("\x04")
            host.until("MPY: soft reboot\r\n")


def test_a_program_that_exits_is_restarted(tmp_path: Path) -> None:
    main = "import sys\ntry: open('/n').close()\nexcept OSError:\n    open('/n', 'w').close()\n    sys.exit(5)\nprint('second', input())"
    with VirtualBoard(flash=write_image(tmp_path / "i", main=main)) as board, Host(board) as host:
        host.send("time\n")
        host.until("second time")


def test_a_failing_boot_file_keeps_the_program_away(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", boot="1 / 0", main="open('/ran', 'w').close()")
    with VirtualBoard(flash=image) as board, Host(board) as host:
        host.repl()
        assert host.ask("'ran' in __import__('os').listdir()") is False


def test_machine_reset_is_a_power_cycle(tmp_path: Path) -> None:
    main = "import machine, time\nprint('boot', machine.reset_cause(), time.ticks_ms() < 30000)"
    with VirtualBoard("--speed", 50, flash=write_image(tmp_path / "i", main=main)) as board, Host(board) as host:
        host.repl()
        assert host.ask("__import__('time').sleep(60)") is None
        host.send("import machine; machine.reset()\r")
        host.until("boot 2 True\n")
        host.until(">>> ")
        assert host.ask("1") == 1


def test_the_rtc_survives_a_soft_reset(repl: Host) -> None:
    repl.send("import machine; machine.RTC().datetime((2026, 11, 22, 0, 10, 0, 0, 0))\r\x04")
    repl.until("MPY: soft reboot")
    repl.until(">>> ")
    date = repl.ask("__import__('time').localtime()")
    assert isinstance(date, list) and date[:5] == [2026, 11, 22, 10, 0]
    assert repl.ask("__import__('time').mktime((2026, 11, 22, 10, 0, 0, 0, 0))") == 848656800


# Time


def test_ticks_wrap_as_on_a_board(repl: Host) -> None:
    assert repl.ask("[__import__('time').ticks_add(2**30 - 1, 3), __import__('time').ticks_diff(2, 2**30 - 1)]") == [2, 3]


@pytest.mark.parametrize("speed", [1, 40])
def test_every_kind_of_sleep_takes_its_time(speed: int, tmp_path: Path) -> None:
    code = """
import asyncio, json, select, sys, time
def took(f):
    start = time.ticks_ms()
    f()
    return time.ticks_diff(time.ticks_ms(), start)
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
async def nap():
    await asyncio.sleep_ms(500)
print(json.dumps([took(lambda: time.sleep_ms(500)), took(lambda: time.sleep(0.5)), took(lambda: time.sleep_us(500000)),
    took(lambda: poll.poll(500)), took(lambda: list(poll.ipoll(500))), took(lambda: asyncio.run(nap()))]))
"""
    with VirtualBoard("--speed", speed, flash=write_image(tmp_path / "i", main=code)) as board, Host(board) as host:
        start = time.monotonic()
        host.repl().send("\x04")
        host.until("[")
        for took in json.loads("[" + host.until("]") + "]"):
            # A late computer adds up to 50 ms before, during and after the sleep.
            assert 500 <= took <= 660, took
        assert time.monotonic() - start > 2.9 / speed


# The flash


def test_flash_keeps_what_was_flushed_through_a_power_cut(tmp_path: Path) -> None:
    main = """
f = open('/log', 'ab')
k = 0
while True:
    f.write(b'%06d\\n' % k)
    f.flush()
    print(k)
    k += 1
"""
    image = write_image(tmp_path / "i", main=main)
    with VirtualBoard(flash=image) as board, Host(board) as host:
        host.until("\n25\n")
        board.cut_power()
        lines = [line for line in host.seen.decode().split("\n")[:-1] if line]
    acknowledged = int(lines[-1]) if lines else 25
    kept = read_image(image, "log").split()
    assert len(kept) > acknowledged >= 25
    assert kept == [b"%06d" % k for k in range(len(kept))]


def test_ctrl_c_never_interrupts_a_write(tmp_path: Path) -> None:
    main = "k = 0\nwhile True:\n    with open('/f%d' % (k % 7), 'wb') as f: f.write(bytes(5000))\n    k += 1"
    image = write_image(tmp_path / "i", main=main)
    with VirtualBoard(flash=image) as board, Host(board) as host:
        for k in range(10):
            time.sleep(0.05 + 0.003 * k)
            host.send("\x03")
            host.until(">>> ")
            assert host.ask("len([open(n, 'rb').read() for n in __import__('os').listdir() if n[0] == 'f'])") is not None
            host.send("\x04")
            host.until("soft reboot")


def test_two_images_are_two_devices_and_an_image_stays_one(tmp_path: Path) -> None:
    seen = []
    for name in ("a", "b", "a"):
        image = tmp_path / name
        if not image.exists():
            write_image(image)
        with VirtualBoard(flash=image) as board, Host(board) as host:
            seen.append(host.repl().ask("list(__import__('machine').unique_id())"))
    assert seen[0] == seen[2] != seen[1]


def test_a_new_image_holds_what_deploy_copies_and_is_worn_as_the_recording_was(tmp_path: Path) -> None:
    recording = ramp(tmp_path / "waist.csv", 5)
    recording.write_text(recording.read_text().replace("shank", "waist").replace("left", "right").replace("+x+y+z", "?"))
    image = tmp_path / "new.flash"
    with VirtualBoard(flash=image, recording=recording):
        pass
    for name, content in firmware_files("VIRTUAL").items():
        assert read_image(image, name) == content, name
    assert json.loads(read_image(image, "settings.json")) == {"placement": "waist", "side": "right", "mount": "?"}
    with VirtualBoard(flash=image, recording=ramp(tmp_path / "shank.csv", 5)) as board:
        assert "recording is of the shank, but the device is set to waist" in board.errors()


def test_an_incomplete_new_image_is_written_again(tmp_path: Path) -> None:
    image = tmp_path / "half"
    image.write_bytes(bytes(8192) + b"half of it")
    with VirtualBoard(flash=image):
        pass
    assert b"Retrostep" in read_image(image, "main.py")


def test_one_image_runs_once(plain: Path) -> None:
    with VirtualBoard(flash=plain):
        second = run("--flash", plain)
    assert second.returncode == 1 and second.stdout == ""
    assert "another virtual board" in second.stderr and second.stderr.count("\n") == 1


def test_a_file_that_is_not_an_image_is_not_changed(tmp_path: Path) -> None:
    for size in (100, 2 * 1024 * 1024):
        other = tmp_path / "thesis.doc"
        other.write_bytes(b"Dear professor" + bytes(size))
        done = run("--flash", other)
        assert done.returncode == 1 and done.stdout == ""
        assert "not a flash image" in done.stderr and done.stderr.count("\n") == 1
        assert other.read_bytes() == b"Dear professor" + bytes(size)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = run("--flash", tmp_path / "missing/image")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "cannot be opened" in done.stderr


# The end


def test_the_interpreter_ends_with_its_board(echo: Path) -> None:
    for end in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with VirtualBoard(flash=echo) as board:
            with Host(board) as host:
                host.send("a\n")
                host.until("1 a\n")
            children = interpreters(board)
            assert len(children) == 1 and alive(children[0])
            os.kill(board.pid, end)
            assert board.wait() == (-signal.SIGKILL if end == signal.SIGKILL else 0)
            wait_until(lambda child=children[0]: not alive(child), "the interpreter has ended")


def test_without_its_packages_it_uses_those_of_the_project(echo: Path) -> None:
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        pytest.skip("these tests don't run from .venv, so the board has nowhere to turn to")
    process = subprocess.Popen([sys.executable, "-S", str(VIRTUAL_BOARD), "--flash", str(echo)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    path = process.stdout.readline().strip()
    process.terminate()
    process.communicate()
    assert path.startswith("/dev/")


@pytest.mark.parametrize(
    "options",
    [["--speed", "0"], ["--speed", "x"], ["--bps", "9"], ["--fault", "gremlins"], ["--fault", "imu-lost=3"], ["--cut-after", "0"]],
)
def test_wrong_options_are_usage_errors(options: list[str]) -> None:
    done = run(*options)
    assert done.returncode == 2 and done.stdout == "" and options[0] in done.stderr


# The leg


def test_the_recording_plays_from_when_the_fifo_is_switched_on_and_through_soft_resets(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", chip=READ_RAW)
    with VirtualBoard("--speed", 60, flash=image, recording=ramp(tmp_path / "ramp.csv")) as board, Host(board) as host:
        host.repl().do("from chip import *; i2c.writeto_mem(106, 0x10, b'\\x44\\x4c'); time.sleep(30)")
        assert host.ask("abs(words(0x2A, 1)[0]) < 3"), "the leg has not begun to move"
        host.do("start(); time.sleep(100)")
        # Body forward is sensor y on the left leg (board.json: +y+z+x), 0.488 mg a step.
        first = host.ask("words(0x2A, 1)[0] * 488 // 1000")
        assert isinstance(first, int) and 99 <= first <= 125, first
        host.send("\x04")
        host.until("soft reboot")
        host.until(">>> ")
        host.do("from chip import *; start(); time.sleep(50)")
        second = host.ask("words(0x2A, 1)[0] * 488 // 1000")
        assert isinstance(second, int) and first + 49 <= second <= first + 100, (first, second)


def test_after_the_recording_the_leg_stands_still(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", chip=READ_RAW)
    with VirtualBoard("--speed", 20, flash=image, recording=ramp(tmp_path / "ramp.csv", 5)) as board, Host(board) as host:
        host.repl().do("from chip import *; start(); time.sleep(20)")
        assert host.ask("words(0x22, 3)") == [0, 0, 0]
        acceleration = host.ask("words(0x28, 3)")
        assert isinstance(acceleration, list)
        assert abs(sum((a * 0.488) ** 2 for a in acceleration) ** 0.5 - 1000) < 2


def test_axes_are_those_that_the_board_assumes(tmp_path: Path) -> None:
    """One sensor axis each for forward, left and up, independent of the mount in the recording."""
    rows = "".join(f"{k / 100},-2,0.5,1,100,-50,0\n" for k in range(3000))
    for side, mount in (("left", "+y+z+x"), ("right", "-y-z+x")):
        recording = tmp_path / f"{side}.csv"
        # forward = -x = 2 g, left = -y = -0.5 g, up = +z = 1 g; rates: -100 about forward, 50 about left.
        recording.write_text(f"# side: {side}\n# mount: -x-y+z\nt_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n{rows}")
        image = write_image(tmp_path / f"{side}.flash", {"side": side}, chip=READ_RAW)
        sign = 1 if mount[0] == "+" else -1
        with VirtualBoard("--speed", 5, flash=image, recording=recording) as board, Host(board) as host:
            host.repl().do("from chip import *; start(); time.sleep(1)")
            acc, gyr = host.ask("words(0x28, 3)"), host.ask("words(0x22, 3)")
            assert isinstance(acc, list) and isinstance(gyr, list)
            # +y+z+x: forward is the sensor's y, left its z, up its x.
            expected = (1.0, sign * 2.0, sign * -0.5)
            assert [round(a * 0.488e-3, 1) for a in acc] == list(expected)
            assert [round(g * 0.07) for g in gyr] == [0, sign * -100, sign * 50]


def test_faults_of_the_sensor(tmp_path: Path) -> None:
    image = write_image(tmp_path / "i", chip=READ_RAW)
    with VirtualBoard("--fault", "imu-missing", flash=image) as board, Host(board) as host:
        assert host.repl().ask("__import__('machine').I2C(0).scan()") == []
        host.send("from chip import *; start()\r")
        host.until("ENODEV")
    with VirtualBoard("--fault", "who-am-i=0x69", flash=image) as board, Host(board) as host:
        assert host.repl().ask("__import__('machine').I2C(0).readfrom_mem(106, 15, 1)[0]") == 0x69
    with VirtualBoard("--fault", "imu-lost=20:40", "--speed", 20, flash=image) as board, Host(board) as host:
        host.repl().do("from chip import *; start(); time.sleep(25)")
        assert host.ask("i2c.scan()") == []
        host.do("time.sleep(25)")
        assert host.ask("[i2c.scan(), list(i2c.readfrom_mem(106, 16, 2))]") == [[106], [0, 0]]


def test_the_oscillator_has_the_given_error(tmp_path: Path) -> None:
    main = READ_RAW + "start()\nn = 0\nt = time.ticks_ms()\nfor _ in range(60):\n    time.sleep(1)\n"
    main += "    k = i2c.readfrom_mem(106, 0x3A, 2); k = k[0] | (k[1] & 3) << 8; i2c.readfrom_mem(106, 0x78, 7 * k); n += k // 2\n"
    main += "print('hz', n * 1000 / time.ticks_diff(time.ticks_ms(), t), i2c.readfrom_mem(106, 0x63, 1)[0])"
    image = write_image(tmp_path / "i", main=main)
    with VirtualBoard("--oscillator", "4.5", "--speed", 50, flash=image) as board, Host(board) as host:
        host.repl().send("\x04")
        host.until("hz ")
        rate, fine = host.until("\n").split()
    assert int(fine) == 30
    assert abs(float(rate) - 6667 / 64 * 1.045) < 0.3


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("t_s,ax_g,ay_g\n0,0,0\n", "missing"),
        ("t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n1,0,0,1,0,0,0\n0,0,0,1,0,0,0\n", "does not rise"),
        ("t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n0,0,0,x,0,0,0\n", "not a number"),
        ("", "empty"),
    ],
)
def test_a_bad_recording_is_one_sentence(content: str, complaint: str, tmp_path: Path) -> None:
    recording = tmp_path / "bad.csv"
    recording.write_text(content)
    done = run("--recording", recording, "--flash", tmp_path / "image")
    assert done.returncode == 1 and done.stdout == ""
    assert complaint in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "image").exists()


def test_a_gap_in_the_recording_is_reported_and_filled(tmp_path: Path) -> None:
    recording = ramp(tmp_path / "gap.csv", 5, "65.0,9,0,1,0,0,0\n65.1,9,0,1,0,0,0\n")
    image = write_image(tmp_path / "i", chip=READ_RAW)
    with VirtualBoard("--speed", 20, flash=image, recording=recording) as board, Host(board) as host:
        host.repl().do("from chip import *; start(); time.sleep(40)")
        # 5 mg on the forward axis, the sensor's y, with the noise of the chip.
        assert host.ask("words(0x2A, 1)") in ([9], [10], [11])
        assert "60.00 s are missing after 5.00 s" in board.errors()
        assert board.errors().count("\n") == 1


# Pins


def test_the_button_and_the_led(tmp_path: Path) -> None:
    main = "import machine, time\nb = machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP)\nl = machine.Pin(2, machine.Pin.OUT, value=0)\n"
    main += "last = 1\nwhile True:\n    now = b.value()\n    if now < last: l.on()\n    if now > last: l.off()\n    last = now\n"
    main += "    time.sleep_ms(5)"
    image = write_image(tmp_path / "i", main=main)
    pins = tmp_path / "pins"
    with VirtualBoard("--pins", pins, flash=image) as board:
        wait_until(lambda: pins.read_bytes()[64 + 2 :][:1] == b"0", "the LED is off")
        for k in range(3):
            board.drive(pins, 0, "0")
            wait_until(lambda: pins.read_bytes()[64 + 2 :][:1] == b"1", "the LED is on")
            board.drive(pins, 0, "-")
            wait_until(lambda: pins.read_bytes()[64 + 2 :][:1] == b"0", "the LED is off again")
            assert struct.unpack_from("<I", pins.read_bytes(), 128 + 4 * 2)[0] == k + 1


def test_an_interrupt_sees_an_edge_that_is_over_before_the_board_looks(tmp_path: Path) -> None:
    main = "import machine, time\nb = machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP)\nl = machine.Pin(2, machine.Pin.OUT, value=0)\n"
    main += "b.irq(lambda pin: l.on(), machine.Pin.IRQ_FALLING)\nl.off()\nwhile True: time.sleep_ms(600)"
    image, pins = write_image(tmp_path / "i", main=main), tmp_path / "pins"
    with VirtualBoard("--pins", pins, flash=image) as board:
        wait_until(lambda: pins.read_bytes()[64 + 2 :][:1] == b"0", "the LED is off")
        board.drive(pins, 0, "0")
        board.drive(pins, 0, "-")
        wait_until(lambda: pins.read_bytes()[64 + 2 :][:1] == b"1", "the LED is on")


def test_the_app_switches_the_power_of_the_sensor_on(tmp_path: Path) -> None:
    image, pins = tmp_path / "i", tmp_path / "pins"
    new_flash(image)
    board = json.loads((ROOT / "boards/VIRTUAL/board.json").read_text())
    board["i2c"]["power"] = 12
    put_files(image, {"board.json": json.dumps(board).encode()})
    with VirtualBoard("--pins", pins, flash=image, ready=True):
        assert pins.read_bytes()[64 + 12 : 64 + 13] == b"1"
