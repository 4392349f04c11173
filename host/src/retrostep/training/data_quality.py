"""Reasons why a recording cannot be judged. The verdict is then `unknown`, never `ok`."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from retrostep_core.code_names import GAP_NAMES
from retrostep_core.codes import END_FLASH_FULL, END_INTERRUPTED, GAP_SAMPLES

from retrostep.archive.imported import NO_CORE
from retrostep.archive.queries import COMPLETE_ENDS
from retrostep.units import damage_text, duration

MAX_GAP_MS = 1_000
"""A recording is judged if its gaps are not longer than this in total: they hide at most three steps. An engineering default."""

UNREPORTED_HASH = "0" * 16
"""The hash of a core that does not report one."""


class RecordingQuality(Protocol):
    """The fields of a session's row that show how complete it is (schema.SessionRow)."""

    @property
    def gap_ms(self) -> int:
        """Sum of the gaps in the samples, in ms."""

    @property
    def gap_reasons(self) -> int:
        """A bit for each reason of a gap, 1 << codes.GAP_*."""

    @property
    def end_reason(self) -> int:
        """Code of the end (codes.END_*); 0 where the log has no end."""

    @property
    def damage(self) -> int:
        """Bytes of the log that were damaged and skipped."""

    @property
    def lost_records(self) -> int:
        """Number of lost records."""

    @property
    def contradictory(self) -> bool:
        """Whether the totals are impossible."""


COUNTED_ALIKE_SINCE = (0, 1)
"""First two numbers of the oldest core whose counts can be compared with those of this one.

The second number of a core's version rises when its counts of a walk change: a test pins them. Then set this to the new number, unless the
change is too small to matter for any limit. A change of the third number, or of the hash alone, leaves the counts as they were.
"""


@dataclass(frozen=True)
class Core:
    """The core that this computer carries: its version, and its hash in hex."""

    version: tuple[int, ...]
    hash: str

    def is_foreign(self, version: str) -> bool:
        """Whether a core of that version may count differently, so that its recordings cannot be judged here."""
        return _is_foreign(self.version, version)

    def is_newer(self, version: str) -> bool:
        """Whether a core of that foreign version is newer than this one: an update of this computer helps."""
        numbers = _numbers(version)
        return numbers is None or numbers > self.version

    def is_other(self, version: str, core_hash: str) -> bool:
        """Whether a recording was made by a core that is not this one and counts alike."""
        is_this = version == self.text and core_hash in (self.hash, UNREPORTED_HASH)
        return not is_this and version != NO_CORE and not self.is_foreign(version)

    @cached_property
    def text(self) -> str:
        """The version as a session's row has it."""
        return ".".join(map(str, self.version))


@lru_cache(maxsize=1_000)
def _is_foreign(own_version: tuple[int, ...], version: str) -> bool:
    numbers = _numbers(version)
    return numbers is None or (version != NO_CORE and not COUNTED_ALIKE_SINCE <= numbers[:2] <= own_version[:2])


def _numbers(version: str) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        return None


def is_incomplete(recording: RecordingQuality) -> bool:
    """Whether an unknown part of a recording is missing, so that every total may be too low."""
    return recording.end_reason not in COMPLETE_ENDS or bool(recording.damage or recording.lost_records) or recording.contradictory


def gap_text(reasons: int) -> str:
    """What the gaps of a recording are, after their duration: `of samples missing`, or `without valid samples (gyroscope dead)`."""
    known = (*GAP_NAMES, "a reason that this version does not know")
    names = [name for reason, name in enumerate(known) if reasons >> reason & 1]
    if set(names) <= {GAP_NAMES[GAP_SAMPLES]}:
        return "of samples missing"
    return f"without valid samples ({', '.join(names)})"


def quality_problems(recording: RecordingQuality, max_gap_ms: int = MAX_GAP_MS) -> list[str]:
    """What is missing or wrong in a recording, as phrases; usually nothing. Its date is not checked."""
    problems = []
    if recording.gap_ms > max_gap_ms:
        problems.append(f"{duration(recording.gap_ms)} {gap_text(recording.gap_reasons)}")
    if recording.end_reason == END_INTERRUPTED:
        problems.append("interrupted (the device lost power or was reset)")
    elif recording.end_reason == END_FLASH_FULL:
        problems.append("cut short because the device's flash was full")
    elif recording.end_reason == 0:
        problems.append("not ended when it was synced")
    elif recording.end_reason not in COMPLETE_ENDS:
        problems.append(f"ended for a reason that this version does not know ({recording.end_reason})")
    if recording.damage or recording.lost_records:
        problems.append(f"log damaged ({damage_text(recording.damage, recording.lost_records)})")
    if recording.contradictory:
        problems.append("totals that contradict each other")
    return problems
