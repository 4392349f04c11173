"""What keeps a recording from being judged: what cannot be judged is `unknown`, never `ok`."""

from dataclasses import dataclass

from retrostep_core.log.records import FLASH_FULL, INTERRUPTED

from retrostep.archive.store import Recording
from retrostep.training.outing import GAP_LIMIT_MS

GAPS = "gaps"
NOT_TOLD = "0" * 16


@dataclass(frozen=True)
class Core:
    """The core that this computer carries: its version, and its fingerprint in hex."""

    version: tuple[int, ...]
    hash: str

    def is_foreign(self, version: str, fingerprint: str) -> bool:
        """Whether a recording was made by a core that this program does not know: a newer one, or a changed one of the same version."""
        try:
            theirs = tuple(int(part) for part in version.split("."))
        except ValueError:
            return True
        return theirs > self.version or (theirs == self.version and fingerprint not in (self.hash, NOT_TOLD))


def troubles(recording: Recording, core: Core) -> list[str]:
    """What is wrong with a recording, in words; nothing is the usual case. Its date is not looked at."""
    found = []
    if recording.gap_ms > GAP_LIMIT_MS:
        found.append(GAPS)
    if recording.end_reason == INTERRUPTED:
        found.append("it was interrupted (the device lost power or was reset)")
    elif recording.end_reason == FLASH_FULL:
        found.append("the device's memory was full before it ended")
    elif recording.end_reason == 0:
        found.append("it had not ended when it was synced")
    if recording.damage or recording.lost_records:
        found.append("its log is damaged")
    if recording.contradictory:
        found.append("its totals contradict each other")
    if core.is_foreign(recording.core_version, recording.core_hash):
        found.append(f"it was counted by another core ({recording.core_version}, {recording.core_hash})")
    return found
