"""The totals of recordings that may show the same running: an athlete may wear several devices, for example one on each leg.

Devices worn at the same time count the same running. Their times are compared, not added. What was imported from files of other
programs counts where no device recorded. A log does not name the other devices: only
the times of the recordings show that they were worn together.
"""

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import Recording
from retrostep.training.data_quality import is_incomplete
from retrostep.units import duration

MAX_PAUSE_MS = 60_000
"""Recordings of one device with a shorter break are one stretch: the button was pressed, or the board restarted. An engineering number."""

MIN_SHARED = 0.6
"""Devices that recorded together for this share of the longer recording were worn together. An engineering number."""

MAX_DIFFERENCE_MS = 10_000
MAX_DIFFERENCE_SHARE = 0.1
"""Devices worn together agree if their times differ by at most 10 s, or by at most 10 % of the larger time: one device finds a turn sooner
than another. Engineering numbers."""

_Interval = tuple[int, int]


@dataclass(slots=True)
class MergedTotals:
    """Totals in which the same running counts once.

    backward_ms        backward time; where devices contradict each other, the larger one
    least_backward_ms  the backward time on which all devices agree
    uncertain_ms       backward time that may be missing in `backward_ms`: it is not known whether two devices recorded the same part
    walk_ms            walking in `backward_ms`: the devices' mean share of it
    forward_ms         forward time
    ramp_stops         stop alerts for rising cadence
    contradiction      what devices contradict each other about, as a sentence; usually empty
    """

    backward_ms: int = 0
    least_backward_ms: int = 0
    uncertain_ms: int = 0
    walk_ms: int = 0
    forward_ms: int = 0
    ramp_stops: int = 0
    contradiction: str = ""

    def add(self, other: "MergedTotals") -> None:
        """Add the totals of another time."""
        self.backward_ms += other.backward_ms
        self.least_backward_ms += other.least_backward_ms
        self.uncertain_ms += other.uncertain_ms
        self.walk_ms += other.walk_ms
        self.forward_ms += other.forward_ms
        self.ramp_stops += other.ramp_stops
        self.contradiction = self.contradiction or other.contradiction


def without_duplicates(recordings: Iterable[Recording]) -> list[Recording]:
    """The recordings in order of their start. A device starts one recording at a time: of several with one start, the longest is kept."""
    recordings = list(recordings)
    starts = [recording.started_at_ms or 0 for recording in recordings]
    if all(map(operator.lt, starts, starts[1:])):
        return recordings  # as they come from the store
    ordered = sorted(recordings, key=lambda each: (_start(each), each.device, -each.duration_ms, each.number, each.nth_generation))
    return [next(copies) for _, copies in groupby(ordered, key=lambda each: (_start(each), each.device))]


def spans(recordings: Iterable[Recording]) -> list[list[Recording]]:
    """The recordings in groups that share no time, in order of their start.

    1. Recordings of one device with a break of at most MAX_PAUSE_MS are one stretch.
    2. Stretches that overlap are one group.
    """
    stretches: list[_Stretch] = []
    for _, of_device in groupby(sorted(recordings, key=lambda each: (each.device, _start(each))), key=lambda each: each.device):
        stretch = None
        for recording in of_device:
            if stretch is None or _start(recording) > stretch.end_ms + MAX_PAUSE_MS:
                stretch = _Stretch(_start(recording), _end(recording), [])
                stretches.append(stretch)
            stretch.end_ms = max(stretch.end_ms, _end(recording))
            stretch.recordings.append(recording)
    stretches.sort(key=lambda stretch: stretch.start_ms)
    found: list[list[Recording]] = []
    reached_ms = 0
    for stretch in stretches:
        if not found or stretch.start_ms >= reached_ms:
            found.append([])
        found[-1] += stretch.recordings
        reached_ms = max(reached_ms, stretch.end_ms)
    return found


def merge_span(recordings: Sequence[Recording]) -> MergedTotals:
    """The totals of one group of `spans`.

    1. The times of each device are added.
    2. Devices are compared two at a time, the one that recorded longest first. A device that found no direction is left out.
    3. Devices worn together (MIN_SHARED): the larger time counts. If the times differ by more than MAX_DIFFERENCE_MS and
       MAX_DIFFERENCE_SHARE, the devices contradict each other.
    4. Other devices were worn one after the other. In the time that they share, both may have recorded the same part or not: it counts
       once and is uncertain. They contradict each other if one recorded more than the other leaves room for.
    5. An imported activity is compared with no device: of its times, the part counts in which no device recorded.
    6. A device with an incomplete recording, or with gaps, may have missed running: its smaller time contradicts nothing.
    """
    of_devices = [each for each in recordings if each.device != IMPORTED]
    if of_devices and len(of_devices) < len(recordings):
        totals = merge_span(of_devices)
        totals.add(_beside(of_devices, [each for each in recordings if each.device == IMPORTED]))
        return totals
    backward_ms, walk_ms = sum(each.backward_ms for each in recordings), sum(each.backward_walk_ms for each in recordings)
    if all(each.device == recordings[0].device for each in recordings):
        forward_ms, ramp_stops = sum(each.forward_ms for each in recordings), sum(each.ramp_stops for each in recordings)
        return MergedTotals(backward_ms, backward_ms, 0, walk_ms, forward_ms, ramp_stops)
    by_device = sorted(recordings, key=lambda each: each.device)
    devices = [_DeviceTotals.of(list(of_device)) for _, of_device in groupby(by_device, key=lambda each: each.device)]
    ramp_stops = sum(device.ramp_stops for device in devices)
    devices = [device for device in devices if device.backward_ms or device.forward_ms]
    if not devices:
        return MergedTotals(ramp_stops=ramp_stops)
    devices.sort(key=lambda device: (-device.recorded_ms, device.name))
    merged = _compared(devices)
    merged.walk_ms = merged.backward_ms * walk_ms // backward_ms if backward_ms else 0
    return merged


def _beside(of_devices: Sequence[Recording], imported: Iterable[Recording]) -> MergedTotals:
    """The totals of imported activities in the time in which no device recorded. Their movement is taken as spread evenly over them."""
    recorded = _union((_start(each), _end(each)) for each in of_devices)
    totals = MergedTotals()
    for each in imported:
        alone_ms = each.duration_ms - _shared(recorded, [(_start(each), _end(each))])
        backward_ms, forward_ms, walk_ms = (
            ms * alone_ms // each.duration_ms for ms in (each.backward_ms, each.forward_ms, each.backward_walk_ms)
        )
        totals.add(MergedTotals(backward_ms, backward_ms, 0, walk_ms, forward_ms))
    return totals


@dataclass(slots=True)
class _Stretch:
    start_ms: int
    end_ms: int
    recordings: list[Recording]


@dataclass(slots=True)
class _DeviceTotals:
    """What one device recorded, and when."""

    name: str
    intervals: list[_Interval]
    recorded_ms: int
    backward_ms: int
    forward_ms: int
    ramp_stops: int
    missing_ms: int | None
    """Time in which it may have missed running; None if that is not bounded."""

    @classmethod
    def of(cls, recordings: list[Recording]) -> "_DeviceTotals":
        intervals = _union((_start(each), _end(each)) for each in recordings)
        return cls(
            recordings[0].device,
            intervals,
            _length(intervals),
            sum(each.backward_ms for each in recordings),
            sum(each.forward_ms for each in recordings),
            sum(each.ramp_stops for each in recordings),
            None if any(is_incomplete(each) for each in recordings) else sum(each.gap_ms for each in recordings),
        )

    def add(self, other: "_DeviceTotals", shared_ms: int, *, is_together: bool) -> None:
        """Add what another device recorded."""
        self.backward_ms = _at_least(self.backward_ms, other.backward_ms, shared_ms, is_together)
        self.forward_ms = _at_least(self.forward_ms, other.forward_ms, shared_ms, is_together)
        self.ramp_stops = max(self.ramp_stops, other.ramp_stops) if is_together else self.ramp_stops + other.ramp_stops
        self.intervals = _union([*self.intervals, *other.intervals])
        self.recorded_ms = _length(self.intervals)
        missing = [ms for ms in (self.missing_ms, other.missing_ms) if ms is not None]
        if is_together:
            self.missing_ms = min(missing, default=None)
        else:
            self.missing_ms = sum(missing) if len(missing) == 2 else None


def _compared(devices: list[_DeviceTotals]) -> MergedTotals:
    """The totals of `devices`, which share some time. The first one is changed."""
    merged, *others = devices
    totals = MergedTotals(least_backward_ms=merged.backward_ms)
    for device in others:
        shared_ms = _shared(merged.intervals, device.intervals)
        is_together = shared_ms >= MIN_SHARED * max(merged.recorded_ms, device.recorded_ms)
        least_ms = _at_least(merged.backward_ms, device.backward_ms, shared_ms, is_together)
        most_ms = _at_most(merged, device, shared_ms, is_together)
        smaller = min(merged, device, key=lambda each: each.backward_ms)
        allowed_ms = max(MAX_DIFFERENCE_MS, int(MAX_DIFFERENCE_SHARE * least_ms))
        if smaller.missing_ms is not None and least_ms - most_ms > allowed_ms + smaller.missing_ms:
            totals.contradiction = totals.contradiction or _contradiction(merged, device)
            totals.least_backward_ms = min(totals.least_backward_ms, most_ms)
        elif not totals.contradiction:
            totals.least_backward_ms = least_ms
        totals.uncertain_ms += max(0, most_ms - least_ms)
        merged.add(device, shared_ms, is_together=is_together)
    totals.backward_ms, totals.forward_ms, totals.ramp_stops = merged.backward_ms, merged.forward_ms, merged.ramp_stops
    return totals


def _at_least(one_ms: int, other_ms: int, shared_ms: int, is_together: bool) -> int:
    """The smallest time that both devices can have recorded parts of, if they shared `shared_ms`; the larger one if worn together."""
    larger_ms = max(one_ms, other_ms)
    return larger_ms if is_together else max(larger_ms, one_ms + other_ms - shared_ms)


def _at_most(one: _DeviceTotals, other: _DeviceTotals, shared_ms: int, is_together: bool) -> int:
    """The most backward time that fits what both devices recorded."""
    if is_together:
        return min(one.backward_ms, other.backward_ms)
    return min(
        one.backward_ms + other.backward_ms,
        one.backward_ms + other.recorded_ms - shared_ms,
        other.backward_ms + one.recorded_ms - shared_ms,
    )


def _contradiction(one: _DeviceTotals, other: _DeviceTotals) -> str:
    times = (
        f"{each.name} recorded {duration(each.backward_ms)} backward and {duration(each.forward_ms)} forward"
        for each in sorted((one, other), key=lambda each: each.name)
    )
    return f"Devices worn at the same time contradict each other: {', '.join(times)}."


def _start(recording: Recording) -> int:
    assert recording.started_at_ms is not None
    return recording.started_at_ms


def _end(recording: Recording) -> int:
    return _start(recording) + recording.duration_ms


def _union(intervals: Iterable[_Interval]) -> list[_Interval]:
    """The intervals in order, with those joined that touch or overlap."""
    joined: list[_Interval] = []
    for start_ms, end_ms in sorted(intervals):
        if joined and start_ms <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_ms))
        else:
            joined.append((start_ms, end_ms))
    return joined


def _length(intervals: Iterable[_Interval]) -> int:
    return sum(end_ms - start_ms for start_ms, end_ms in intervals)


def _shared(one: Sequence[_Interval], other: Sequence[_Interval]) -> int:
    """How long both were recording."""
    return _length(one) + _length(other) - _length(_union([*one, *other]))
