"""Who may know what: libraries and firmware name no command of the host; a broken command file is one clear sentence."""

import ast
import re
from pathlib import Path

import pytest
import retrostep.cli
from support.cli import Retrostep, one_sentence

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "host/src/retrostep"
FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.relative_to(LIBRARY).parts[0] != "cli")
COMMANDS = "|".join(sorted(path.stem for path in (LIBRARY / "cli").glob("[a-z]*.py")))
NAMES_A_COMMAND = re.compile(rf"\bretrostep (?:{COMMANDS})\b")


def texts(path: Path) -> list[tuple[int, str]]:
    """(line, text) of every string of a Python file that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [(node.lineno, node.value) for node in strings if id(node) not in docstrings]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_library_names_no_command(path: Path) -> None:
    assert [(line, text) for line, text in texts(path) if NAMES_A_COMMAND.search(text)] == []


def test_the_firmware_names_no_command_of_the_host() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "firmware").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES_A_COMMAND.search(line)
    ]
    assert named == []


def test_a_command_file_without_its_command_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.py").write_text('"""A command file in which the command was forgotten."""\n')
    monkeypatch.setattr(retrostep.cli, "__path__", [*retrostep.cli.__path__, str(tmp_path)])
    ran = Retrostep(tmp_path / "home")("empty")
    assert ran.status == 1
    assert "empty.py is no command: it must define a click command with the name `command`." in one_sentence(ran)
