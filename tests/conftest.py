"""What every test may ask for: the interpreter that boards run, and the labelled motion where it is at hand."""

import sys
from pathlib import Path

import pytest
from places import DATA, ROOT

sys.path[0:0] = [
    str(ROOT / path)
    for path in ("tests/portable", "tests/fuzz", "firmware", "boards/VIRTUAL", "boards/VIRTUAL/runtime/model", "tests/e2e", "tests/host")
]


@pytest.fixture(scope="session")
def micropython() -> list[str]:
    """The command that starts the real MicroPython interpreter."""
    return [sys.executable, "-m", "micropython_unix"]


@pytest.fixture(scope="session")
def labelled_motion() -> Path:
    """The folder of labelled recordings, which stays outside of the repository."""
    if not (DATA / "index.csv").is_file():
        pytest.skip("the labelled recordings are not at ../shared/data, so real motion is not played here")
    return DATA
