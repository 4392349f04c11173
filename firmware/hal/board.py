"""The board as /board.json and /settings.json describe it. Every field is checked before it is used."""

from binascii import unhexlify

from retrostep_core.constants import const
from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.units import parse_mount

from hal.link_speeds import LINK_SPEEDS
from hal.sensors import SENSORS
from hal.settings import read

# As in retrostep_core/codes.py, which the board does not load. The names stand in the order of their codes.
_LEFT = const(1)
_RIGHT = const(2)
_PLACEMENT_NAMES = ("shank", "waist", "pocket")


class Board:
    """The contents of board.json, and of settings.json for the wearer.

    problems   a sentence for each file or field that cannot be used; a default is used instead
    imu, i2c, button, feedback, battery   a dict each; None where the board has none, or its description is wrong
    side, placement   codes          mount   as from units.parse_mount; None if unknown        mount_text   "?" if unknown
    watermark   samples in the FIFO when it is read, 2 to 64        auto_stop_s   10 to 900
    auto_start  whether the first step starts a session             nickname      "" for none
    haptic_percent   strength of the motor, 0 to 100
    """

    def __init__(self, board: dict, settings: dict) -> None:
        self.problems = []
        self.name = board.get("name", "unknown")
        if not isinstance(self.name, str):
            self.name = "unknown"
        self.link = self._one_of(board, "link", tuple(LINK_SPEEDS), "uart", "/board.json")
        self.i2c = self._part(board, "i2c", ("id", "scl", "sda", "freq_hz"))
        self.imu = self._part(board, "imu", ("address",))
        if self.imu and self.imu.get("model") not in SENSORS:
            self.problems.append("imu/model in /board.json must be one of %s" % ", ".join(sorted(SENSORS)))
            self.imu = None
        self.button = self._part(board, "button", ("pin",), False)
        self.feedback = self._part(board, "feedback", (), False)
        self.battery = self._part(board, "battery", ("pin", "scale_x100"), False)
        rates = board.get("rates")
        self.watermark = _whole_number(rates if isinstance(rates, dict) else {}, "watermark", 2, 64, 12)
        self.auto_stop_s = self._setting(settings, "auto_stop_s", 10, 900, _whole_number(board, "auto_stop_s", 10, 900, 60))
        self.auto_start = bool(self._setting(settings, "auto_start", 0, 1, 1))
        self.nickname = settings.get("nickname", "")
        if not isinstance(self.nickname, str):
            self.problems.append("nickname in /settings.json is no text; there is none")
            self.nickname = ""
        # What is switched off is missing in `feedback`.
        self.haptic_percent = self._setting(settings, "haptic", 0, 100, 100)
        has_led = self._setting(settings, "led", 0, 1, 1)
        # 0 off, 1 strides as cadence, 2 steps.
        self.ble = self._setting(settings, "ble", 0, 2, 0)
        if self.ble and not board.get("ble"):
            self.problems.append("ble in /settings.json needs a board with more memory; it stays off")
            self.ble = 0
        if self.feedback:
            self.feedback = dict(self.feedback)
            if not self.haptic_percent:
                self.feedback.pop("haptic", None)
            if not has_led:
                self.feedback.pop("led", None)
        self.light_sleep = bool(board.get("light_sleep"))
        side = self._one_of(board, "side", ("left", "right"), "left", "/board.json")
        side = self._one_of(settings, "side", ("left", "right"), side, "/settings.json")
        self.side = _LEFT if side == "left" else _RIGHT
        placement = self._one_of(board, "placement", _PLACEMENT_NAMES, "shank", "/board.json")
        self.placement = _PLACEMENT_NAMES.index(self._one_of(settings, "placement", _PLACEMENT_NAMES, placement, "/settings.json"))
        self.mount_text = "?"
        self.mount: tuple | None = None
        self._read_mount(board, "mount_" + side, "/board.json")
        # A calibrated mount replaces the board's own.
        self._read_mount(settings, "mount", "/settings.json")
        self.limits = Limits()
        if "limits" in settings:
            try:
                self.limits = unpack_limits(unhexlify(settings["limits"]))
            except (ValueError, TypeError) as error:
                self.problems.append("the limits in /settings.json cannot be used (%s): push them again" % error)

    def _read_mount(self, fields: dict, key: str, file: str) -> None:
        if key not in fields:
            return
        try:
            self.mount = parse_mount(fields[key])
            self.mount_text = fields[key]
        except (ValueError, TypeError, IndexError):
            self.problems.append("%s in %s is not a mount such as +y+z+x: calibrate again" % (key, file))

    def _setting(self, settings: dict, key: str, least: int, most: int, default: int) -> int:
        value = settings.get(key, default)
        if isinstance(value, (int, bool)) and least <= value <= most:
            return int(value)
        self.problems.append("%s in /settings.json must be a whole number from %d to %d; %d is used" % (key, least, most, default))
        return default

    def _one_of(self, fields: dict, key: str, values: tuple, default: str, file: str) -> str:
        value = fields.get(key, default)
        if value in values:
            return value
        self.problems.append("%s in %s must be one of %s; %s is used" % (key, file, ", ".join(values), default))
        return default

    def _part(self, board: dict, key: str, fields: tuple, required: bool = True) -> dict | None:
        part = board.get(key)
        if part is None and not (required and board):
            return None
        if not isinstance(part, dict):
            self.problems.append("%s is missing in /board.json: copy the firmware to the board again" % key)
            return None
        for number in fields:
            if not isinstance(part.get(number), int):
                self.problems.append("%s/%s in /board.json must be a whole number" % (key, number))
                return None
        return part


def load(root: str = "") -> Board:
    """The board as the files in the folder `root` describe it. A file that cannot be read is one of its `problems`."""
    problems: list[str] = []
    description = read(root + "/board.json", problems, True)
    settings = read(root + "/settings.json", problems, False)
    board = Board(description, settings)
    board.problems = problems + board.problems
    return board


def _whole_number(fields: dict, key: str, least: int, most: int, default: int) -> int:
    value = fields.get(key, default)
    return value if isinstance(value, int) and least <= value <= most else default
