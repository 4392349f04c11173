"""The core is pure, and the host's packages have the same files as the board."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from retrostep.archive.migrate import FOLDER

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware/lib/retrostep_core"
ALLOWED = {"struct", "array", "binascii", "collections", "micropython"}


def core_files() -> dict[str, bytes]:
    return {str(p.relative_to(CORE)): p.read_bytes() for p in CORE.rglob("*.py")}


@pytest.mark.parametrize("name", sorted(core_files()))
def test_core_imports_only_what_every_board_has(name: str) -> None:
    for node in ast.walk(ast.parse(core_files()[name])):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots = set() if node.level else {(node.module or "").split(".")[0]}
        else:
            continue
        assert roots <= ALLOWED | {"retrostep_core"}, f"{name}:{node.lineno} imports {roots}"


@pytest.mark.parametrize("name", sorted(core_files()))
def test_core_is_integer_arithmetic(name: str) -> None:
    for node in ast.walk(ast.parse(core_files()[name])):
        line = getattr(node, "lineno", 0)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{name}:{line} holds a float"
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), f"{name}:{line} divides with /"


FOLDERS = {"gait": set(), "log": {"gait"}, "link": {"gait", "log"}}


@pytest.mark.parametrize("name", sorted(n for n in core_files() if "/" in n))
def test_data_flows_one_way_through_the_core(name: str) -> None:
    folder = name.split("/")[0]
    for node in ast.walk(ast.parse(core_files()[name])):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("retrostep_core."):
            other = node.module.split(".")[1]
            is_allowed = other == folder or other not in FOLDERS or other in FOLDERS[folder]
            assert is_allowed, f"{name}:{node.lineno}: {folder} must not import {other}"


def carried_core(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        prefix = "retrostep_core/"
        return {n[len(prefix) :]: archive.read(n) for n in archive.namelist() if n.startswith(prefix) and n.endswith(".py")}


def test_both_wheels_have_the_boards_files(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "sdist")]
    subprocess.run([*build, str(ROOT / "host")], check=True, capture_output=True)  # an sdist, and a wheel from that sdist
    build[-1] = str(tmp_path / "direct")
    subprocess.run([*build, "--wheel", str(ROOT / "host")], check=True, capture_output=True)
    wheels = [next((tmp_path / folder).glob("*.whl")) for folder in ("sdist", "direct")]
    for wheel in wheels:
        assert carried_core(wheel) == core_files()
        with zipfile.ZipFile(wheel) as archive:
            assert archive.read("retrostep/carried/firmware/FORMATS.md") == (ROOT / "firmware/FORMATS.md").read_bytes()
            migrations = {path.relative_to(ROOT / "host/src").as_posix() for path in FOLDER.rglob("*.py")}
            assert len(migrations) >= 4 and migrations <= set(archive.namelist())
