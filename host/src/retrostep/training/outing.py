"""What a coach calls a session: a device's recordings with short pauses between them.

A device ends a recording after a minute of standing still, so one practice with rests becomes several. Recordings of one athlete
with pauses of at most PAUSE_MS belong to one outing. Where two overlap (one device on each leg) the larger counts, not the sum.
"""

from collections.abc import Iterable

from retrostep.archive.store import Recording
from retrostep.training.dates import day_of
from retrostep.training.quality import is_cut

PAUSE_MS = 30 * 60_000
"""Rest between recordings of one outing. An engineering number: longer than rests between intervals, shorter than between practices."""

LEAST_BACKWARD_MS = 10_000
"""Less backward time than this is a few steps back, not backward running. An engineering number."""


class Outing:
    """One or more recordings, judged as one. All durations in ms.

    most is the recording with the most backward time, the first of several; it stands for the outing.
    hidden_ms is how much backward time may be missing from `backward_ms` because of gaps; None where it was cut.
    """

    __slots__ = ("backward_ms", "day", "end_ms", "forward_ms", "hidden_ms", "most", "recordings", "start_ms")

    def __init__(self, recording: Recording) -> None:
        assert recording.started_at_ms is not None
        self.recordings = [recording]
        self.most = recording
        self.start_ms = recording.started_at_ms
        self.end_ms = recording.started_at_ms + recording.duration_ms
        self.day = day_of(recording.started_at_ms)
        self.backward_ms = recording.backward_ms
        self.forward_ms = recording.forward_ms
        self.hidden_ms = _hidden_ms(recording)

    def takes(self, recording: Recording) -> bool:
        """Whether `recording`, which did not start before the last one, belongs to this outing."""
        assert recording.started_at_ms is not None
        return recording.started_at_ms <= self.end_ms + PAUSE_MS

    def add(self, recording: Recording) -> None:
        """Let `recording` be part of this outing."""
        assert recording.started_at_ms is not None
        last = self.recordings[-1]
        if recording.started_at_ms < self.end_ms and recording.device != last.device:
            self.backward_ms += max(0, recording.backward_ms - last.backward_ms)
            self.forward_ms += max(0, recording.forward_ms - last.forward_ms)
        else:
            self.backward_ms += recording.backward_ms
            self.forward_ms += recording.forward_ms
        hidden = _hidden_ms(recording)
        self.hidden_ms = None if hidden is None or self.hidden_ms is None else self.hidden_ms + hidden
        self.recordings.append(recording)
        if recording.backward_ms > self.most.backward_ms:
            self.most = recording
        self.end_ms = max(self.end_ms, recording.started_at_ms + recording.duration_ms)

    def day_of(self) -> int:
        """Its day, to look outings up by: they lie in order of it."""
        return self.day

    @property
    def is_backward(self) -> bool:
        """Whether it counts as a backward session."""
        return self.backward_ms >= LEAST_BACKWARD_MS

    @property
    def cadence_x10(self) -> int:
        """Median backward cadence, in 0.1 steps a minute; 0 none."""
        return self.most.backward_cadence_x10

    @property
    def id(self) -> str:
        """The session that is named when the outing is meant."""
        return self.most.id

    @property
    def warm_up_ms(self) -> int:
        """Forward time before the first backward bout, in earlier recordings of the outing too."""
        total = 0
        for recording in self.recordings:
            if recording.first_backward_ms is not None and recording.backward_ms >= min(LEAST_BACKWARD_MS, self.backward_ms):
                return total + recording.warm_up_ms
            total += recording.forward_ms
        return total


def outings(recordings: Iterable[Recording]) -> list[Outing]:
    """Dated recordings in order of their start as outings."""
    found: list[Outing] = []
    for recording in recordings:
        if found and found[-1].takes(recording):
            found[-1].add(recording)
        else:
            found.append(Outing(recording))
    return found


def _hidden_ms(recording: Recording) -> int | None:
    return None if is_cut(recording) else recording.gap_ms
