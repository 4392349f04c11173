"""Every board folder describes a board, and `retrostep boards` shows it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from retrostep.cli.boards import command
from retrostep.device import boards
from retrostep.errors import DamagedData, UnknownBoard

ROOT = Path(__file__).resolve().parents[2]


def test_every_folder_follows_the_schema_and_has_its_page() -> None:
    names = boards.board_names()
    assert {"VIRTUAL", "ESP32_DEVKIT_LSM6DSOX"} <= set(names)
    for name in names:
        assert boards.read_board(name)["name"] == name
        assert (ROOT / "boards" / name / "board.md").is_file()


def test_an_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(UnknownBoard, match=r"no board 'ESP99'. Known boards: .*ESP32_DEVKIT_LSM6DSOX.*VIRTUAL") as error:
        boards.read_board("ESP99")
    assert error.value.exit_status == 2
    with pytest.raises(UnknownBoard):
        boards.read_board("../boards/VIRTUAL")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of boards/ that may be spoilt."""
    shutil.copytree(ROOT / "boards", tmp_path / "boards", ignore=shutil.ignore_patterns("*.py", "runtime", "__pycache__"))
    monkeypatch.setattr(boards, "carried", lambda: tmp_path)
    return tmp_path / "boards"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda board: board["i2c"].update(scl="D5"), "at i2c/scl: 'D5' is not of type 'integer'"),
        (lambda board: board["imu"].update(model="MPU6050"), "at imu/model: 'MPU6050' is not one of"),
        (lambda board: board.pop("mount_left"), "at its top level: 'mount_left' is a required property"),
        (lambda board: board.update(name="OTHER"), "calls itself 'OTHER'"),
    ],
)
def test_a_wrong_board_json_names_the_field(copied: Path, spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    path = copied / "VIRTUAL/board.json"
    board = json.loads(path.read_text())
    spoil(board)
    path.write_text(json.dumps(board))
    with pytest.raises(DamagedData) as error:
        boards.read_board("VIRTUAL")
    assert "boards/VIRTUAL/board.json" in str(error.value) and said in str(error.value)


def test_the_list_goes_on_past_a_wrong_one(copied: Path) -> None:
    (copied / "VIRTUAL/board.json").write_text("{")
    run = CliRunner().invoke(command, ["list", "--json"])
    assert run.exit_code == 4
    assert "boards/VIRTUAL/board.json is not JSON" in run.stderr
    assert "VIRTUAL" not in [board["name"] for board in json.loads(run.stdout)["boards"]]


def test_list_and_show() -> None:
    plain = CliRunner().invoke(command, [])
    assert plain.exit_code == 0 and "VIRTUAL" in plain.stdout and "LSM6DSOX" in plain.stdout
    shown = CliRunner().invoke(command, ["show", "VIRTUAL", "--json"])
    assert json.loads(shown.stdout) == boards.read_board("VIRTUAL")
    assert "imu          model LSM6DSOX" in CliRunner().invoke(command, ["show", "ESP32_DEVKIT_LSM6DSOX"]).stdout
