"""Names from outside that become part of a path: checked here, and nowhere taken on trust."""

import re

from retrostep.errors import UnsafeName

_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,32}")
SESSION_LAST = 0xFFFFFFFF


def device_name(text: str) -> str:
    """`text` itself if it is a device's name (1 to 32 of A-Z a-z 0-9 _ -), otherwise UnsafeName."""
    if not _DEVICE.fullmatch(text):
        raise UnsafeName(
            f"{ascii(text[:40])} is no device's name (1 to 32 letters, digits, - or _): deploy that board again, or leave it out."
        )
    return text


def session_number(number: int) -> int:
    """`number` itself if a log can be named by it (1 to 2**32 - 1), otherwise UnsafeName."""
    if not 1 <= number <= SESSION_LAST:
        raise UnsafeName(f"{number} is no session's number (1 to {SESSION_LAST}): deploy that board again, or leave it out.")
    return number


def life_name(life: int) -> str:
    """How a device's life is called in paths."""
    return f"{life:08x}"


def session_id(device: str, number: int, nth_life: int = 1) -> str:
    """How a session is called everywhere: `DEVICE/NUMBER`; `DEVICE.2/NUMBER` in the second life that was seen of the device."""
    return f"{device}/{number}" if nth_life == 1 else f"{device}.{nth_life}/{number}"
