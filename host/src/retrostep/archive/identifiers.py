"""Names of devices and sessions. Names from outside are checked here before they become part of a path."""

import re
import unicodedata

from retrostep.errors import UnsafeName
from retrostep.plain_text import JOINERS

_DEVICE = re.compile(r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[A-Za-z0-9_-]{1,32}")
"""Without the names that Windows reserves for its devices: it cannot create such a folder."""
LAST_SESSION = 0xFFFFFFFF
LATEST = "latest"
"""In place of a session's name: the latest session of all, or of the athlete whose name follows."""

IMPORTED = "IMPORT"
"""In place of a device's name: sessions that were imported from files of other programs. No device has this name."""


def is_device_name(text: str) -> bool:
    """Whether `text` is a valid device name, or a part of one."""
    return _DEVICE.fullmatch(text) is not None


def device_name(text: str) -> str:
    """`text` itself where it is a valid device name: 1 to 32 of A-Z a-z 0-9 _ -. UnsafeName otherwise."""
    if not is_device_name(text):
        raise UnsafeName(f"{ascii(text[:40])} is no device's name (1 to 32 letters, digits, - or _): install that board's firmware again.")
    return text


def session_number(number: int) -> int:
    """`number` itself where it is a valid session number: 1 to 2**32 - 1. UnsafeName otherwise."""
    if not 1 <= number <= LAST_SESSION:
        raise UnsafeName(f"{number} is no session's number (1 to {LAST_SESSION}): install that board's firmware again.")
    return number


def generation_name(generation: int) -> str:
    """A device's generation as folders are named by it: 8 hex digits."""
    return f"{generation:08x}"


def session_id(device: str, number: int, nth_generation: int = 1) -> str:
    """The name of a session: `DEVICE/NUMBER`, or `DEVICE.2/NUMBER` in the second known generation of the device."""
    return f"{device}/{number}" if nth_generation == 1 else f"{device}.{nth_generation}/{number}"


def person_name(text: str) -> str:
    """A person's name as it is stored: composed characters (Unicode NFC), single spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def person_key(name: str) -> str:
    """What tells people apart in the journal. Upper and lower case, composed and decomposed characters make no difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", person_name(name)).casefold())


def person_likeness(name: str) -> str:
    """What two spellings of one name have in common: as `person_key`, and wide characters, ligatures and joiners do not matter."""
    visible = person_name(name).translate(dict.fromkeys(map(ord, JOINERS)))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", visible).casefold())
