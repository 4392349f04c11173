"""What /board.json and /settings.json say, checked before anything believes it."""

from binascii import unhexlify

from retrostep_core.gait.codes import LEFT, PLACEMENT_NAMES, RIGHT
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.units import parse_mount

from hal.settings import read

MODELS = ("LSM6DSOX", "LSM6DSO32", "ISM330DHCX")
LINKS = ("uart", "usb", "jtag")


class BoardError(Exception):
    """A description that cannot be used; the text names the field and the cure."""


class Board:
    """The board as described in board.json, with what settings.json says about its wearer.

    `trouble` holds a sentence for each file or field that was not usable; the defaults then stand in for it. Attributes that are
    None: imu, i2c, button, signal, battery where the board has none, or none that is described soundly.
    """

    def __init__(self, board: dict, settings: dict) -> None:
        self.trouble = []
        self.name = _text(board, "name", "unknown")
        self.link = self._one_of(board, "link", LINKS, "uart", "/board.json")
        self.i2c = self._part(board, "i2c", ("id", "scl", "sda", "freq_hz"))
        self.imu = self._part(board, "imu", ("address",))
        if self.imu and self.imu.get("model") not in MODELS:
            self.trouble.append("imu/model in /board.json is none of %s: run `retrostep deploy` again." % ", ".join(MODELS))
            self.imu = None
        self.button = self._part(board, "button", ("pin",), True)
        self.signal = self._part(board, "signal", (), True)
        self.battery = self._part(board, "battery", ("pin", "scale_x100"), True)
        rates = board.get("rates")
        self.watermark = _whole(rates if isinstance(rates, dict) else {}, "watermark", 2, 64, 12)
        self.auto_stop_s = _whole(board, "auto_stop_s", 10, 900, 60)
        side = self._one_of(board, "side", ("left", "right"), "left", "/board.json")
        side = self._one_of(settings, "side", ("left", "right"), side, "/settings.json")
        self.side = LEFT if side == "left" else RIGHT
        placement = self._one_of(board, "placement", PLACEMENT_NAMES, "shank", "/board.json")
        self.placement = PLACEMENT_NAMES.index(self._one_of(settings, "placement", PLACEMENT_NAMES, placement, "/settings.json"))
        self.mount_text = "?"
        self.mount = None
        for where, key, fields in (("/board.json", "mount_" + side, board), ("/settings.json", "mount", settings)):
            if key in fields:
                try:
                    self.mount = parse_mount(fields[key])
                    self.mount_text = fields[key]
                except (ValueError, TypeError, IndexError):
                    self.trouble.append("%s in %s is no mount such as +y+z+x: calibrate again." % (key, where))
        self.limits = Limits()
        if "limits" in settings:
            try:
                self.limits = Limits.unpack(unhexlify(settings["limits"]))
            except (ValueError, TypeError) as error:
                self.trouble.append("The limits in /settings.json cannot be used (%s): push them again." % error)

    def _one_of(self, fields: dict, key: str, known: tuple, default: str, where: str) -> str:
        value = fields.get(key, default)
        if value in known:
            return value
        self.trouble.append("%s in %s is none of %s; taken as %s." % (key, where, ", ".join(known), default))
        return default

    def _part(self, board: dict, key: str, numbers: tuple, may_miss: bool = False) -> dict | None:
        part = board.get(key)
        if part is None and (may_miss or not board):
            return None
        if not isinstance(part, dict):
            self.trouble.append("%s is missing in /board.json: run `retrostep deploy` again." % key)
            return None
        for number in numbers:
            if not isinstance(part.get(number), int):
                self.trouble.append("%s/%s in /board.json must be a whole number: run `retrostep deploy` again." % (key, number))
                return None
        return part


def load(root: str = "") -> Board:
    """The board as its files describe it; what cannot be read is said in `trouble`."""
    trouble = []
    facts = read(root + "/board.json", trouble, True)
    settings = read(root + "/settings.json", trouble, False)
    board = Board(facts, settings)
    board.trouble = trouble + board.trouble
    return board


def _text(fields: dict, key: str, default: str) -> str:
    value = fields.get(key, default)
    return value if isinstance(value, str) else default


def _whole(fields: dict, key: str, least: int, most: int, default: int) -> int:
    value = fields.get(key, default)
    return value if isinstance(value, int) and least <= value <= most else default
