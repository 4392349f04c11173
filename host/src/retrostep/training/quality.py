"""What keeps a recording from being judged: what cannot be judged is `unknown`, never `ok`."""

from dataclasses import dataclass

from retrostep_core.log.records import BY_BUTTON, BY_ITSELF, FLASH_FULL, INTERRUPTED

from retrostep.archive.store import Recording

_WHOLE = (BY_ITSELF, BY_BUTTON)

GAP_LIMIT_MS = 1_000
"""Gaps in samples up to this in a recording hide three steps at most, and are let pass. An engineering number."""

NOT_TOLD = "0" * 16
"""The fingerprint of a core that does not tell it."""


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


def is_cut(recording: Recording) -> bool:
    """Whether an unknown part of it is missing, so that there may have been more of everything."""
    return recording.end_reason not in _WHOLE or bool(recording.damage or recording.lost_records) or recording.contradictory


def troubles(recording: Recording, core: Core) -> list[str]:
    """What keeps a recording from being judged, in words; nothing is the usual case. Its date is not looked at."""
    found = []
    if recording.gap_ms > GAP_LIMIT_MS:
        found.append(f"{recording.gap_ms / 1_000:.1f} s of samples are missing")
    if recording.end_reason == INTERRUPTED:
        found.append("it was interrupted (the device lost power or was reset)")
    elif recording.end_reason == FLASH_FULL:
        found.append("the device's memory was full before it ended")
    elif recording.end_reason == 0:
        found.append("it had not ended when it was synced")
    elif recording.end_reason not in _WHOLE:
        found.append("it ended in a way that this program does not know")
    if recording.damage or recording.lost_records:
        found.append("its log is damaged")
    if recording.contradictory:
        found.append("its totals contradict each other")
    if core.is_foreign(recording.core_version, recording.core_hash):
        found.append(f"it was counted by another core ({recording.core_version}, {recording.core_hash})")
    return found
