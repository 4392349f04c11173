"""Fixtures for tests of the whole product: a provisioned flash to copy, and the command with its own data folder."""

from pathlib import Path

import pytest
from support.cli import Retrostep
from support.flash_files import new_flash


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(path, device name) of a flash image with the firmware, to copy."""
    path = tmp_path_factory.mktemp("flash") / "provisioned.bin"
    return path, new_flash(path)


@pytest.fixture
def retrostep(tmp_path: Path) -> Retrostep:
    """The command, with its data folder in the test's folder."""
    return Retrostep(tmp_path / "home")


@pytest.fixture
def device(provisioned: tuple[Path, str]) -> str:
    """The device name of the provisioned flash."""
    return provisioned[1]
