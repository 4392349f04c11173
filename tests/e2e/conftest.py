"""What tests of the whole product share: a provisioned flash to copy, and the command with a home of its own."""

from pathlib import Path

import pytest
from cli import Retrostep
from flash_files import new_flash


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A provisioned flash to copy, and the device it belongs to."""
    path = tmp_path_factory.mktemp("flash") / "born.bin"
    return path, new_flash(path)


@pytest.fixture
def retrostep(tmp_path: Path) -> Retrostep:
    """The command, its home in the test's folder."""
    return Retrostep(tmp_path / "home")


@pytest.fixture
def device(born: tuple[Path, str]) -> str:
    """Whose flash it is."""
    return born[1]
