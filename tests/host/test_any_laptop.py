"""The host command needs nothing that only POSIX has, so that it runs on Windows too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from retrostep.archive.identifiers import device_name
from retrostep.errors import UnsafeName
from support import without_posix


def failures(home: Path, *modules: str, path: str = "") -> dict[str, str]:
    """What fails in a process without POSIX: error by step."""
    tests = Path(without_posix.__file__).parents[1]
    folders = [str(tests), str(tests.parent / "firmware"), path]
    environment = {**os.environ, "RETROSTEP_HOME": str(home), "PYTHONPATH": os.pathsep.join(folders)}
    child = [sys.executable, without_posix.__file__, *modules]
    ran = subprocess.run(child, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_every_module_and_command_works_without_posix(tmp_path: Path) -> None:
    assert failures(tmp_path / "home") == {}


def test_an_import_that_only_posix_has_is_found(tmp_path: Path) -> None:
    statements = ["import fcntl", "from termios import error", "import grp", "import pwd", "import resource"]
    offenders = {f"offender{number}": statement for number, statement in enumerate(statements)}
    for name, statement in offenders.items():
        (tmp_path / f"{name}.py").write_text(f"{statement}\n", encoding="utf-8")
    found = failures(tmp_path / "home", *offenders, path=str(tmp_path))
    assert set(found) == {f"import {name}" for name in offenders}
    assert all("ModuleNotFoundError" in error for error in found.values())


def test_a_name_of_os_that_only_posix_has_is_found() -> None:
    os_without_posix = without_posix.OsWithoutPosix("os")
    assert os_without_posix.getpid() == os.getpid()
    for name in ("pread", "O_DIRECTORY", "getuid", "fork"):
        with pytest.raises(AttributeError, match="on Windows"):
            getattr(os_without_posix, name)


@pytest.mark.parametrize("name", ["CON", "nul", "Aux", "prn", "COM1", "lpt9"])
def test_a_device_name_that_windows_reserves_is_refused(name: str) -> None:
    with pytest.raises(UnsafeName):
        device_name(name)
    assert device_name(f"{name}0") == f"{name}0"
