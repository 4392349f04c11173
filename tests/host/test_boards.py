"""Every board folder describes a board, and `retrostep boards` shows it."""

import copy
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from retrostep.boards import board_folder
from retrostep.boards.case import case_of, case_svg
from retrostep.boards.picture import wiring_svg
from retrostep.boards.power import hours_left
from retrostep.boards.wiring import parts
from retrostep.cli.boards import command
from retrostep.device import boards
from retrostep.errors import DamagedData, UnknownBoard

ROOT = Path(__file__).resolve().parents[2]
DEVKIT = json.loads((ROOT / "boards/ESP32_DEVKIT_LSM6DSOX/board.json").read_text())
FEATHER_V2 = json.loads((ROOT / "boards/ADAFRUIT_FEATHER_ESP32_V2/board.json").read_text())
XIAO_C3 = json.loads((ROOT / "boards/SEEED_XIAO_ESP32C3/board.json").read_text())


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


def test_every_supported_sensor_is_allowed_in_a_board_json() -> None:
    assert "LSM6DSOX" in boards.sensors()
    assert boards.schema()["properties"]["imu"]["properties"]["model"]["enum"] == list(boards.sensors())


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of boards/ to damage."""
    shutil.copytree(ROOT / "boards", tmp_path / "boards", ignore=shutil.ignore_patterns("*.py", "runtime", "__pycache__"))
    (tmp_path / "firmware/hal").mkdir(parents=True)
    shutil.copy(ROOT / "firmware/hal/sensors.py", tmp_path / "firmware/hal")
    monkeypatch.setattr(boards, "carried", lambda: tmp_path)
    monkeypatch.setattr(board_folder, "carried", lambda: tmp_path)
    return tmp_path / "boards"


@pytest.mark.parametrize(
    ("damage", "part_of_message"),
    [
        (lambda board: board["i2c"].update(scl="D5"), "at i2c/scl: 'D5' is not of type 'integer'"),
        (lambda board: board["imu"].update(model="MPU6050"), "at imu/model: 'MPU6050' is not one of"),
        (lambda board: board.pop("mount_left"), "at its top level: 'mount_left' is a required property"),
        (lambda board: board.update(name="OTHER"), "has the name 'OTHER'"),
    ],
)
def test_a_wrong_board_json_names_the_field(copied: Path, damage, part_of_message: str) -> None:  # type: ignore[no-untyped-def]
    path = copied / "VIRTUAL/board.json"
    board = json.loads(path.read_text())
    damage(board)
    path.write_text(json.dumps(board))
    with pytest.raises(DamagedData) as error:
        boards.read_board("VIRTUAL")
    assert "boards/VIRTUAL/board.json" in str(error.value) and part_of_message in str(error.value)


def test_the_list_continues_after_a_wrong_board(copied: Path) -> None:
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


def changed(board: dict, part: str, **fields: object) -> dict:
    """A copy of a board.json with other fields in one part."""
    other = copy.deepcopy(board)
    other[part] = {**other.get(part, {}), **fields}
    return other


@pytest.mark.parametrize(
    ("board", "part_of_message"),
    [
        (changed(DEVKIT, "i2c", scl=6), "i2c/scl is GPIO 6, which belongs to the flash or PSRAM of an ESP32"),
        (changed(DEVKIT, "i2c", sda=1), "i2c/sda is GPIO 1, which belongs to the serial console of an ESP32"),
        (changed(DEVKIT, "i2c", sda=22), "i2c/sda is GPIO 22, which i2c/scl uses already"),
        (changed(DEVKIT, "i2c", power=12), "i2c/power is GPIO 12, which is a strapping pin"),
        (changed(DEVKIT, "button", pin=0), "button/pin is GPIO 0, which is a strapping pin"),
        (changed(DEVKIT, "button", pin=34), "button/pin is GPIO 34, which is an input without a pull-up"),
        (changed(DEVKIT, "feedback", haptic=36), "feedback/haptic is GPIO 36, which is an input"),
        (changed(DEVKIT, "feedback", led=2), "feedback/led is GPIO 2, which is a strapping pin"),
        (changed(DEVKIT, "feedback", led=40), "feedback/led is GPIO 40, which does not exist on an ESP32"),
        (changed(DEVKIT, "battery", pin=26), "battery/pin is GPIO 26, which has no ADC that measures while the radio may be on (32 to 39"),
        (changed(XIAO_C3, "button", pin=9), "button/pin is GPIO 9, which is a strapping pin of an ESP32-C3"),
        (changed(XIAO_C3, "feedback", haptic=19), "feedback/haptic is GPIO 19, which belongs to the serial console"),
        (changed(FEATHER_V2, "button", pin=0), "button/pin is GPIO 0, which is a strapping pin"),
    ],
)
def test_a_pin_that_the_chip_cannot_use_is_refused(board: dict, part_of_message: str) -> None:
    faults = boards.board_faults(board)
    assert len(faults) == 1 and part_of_message in faults[0]


def test_what_a_board_carries_may_use_a_strapping_pin_or_an_input() -> None:
    assert boards.board_faults(FEATHER_V2) == []
    assert FEATHER_V2["i2c"]["power"] == 2 and FEATHER_V2["button"]["pin"] == 38


@pytest.mark.parametrize("name", [name for name in boards.board_names() if name != "VIRTUAL"])
def test_every_page_and_picture_is_what_board_json_gives(name: str) -> None:
    assert board_folder.is_drawn(name), "draw it again: make boards"
    board = boards.read_board(name)
    page = (ROOT / "boards" / name / "board.md").read_text()
    assert "Never connect the cell" in page and f"make flash BOARD={name}" in page
    texts = [text.text for text in ElementTree.fromstring(wiring_svg(board)).iter("{http://www.w3.org/2000/svg}text")]
    wires = [wire for part in parts(board) for wire in part.wires]
    assert {wire.pin for wire in wires} | {wire.to for wire in wires} <= set(texts)


@pytest.mark.parametrize("name", [name for name in boards.board_names() if name != "VIRTUAL"])
def test_the_parts_fit_into_the_case_without_touching(name: str) -> None:
    case = case_of(boards.read_board(name))
    for place in case.places:
        assert place.top >= 0 and place.top + place.length <= case.length
        assert place.near + place.depth < case.depth and place.width < case.width
        for other in case.places:
            along = place.top < other.top + other.length and other.top < place.top + place.length
            away = place.near < other.near + other.depth and other.near < place.near + place.depth
            assert other is place or not (along and away), (place, other)
    board = next(place for place in case.places if place.part == "board")
    assert board.top + board.length == case.length, "the USB socket is at the wall"
    texts = [text.text for text in ElementTree.fromstring(case_svg(boards.read_board(name))).iter("{http://www.w3.org/2000/svg}text")]
    assert {f"{mm} mm" for mm in case.outside} <= set(texts)


def test_the_device_does_not_get_what_only_its_maker_needs() -> None:
    sent = json.loads(boards.board_bytes(boards.read_board("SEEED_XIAO_ESP32C3")))
    assert "wiring" not in sent and sent == {field: value for field, value in XIAO_C3.items() if field in sent}
    assert {"name", "link", "i2c", "imu", "button", "feedback", "battery"} <= set(sent)


def test_a_hostile_label_stays_text(copied: Path) -> None:
    board = copy.deepcopy(XIAO_C3)
    board["wiring"]["labels"]["7"] = "<script>"
    texts = [text.text for text in ElementTree.fromstring(wiring_svg(board)).iter("{http://www.w3.org/2000/svg}text")]
    assert "<script> (GPIO 7)" in texts


def test_draw_writes_what_is_out_of_date(copied: Path) -> None:
    picture = copied / "SEEED_XIAO_ESP32C3/wiring.svg"
    picture.write_text("old")
    checked = CliRunner().invoke(command, ["draw", "--check", "SEEED_XIAO_ESP32C3"])
    assert checked.exit_code == 4 and "SEEED_XIAO_ESP32C3: out of date" in checked.stdout and picture.read_text() == "old"
    drawn = CliRunner().invoke(command, ["draw"])
    assert drawn.exit_code == 0 and "SEEED_XIAO_ESP32C3: wiring.svg drawn." in drawn.stdout
    assert picture.read_text() == wiring_svg(XIAO_C3)
    board = copied / "SEEED_XIAO_ESP32C3/board.json"
    board.write_text(json.dumps(changed(XIAO_C3, "button", pin=9)))
    drawn = CliRunner().invoke(command, ["draw"])
    assert drawn.exit_code == 4 and "strapping pin" in drawn.stderr and "ESP32_C6_DEVKIT: up to date" in drawn.stdout


def test_a_new_board_is_created_from_answers(copied: Path) -> None:
    texts = ["\033[31mMe", "Me", "My <b>", "x" * 81, "My board"]
    pins = ["12", "7", "x", "7", "6", "-", "4", "10", "3", ""]
    answers = ["esp32c3", *texts, "22x18", "22 18 5", "LSM6DSOX", "0x6B", *pins]
    made = CliRunner().invoke(command, ["new", "MY_BOARD"], "\n".join(answers))
    assert made.exit_code == 0, made.output
    assert made.stderr.count("is too long, or has a control character or one of < > |") == 3 and "\033" not in made.stderr
    assert "'22x18' is no size" in made.stderr and boards.read_board("MY_BOARD")["wiring"]["size_mm"] == [22, 18, 5]
    assert "GPIO 12 belongs to the flash" in made.stderr and "'x' is no GPIO" in made.stderr and "GPIO 7 is in use already" in made.stderr
    board = boards.read_board("MY_BOARD")
    assert board["i2c"]["scl"] == 7 and board["i2c"]["sda"] == 6 and "button" not in board and board["feedback"] == {"led": 4, "haptic": 10}
    assert board["battery"]["pin"] == 3 and board["link"] == "jtag" and board["imu"]["address"] == 0x6B
    assert board_folder.is_drawn("MY_BOARD")
    again = CliRunner().invoke(command, ["new", "MY_BOARD"])
    assert again.exit_code == 2 and "exists already" in again.stderr
    for name in ("../x", "CON"):
        assert CliRunner().invoke(command, ["new", name]).exit_code == 2


def test_hours_left_follow_the_charge_and_the_boards_estimate() -> None:
    assert hours_left("SEEED_XIAO_ESP32C3", 100) == pytest.approx(500 / 26.65, abs=0.1)
    assert hours_left("SEEED_XIAO_ESP32C3", 50) == pytest.approx(250 / 26.65, abs=0.1)
    assert hours_left("SEEED_XIAO_ESP32C3", 255) is None and hours_left("VIRTUAL", 50) is None and hours_left("../x", 50) is None
