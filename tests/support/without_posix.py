"""Retrostep on a computer without POSIX: every module and command, run in a process in which what only POSIX has is missing.

    python without_posix.py [EXTRA_MODULE...]      prints {step: error} as JSON; an empty object if everything works

Run it with RETROSTEP_HOME in a new folder. Libraries are imported first and keep their modules: they choose them by themselves.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import click
import click._termui_impl
import filelock
import jsonschema  # noqa: F401
import platformdirs  # noqa: F401
import rich.console
import rich.live
import serial
import serial.tools.list_ports
import sqlalchemy.dialects.sqlite  # noqa: F401
from littlefs import LittleFS  # noqa: F401

MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty")
OS_NAMES = {
    "O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "chown", "chroot", "confstr", "ctermid",
    "fchdir", "fchmod", "fchown", "fdatasync", "fork", "forkpty", "fpathconf", "fstatvfs", "getegid", "geteuid", "getgid", "getgroups",
    "getloadavg", "getpgid", "getpgrp", "getpriority", "getresuid", "getsid", "getuid", "killpg", "lchown", "lockf", "mkfifo", "mknod",
    "nice", "openpty", "pathconf", "pipe2", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "preadv", "pwrite", "pwritev",
    "readv", "sched_getaffinity", "sched_yield", "sendfile", "setgid", "setgroups", "setpgid", "setpriority", "setsid", "setuid", "statvfs",
    "sync", "sysconf", "tcgetpgrp", "tcsetpgrp", "ttyname", "uname", "wait", "wait3", "wait4", "waitid", "writev",
}
READS = (
    ("sessions",),
    ("sessions", "--json"),
    ("session", "1"),
    ("check",),
    ("check", "--json"),
    ("rules",),
    ("athletes",),
    ("store", "status"),
    ("boards",),
)


class OsWithoutPosix(ModuleType):
    """`os` as Retrostep's modules see it."""

    def __getattr__(self, name: str) -> object:
        if name in OS_NAMES:
            raise AttributeError(f"module 'os' has no attribute {name!r} on Windows")
        return getattr(os, name)


def modules() -> Iterator[str]:
    import retrostep

    scripts = ("retrostep.__main__", "retrostep.replay.child")
    yield from (module.name for module in pkgutil.walk_packages(retrostep.__path__, "retrostep.") if module.name not in scripts)


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            with contextlib.suppress(ImportError):  # which the import of the command's module has reported
                found = command.get_command(context, name)
                assert found is not None
                yield from commands(found, (*words, name))


def run(words: tuple[str, ...], status: int = 0) -> str:
    """Run the command; its standard output. AssertionError if it ends with another status."""
    from retrostep.cli import run

    out, err = io.StringIO(), io.StringIO()
    with mock.patch.object(sys, "argv", ["retrostep", *words]), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run()
        except SystemExit as stop:
            assert stop.code == status, f"status {stop.code}: {err.getvalue()}"
    return out.getvalue()


def helps(words: tuple[str, ...]) -> None:
    assert "Usage: " in run((*words, "-h"))


def writes(flash: Path) -> None:
    """Sync one session from a board, as `sync` does, then enter what a coach enters."""
    from retrostep.archive.store import Store
    from retrostep.device.client import DeviceClient
    from retrostep.sync.sync import sync_board

    from support.fake_board import DEVICE, FakeBoard
    from support.logs import session_log

    board = FakeBoard(flash)
    board.put(1, session_log(1, device=DEVICE, started="2026-11-20 12:00", backward_s=60))
    with Store() as store:
        assert sync_board(DeviceClient(board), store).received_bytes
    run(("athletes", "add", "Ada"))
    run(("athletes", "assign", DEVICE, "Ada"))
    run(("note", "1", "--pain", "1"))
    run(("rules", "set", "share", "--warn", "25", "--by", "Kim", "--why", "a test"))
    run(("store", "rebuild"))
    assert "Ada" in run(("athletes",)) and DEVICE in run(("sessions",))


def main() -> None:
    failures: dict[str, str] = {}

    def step(name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failures[name] = f"{type(error).__name__}: {error}"

    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in (*modules(), *sys.argv[1:]):
        step(f"import {name}", lambda name=name: importlib.import_module(name))
    without_posix = OsWithoutPosix("os")
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "retrostep" and getattr(module, "os", None) is os:
            module.os = without_posix  # type: ignore[attr-defined]

    from retrostep.cli import main as group

    for words in commands(group):
        step(f"retrostep {' '.join(words)} -h", lambda words=words: helps(words))
    with tempfile.TemporaryDirectory() as folder:
        step("retrostep sync", lambda: writes(Path(folder) / "flash"))
    with mock.patch.object(serial.tools.list_ports, "comports", list), mock.patch.dict(os.environ, {"RETROSTEP_PORTS": ""}):
        for words in READS:
            step(f"retrostep {' '.join(words)}", lambda words=words: run(words))
        step("retrostep devices", lambda: run(("devices",), status=1))
    print(json.dumps(failures))


if __name__ == "__main__":
    assert filelock and rich and serial
    main()
