"""Documents and help: every command and link in them exists, and every command explains itself."""

import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from retrostep.archive.store import Store
from retrostep.cli import main
from retrostep.output.report.pdf import find_chromium
from support.activity_files import watch_fit
from support.cli import Ran, Retrostep
from support.cli_reference import CARDS, README, commands, with_card, with_reference
from support.logs import session_log

ROOT = Path(__file__).resolve().parents[2]
_FOREIGN = re.compile(r"\.venv.*|node_modules|build")
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not any(map(_FOREIGN.fullmatch, path.relative_to(ROOT).parts[:-1])))
COMMANDS = {path.removeprefix("retrostep "): command for path, command, _ in commands()}


def code_of(text: str) -> str:
    """The code of a Markdown text: fenced and indented blocks, and spans, one a line."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"^    (.*)$", text, re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(blocks + [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)])


def unknown_words(line: str) -> list[str]:
    """The words after `retrostep` that are no command, and the long options that its command does not have."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split("#")[0].split()
    command: click.Command = main
    unknown = []
    for word in words:
        if word in ("&&", "|", "||", ";"):
            break
        if isinstance(command, click.Group) and not word.startswith("-"):
            inner = command.get_command(click.Context(command), word)
            if inner is None:
                if command is main and word.isalpha() and word.islower():
                    unknown.append(word)
                break
            command = inner
        elif word.startswith("--"):
            options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            unknown += [word] if word.split("=")[0].rstrip(".,") not in options else []
    return unknown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_exists(document: Path) -> None:
    code = code_of(document.read_text(encoding="utf-8"))
    for line in re.findall(r"(?:^|[\s/\\])retrostep(?: +(.*))?$", code, re.MULTILINE):
        assert not unknown_words(line), line
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", code, re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert "://" in link or (document.parent / link).exists(), link


def test_an_unknown_command_or_option_is_found() -> None:
    assert unknown_words("snyc --port X") == ["snyc"] and unknown_words("sync --prot X # --more") == ["--prot"]
    assert unknown_words("sync --port X && other --thing") == [] and unknown_words("rules set share --warn 1") == []


def test_the_reference_in_the_readme_is_the_help() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_reference(text) == text, "run .venv/bin/python tests/support/cli_reference.py"


@pytest.mark.parametrize("document", CARDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_card_of_signals_is_the_firmwares(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert with_card(text) == text, "run .venv/bin/python tests/support/cli_reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_fits_the_help(name: str) -> None:
    command = COMMANDS[name]
    summary = (command.help or "").split("\n")[0]
    assert summary.endswith(".") and len(summary) <= 60
    assert command.get_short_help_str(limit=60) in (summary, summary.partition(". ")[0] + "."), "it is cut"


@pytest.fixture
def retrostep(tmp_path: Path) -> Callable[..., Ran]:
    """The command with a store that holds the device and the session of the examples."""
    command = Retrostep(tmp_path / "home")
    with Store(f"sqlite:///{tmp_path}/home/store.sqlite") as store:
        data = session_log(12, device="RS-3F2A01B4C8D9", started="2026-11-20 18:30")
        store.raw.commit("RS-3F2A01B4C8D9", 12, data)
        store.ingest("RS-3F2A01B4C8D9", 12, data)
    return command


NEED_A_BOARD = {"capture", "flash", "doctor", "settings", "calibrate", "deploy", "devices", "monitor", "rescue", "sync", "replay"}
ASK = {("boards", "new")}
NEED_A_SERVER = {("store", "move"), ("store", "reopen")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_runs(name: str, retrostep: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = inspect.cleandoc(COMMANDS[name].help or "").replace("\\\n", "")
    examples = re.findall(r"^(?:Example:| {8}) +retrostep +(.*)$", text, re.MULTILINE)
    assert examples, "no example"
    if name != "athletes":  # the first example of `athletes` adds Ada
        assert retrostep("athletes", "add", "Ada").status == 0
    if name in ("athletes release", "export", "note", "session") or name.startswith("limits"):
        assert retrostep("athletes", "assign", "RS-3F2A01B4C8D9", "Ada").status == 0
    if name == "import":
        (tmp_path / "run.fit").write_bytes(watch_fit("2026-11-21 07:00", 60))
        (tmp_path / "Activities.csv").write_text("date,duration\n2026-11-22 07:00,30\n")
    if name == "store restore":
        assert retrostep("store", "backup", "club-2026-11-26.zip").status == 0
    for example in examples:
        words = shlex.split(example)
        if words[0] in NEED_A_BOARD or tuple(words[:2]) in ASK | NEED_A_SERVER:
            assert not unknown_words(example), example
        elif "--pdf" not in words or find_chromium() is not None:
            ran = retrostep(*words)
            assert ran.status in (0, 3), (example, ran.err)
