"""mpremote with a board that prints for ever, something else, or nothing: one sentence, and no process stays."""

import binascii
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from retrostep.deploy import deploy as deploy_module
from retrostep.device import mpremote, patience
from retrostep.device.mpremote import Mpremote
from retrostep.device.patience import Patience
from retrostep.errors import NoRepl, RetrostepError
from retrostep.rescue import repl_files
from retrostep.rescue.repl_files import StoppedFolder
from support.waiting_time import Clock

ENDLESS = {
    "silence": "time.sleep(1000)",
    "lines": "[print('retrostep: working') for _ in iter(int, 1)]",
    "one line": "[sys.stdout.write('x' * 1000) for _ in iter(int, 1)]",
    "a byte now and then": "[(sys.stdout.write('x'), time.sleep(0.02)) for _ in iter(int, 1)]",
    "an echo of the script": "[print(sys.argv[-1]) for _ in iter(int, 1)]",
    "no end": "os.close(1); os.close(2); time.sleep(1000)",
    "entries of no use": "[print('[0, 384, 1]') for _ in iter(int, 1)]",
    "ends of files": "[print('0 0 end\\n0 0 error 5') for _ in iter(int, 1)]",
    "names of copied files": "[print('cp a :a') for _ in iter(int, 1)]",
    "a result and more": "print(1); [print() for _ in iter(int, 1)]",
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a board of which nothing useful comes. They are too short for one that answers, on a busy computer."""
    for name, value in (("SILENCE_S", 0.3), ("STREAM_SILENCE_S", 0.3), ("COPY_BYTES_PER_S", 10_000_000)):
        monkeypatch.setattr(mpremote, name, value)


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str) -> Mpremote:
    """mpremote is replaced by `program`; each start leaves its process id in the folder."""
    start = f"import os, sys, time, json; open({str(tmp_path)!r} + '/pid' + str(os.getpid()), 'w').close(); "
    monkeypatch.setattr(mpremote, "COMMAND", (sys.executable, "-u", "-c", start + program))
    return Mpremote("/dev/fake")


def use(tool: Mpremote, what: str, tmp_path: Path) -> None:
    if what == "ask":
        tool.ask("script")
    elif what == "hear":
        tool.hear("script", lambda line: 0)
    elif what == "copy":
        (tmp_path / "a").write_bytes(b"data")
        tool.copy([(tmp_path / "a", "a")], lambda n: None)
    elif what == "list files":
        StoppedFolder(tool, "/sessions")
    else:
        folder = StoppedFolder.__new__(StoppedFolder)
        folder._tool, folder._folder = tool, "/sessions"
        list(folder.read([repl_files.StoppedFile("00000001.rsl", 5000)], lambda name, done, total: None))


@pytest.mark.usefixtures("quick")
@pytest.mark.skipif(sys.platform == "win32", reason="looks for processes with a signal")
@pytest.mark.parametrize("what", ["ask", "hear", "copy", "list files", "read files"])
@pytest.mark.parametrize("how", ENDLESS)
def test_a_board_that_never_ends_is_one_sentence(how: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoRepl) as caught:
        use(run(monkeypatch, tmp_path, ENDLESS[how]), what, tmp_path)
    assert len(str(caught.value).splitlines()) == 1 and str(caught.value).endswith((".", ".)"))
    for file in tmp_path.glob("pid*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.name[3:]), 0)


def test_slow_but_useful_output_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 8
    lines = []
    for at in range(0, len(data), 256):
        piece = data[at : at + 256]
        lines.append(f"0 {at} {binascii.crc32(piece)} {binascii.b2a_base64(piece).decode().strip()}")
    lines.append(f"0 {len(data)} end")
    tool = run(monkeypatch, tmp_path, f"[print(line) for line in {lines!r}]")
    monkeypatch.setattr(mpremote, "LEAST_USEFUL_BYTES", 100)
    clock, progress = Clock(), Patience.progress

    def slow(waits: Patience, units: int) -> None:
        clock.sleep(0.6 * mpremote.STREAM_SILENCE_S)
        progress(waits, units)

    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(Patience, "progress", slow)
    folder = StoppedFolder.__new__(StoppedFolder)
    folder._tool, folder._folder = tool, "/sessions"
    (file,) = folder.read([repl_files.StoppedFile("00000001.rsl", len(data))], lambda name, done, total: None)
    assert bytes(file.data) == data and file.problem == ""


@pytest.mark.parametrize(("printed", "answer"), [("hello", "hello"), ("", "nothing"), ("{'a': 1}", "{'a': 1}")])
def test_an_answer_that_is_no_json_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: str, answer: str) -> None:
    with pytest.raises(NoRepl) as caught:
        run(monkeypatch, tmp_path, f"sys.stdout.write({printed!r})").ask("script")
    assert str(caught.value) == f"The board answered a script with something else: {answer}. Press its reset button and try again."


def test_a_board_that_is_gone_is_named_and_not_the_tools_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(NoRepl, match=r"^The board at /dev/fake is gone\. Check its cable and run the same command again\.$"):
        run(monkeypatch, tmp_path, "sys.exit('OSError: [Errno 5] Input/output error')").ask("script")


@pytest.mark.parametrize("answer", [None, 5, "done", [], [1], [1, 2], [[1, 2], 3], {}, [{}, None], [{}, "x"], [None, 1e999], [[], [], []]])
def test_another_answer_to_a_script_of_a_deploy_is_one_sentence(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tool:
        def ask(self, script: str) -> Any:
            return answer

    monkeypatch.setattr(deploy_module, "stop_program", lambda port: Tool())
    with pytest.raises(RetrostepError) as caught:
        deploy_module.deploy("VIRTUAL", "/dev/fake")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(NoRepl, match="something else"):
        deploy_module._hashes_on_board(Tool(), {})  # type: ignore[arg-type]
