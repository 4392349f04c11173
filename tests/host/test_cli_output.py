"""Output that cannot be written, terminals of every kind, and faults: one sentence on stderr and the exit status, never a traceback."""

import io
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from retrostep import __main__ as program
from retrostep import cli
from retrostep.archive import event_journal
from retrostep.archive.store import Store
from retrostep.archive.tables import Tables
from retrostep.output import streams
from retrostep.output.lines import wrapped
from rich.cells import cell_len
from rich.console import Console
from support.cli import RETROSTEP, Retrostep, one_sentence
from support.logs import DEVICE, session_log

FULL = Path("/dev/full")
NAME = "Zo\u00eb \N{SNOWMAN}"
COMMANDS = (("rules",), ("check", "--json"), ("sessions",), ("athletes",), ("store", "status"), ("boards",), ("-h",), ("--version",))

needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, a disk that is always full")


@pytest.fixture
def retrostep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Retrostep:
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path))
    with Store() as store:
        store.ingest(DEVICE, 1, session_log(1, started="2026-11-20 10:00", backward_s=60))
        store.add_athlete(NAME)
        store.assign(DEVICE, NAME)
    return Retrostep(tmp_path)


def shell(retrostep: Retrostep, command: str, **environment: str) -> tuple[int, str, str]:
    """Run `command` in a shell, where $R is the retrostep command: (exit status, stdout, stderr)."""
    env = {**retrostep.environment, **environment, "R": " ".join(RETROSTEP)}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@needs_full
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk_behind_stdout_is_one_sentence(retrostep: Retrostep, words: tuple[str, ...]) -> None:
    status, _, err = shell(retrostep, f"$R {' '.join(words)} > /dev/full")
    assert (status, err) == (1, "Error: The output could not be written: No space left on device.\n")


@needs_full
def test_what_was_saved_is_said_where_the_output_cannot_be_written(retrostep: Retrostep) -> None:
    status, _, err = shell(retrostep, "$R athletes add Zed > /dev/full")
    assert (status, err) == (
        1,
        "Error: The output could not be written: No space left on device. What was entered or received is saved.\n",
    )
    assert "Zed" in [one["athlete"] for one in retrostep("athletes", "--json").json["athletes"]]
    status, _, err = shell(retrostep, "$R athletes add Zed > /dev/full")
    assert status == 1 and "already" in err and "saved" not in err


def test_columns_stay_in_line_whatever_the_names_are(retrostep: Retrostep, tmp_path: Path) -> None:
    wide = "山田太郎山田太郎山田"
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        for number, name in ((2, "Bartholomew Longfellow-Smythe"), (3, wide)):
            device = f"RS-3F2A01B4C8D9-{number}"
            store.ingest(device, number, session_log(number, device=device, started="2026-11-21 10:00"))
            store.add_athlete(name)
            store.assign(device, name)
    lines = retrostep("sessions").out.splitlines()
    places = {cell_len(line[: line.index("2026-11")]) for line in lines[1:]}
    assert len(lines) == 4 and places == {cell_len(lines[0][: lines[0].index("STARTED")])}


def test_every_line_of_check_fits_a_terminal_of_80_columns(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        device = "RS-3F2A01B4C8D9-with-a-long-name"
        for number, day in ((1, 18), (2, 20)):
            data = session_log(number, device=device, started=f"2026-11-{day} 10:00", backward_s=200 * number**3, boot=number)
            store.ingest(device, number, data)
        store.add_athlete("山田太郎" * 8)
        store.assign(device, "山田太郎" * 8)
    out = Console(width=80, force_terminal=True, no_color=True, highlight=False, file=io.StringIO())
    monkeypatch.setattr("retrostep.cli.check.console", lambda: out)
    assert retrostep("check", "--on", "2026-11-21", "--all").status in (0, 3)
    shown = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown]
    assert any("session" in line for line in plain) and max(map(cell_len, plain)) <= 80
    assert max(map(cell_len, wrapped("山田 " * 60, 80))) <= 80


@needs_full
def test_a_full_disk_without_a_buffer_is_one_sentence(retrostep: Retrostep) -> None:
    status, _, err = shell(retrostep, "$R check > /dev/full", PYTHONUNBUFFERED="1")
    assert (status, err) == (1, "Error: The output could not be written: No space left on device.\n")


@needs_full
@pytest.mark.parametrize("size", [10, 100_000])
def test_output_that_fails_is_an_error_of_its_own(size: int) -> None:
    """A long text fails when it is written, a short one when the buffer is flushed."""
    with open(FULL, "wb", buffering=0) as full, pytest.raises(streams.OutputFailed, match="No space left"):
        output = streams._Output(full)
        try:
            output.write(b"x" * size)
            output.flush()
        finally:
            streams._discard(output)


@needs_full
def test_a_full_disk_behind_stderr_is_an_exit_status_and_the_work_is_done(retrostep: Retrostep) -> None:
    assert shell(retrostep, "$R session 9 2> /dev/full") == (1, "", "")
    assert shell(retrostep, "$R check --bogus 2> /dev/full") == (2, "", "")
    status, out, _ = shell(retrostep, "$R session 1 --exclude bus --json 2> /dev/full")
    assert status == 1 and '"excluded": "bus"' in out, "a message was lost, which the status reports"


def test_a_closed_pipe_is_quiet(retrostep: Retrostep) -> None:
    status, _, err = shell(retrostep, "$R rules | true; exit ${PIPESTATUS[0]}")
    assert (status, err) == (1, "")
    status, out, err = shell(retrostep, "$R rules | head -1; exit ${PIPESTATUS[0]}")
    assert out.startswith("pain") and err == "" and status in (0, 1)


def test_streams_that_are_closed_print_nothing(retrostep: Retrostep) -> None:
    assert shell(retrostep, "$R rules >&-") == (0, "", "")
    assert shell(retrostep, "$R session 9 2>&-") == (1, "", "")


POOR_TERMINALS: list[dict[str, str]] = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-16"},
]


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        *((each, command) for each in POOR_TERMINALS for command in ("check", f"athletes add '{NAME}'")),
        *((POOR_TERMINALS[1], command) for command in ("athletes", "session 1")),
    ],
)
def test_a_terminal_that_lacks_characters_is_no_error(retrostep: Retrostep, environment: dict[str, str], command: str) -> None:
    status, out, err = shell(retrostep, f"$R {command}", **environment)
    assert "Traceback" not in err and "fault" not in err, err
    assert status == (1 if "add" in command else 0) and len(out + err) > 20


def test_a_fault_is_one_sentence_and_a_traceback_for_developers(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Store) -> list[object]:
        raise TypeError("a fault\x1b[2J")

    monkeypatch.setattr(Store, "athletes", broken)
    error = one_sentence(retrostep("athletes"))
    assert "fault of Retrostep" in error and "TypeError: a fault<U+001B>[2J in test_cli_output.py, line" in error
    assert retrostep("athletes").status == 1
    retrostep.environment["RETROSTEP_TRACEBACK"] = "1"
    assert "Traceback" in retrostep("athletes").err


def test_the_streams_are_as_before_after_a_command(retrostep: Retrostep) -> None:
    before = sys.stdout, sys.stderr, sys.unraisablehook
    retrostep("rules")
    assert (sys.stdout, sys.stderr, sys.unraisablehook) == before


def test_ctrl_c_says_whether_a_change_was_saved(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(event_journal.os, "fsync", stop)
        ran = retrostep("session", "1", "--exclude", "bus")
        assert (ran.status, ran.err.strip()) == (1, "Stopped. Nothing was changed.")
    assert retrostep("session", "1", "--json").json["excluded"] is None
    with monkeypatch.context() as stopped:
        stopped.setattr(Tables, "apply_journal", stop)
        ran = retrostep("session", "1", "--exclude", "bus")
        assert (ran.status, ran.err.strip()) == (1, "Stopped. The change was saved.")
    assert retrostep("session", "1", "--json").json["excluded"] == "bus"


class _Interrupted(types.ModuleType):
    """A module whose import is interrupted by Ctrl-C."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_ctrl_c_outside_of_a_command_is_no_traceback(
    retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(cli, "_status", stop)
        assert retrostep("check").status == 1
    with monkeypatch.context() as stopped, pytest.raises(SystemExit) as ended:
        stopped.setitem(sys.modules, "retrostep.cli", _Interrupted("retrostep.cli"))
        program.run()
    assert ended.value.code == 1 and capsys.readouterr().err == "Stopped.\n"


def test_ctrl_c_cancels_a_calibration_and_says_so(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrostep.device.serial_port.SerialPort.__init__", stop)
    ran = retrostep("calibrate", "--port", "/dev/ttyX")
    assert (ran.status, ran.out) == (1, "") and "Stopped. The calibration is cancelled: the board keeps its mount." in ran.err
    assert retrostep("calibrate", "--port", "/dev/ttyX", "--last").err.strip() == "Stopped."
