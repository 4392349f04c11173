"""firmware/README.md's walks from a blank chip to a worn device, word for word, on a virtual chip, with a person at a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.places import ROOT
from support.virtual_board_process import PATIENCE_S, VirtualBoard

SPEED = 5


def commands(title: str) -> list[str]:
    """The indented command lines of a section."""
    [section] = re.findall(rf"### {title}\n(.*?)\n### ", (ROOT / "firmware/README.md").read_text(encoding="utf-8"), re.DOTALL)
    return re.findall(r"^ {4,7}(\S.*)$", section, re.MULTILINE)


class Terminal:
    """A terminal in which a person answers every question with yes, or with Ada, and presses the button when asked."""

    def __init__(self, home: Path, pins: Path) -> None:
        self.environment = {**os.environ, "HOME": str(home), "RETROSTEP_HOME": str(home / "data"), "COLUMNS": "200", "TERM": "dumb"}
        self.environment.pop("XDG_DOWNLOAD_DIR", None)
        self._pins = pins

    def run(self, command: str, port: str) -> str:
        """Type `command`; what it prints. Fails if its status is not 0."""
        ours, theirs = pty.openpty()
        environment = {**self.environment, "RETROSTEP_PORTS": port}
        process = subprocess.Popen(
            ["sh", "-c", command], cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        printed, answered = "", 0
        reactions: dict[str, Callable[[], object]] = {
            "[y/N]: ": lambda: os.write(ours, b"y\n"),
            "Athlete [later]: ": lambda: os.write(ours, b"Ada\n"),
            "Press the button now": lambda: VirtualBoard.drive(self._pins, 0, "0"),
            "Did the LED": lambda: VirtualBoard.drive(self._pins, 0, "-"),
        }
        end = time.monotonic() + 3 * PATIENCE_S
        while time.monotonic() < end:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                printed += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
            while at := min((found for text in reactions if (found := printed.find(text, answered)) >= 0), default=-1) + 1:
                text = next(text for text in reactions if printed.startswith(text, at - 1))
                answered = at - 1 + len(text)
                reactions[text]()
        else:
            process.kill()
        os.close(ours)
        status = process.wait(PATIENCE_S)
        assert status == 0, f"{command} ended with {status}:\n{printed}"
        return printed


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="the walk uses .venv")
def test_the_walk_works_word_for_word(tmp_path: Path) -> None:
    typed = commands("From a blank chip to a worn device")
    assert [line.split()[0] for line in typed[:2]] == ["make", "make"] and "monitor" in typed[-3]
    image, blank, port, flash, motion, worn = (
        line.replace("/tmp/", f"{tmp_path}/") for line in commands("The same without hardware")
    )
    assert port.startswith("export RETROSTEP_PORTS=/dev/pts/")
    pins = tmp_path / "pins"
    terminal = Terminal(tmp_path, pins)
    device = ""

    def type_all(lines: list[str], port: str) -> str:
        nonlocal device
        printed = ""
        for line in lines:
            printed = terminal.run(line, port)
            device = device or "".join(re.findall(r"^(RS-[0-9A-F]{12}) runs MicroPython", printed, re.MULTILINE))
        return printed

    def board(line: str, *others: object, ready: bool) -> VirtualBoard:
        assert line.startswith(".venv/bin/python boards/VIRTUAL/virtual_board.py ")
        return VirtualBoard(*line.split()[2:], "--pins", pins, *others, ready=ready)

    type_all([image, motion], "")
    with board(blank, "--speed", SPEED, ready=False) as chip:
        examined = type_all([typed[0], flash, *typed[2:-3]], chip.port)
    assert device and f"{device} works." in examined
    # The wearer unplugs it and walks.
    with board(worn, ready=True) as moving:
        listed = type_all(typed[-3:], moving.port)
    assert len(re.findall(rf"^{device}/\d+ +Ada ", listed, re.MULTILINE)) == 1
