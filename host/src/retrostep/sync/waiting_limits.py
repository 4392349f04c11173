"""Alert limits that wait for a device: sent at its next sync, and recorded once the device has them in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.link import messages

from retrostep.device.client import DeviceClient
from retrostep.errors import BadAnswer

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store

NONE, SENT, WAITING = "", "sent", "waiting"
"""No limits waited; they are in force now; they wait, because a session is in progress, which other limits would end."""


def send_waiting_limits(board: DeviceClient, store: Store, device: str) -> str:
    """Send the limits that wait for `device`. Return NONE, SENT or WAITING.

    The device saves them before it answers, and they are read back. If the line is lost in between, they wait on, and the next sync sends
    them again. Raises LinkLost, Refused, BadAnswer where the device has others in force afterwards.
    """
    row = store.waiting_limits(device)
    if row is None:
        return NONE
    wanted = unpack_limits(bytes.fromhex(row.limits))
    if board.limits() != wanted:
        if board.status().state == messages.IN_SESSION:
            return WAITING
        board.set_limits(wanted)
        if board.limits() != wanted:
            raise BadAnswer(f"{device} has other limits in force than those that it was sent.", port=board.path)
    store.record_limits_sent(device, wanted)
    return SENT
