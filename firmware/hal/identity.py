"""Who this device is and which core it runs."""

from binascii import hexlify

import retrostep_core


class Identity:
    """What a session's header and HELLO carry: device id, board name, version and hash of the core."""

    def __init__(self, unique_id: bytes, board: str, core_hash: bytes) -> None:
        self.device = "RS-" + hexlify(unique_id).decode()[:24].upper()
        self.board = board
        self.core_version = retrostep_core.VERSION
        self.core_hash = core_hash
