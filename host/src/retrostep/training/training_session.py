"""Training sessions: one or more recordings with short breaks.

A device ends a recording after a minute of standing still, so one session with rests is stored as several recordings. Recordings of one
athlete with breaks of at most MAX_BREAK_MS are one training session. Running that several devices recorded counts once (merged_totals).
"""

from collections.abc import Iterable

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.queries import Recording
from retrostep.training.data_quality import is_incomplete
from retrostep.training.dates import day_of
from retrostep.training.merged_totals import MergedTotals, merge_span, spans, without_duplicates

MAX_BREAK_MS = 30 * 60_000
"""Longest break within a training session. An engineering number: longer than rests between intervals, shorter than between sessions."""

MIN_BACKWARD_MS = 10_000
"""Less backward time than this is a few steps back, not backward running. An engineering number."""


class TrainingSession:
    """One or more recordings that are judged as one.

    recordings          in order of their start, each once
    start_ms, end_ms    ms since 1970
    day                 local day number of the start
    backward_ms         backward time, in ms; where devices contradict each other, the larger one
    least_backward_ms   the backward time on which all devices agree, in ms
    running_ms          backward time of it that was jogging or running, in ms
    least_running_ms    the same, of the backward time on which all devices agree
    is_backward         whether it counts as a backward session
    is_running          whether it counts as a session with backward jogging or running
    stage               the fastest backward gait: backward_gait.NONE, WALK, JOG or RUN
    forward_ms          forward time, in ms
    unrecorded_ms       backward time that may be missing in `backward_ms`, in ms; None if it is not bounded
    ramp_stops          stop alerts for rising cadence
    contradiction       what devices contradict each other about, as a sentence; usually empty
    main_recording      the recording with the most backward time, the first of several
    contacts            backward contacts of the worn leg whose impact was measured by the device of the main recording
    impact_g8           the sum of their peaks along the shank, in 1/8 g
    has_note            whether pain (0 too), limping or swelling was noted for any recording
    """

    __slots__ = (
        "_spans",
        "backward_ms",
        "contacts",
        "contradiction",
        "day",
        "end_ms",
        "forward_ms",
        "has_note",
        "impact_g8",
        "is_backward",
        "is_running",
        "least_backward_ms",
        "least_running_ms",
        "main_recording",
        "ramp_stops",
        "recordings",
        "running_ms",
        "stage",
        "start_ms",
        "unrecorded_ms",
    )

    def __init__(self, recordings: list[Recording]) -> None:
        """`recordings`: at least one, all dated, in order of their start, each once."""
        first = recordings[0]
        assert first.started_at_ms is not None
        self.recordings = recordings
        self._spans = [recordings]
        self.start_ms = first.started_at_ms
        self.day = day_of(first.started_at_ms)
        # A single recording, as nearly all are, takes no merging.
        self.main_recording = first
        self.end_ms = first.started_at_ms + first.duration_ms
        self.backward_ms = self.least_backward_ms = first.backward_ms
        self.running_ms = self.least_running_ms = first.backward_ms - first.backward_walk_ms
        self.stage = first.backward_stage
        self.forward_ms = first.forward_ms
        self.ramp_stops = first.ramp_stops
        self.contradiction = ""
        self.unrecorded_ms = None if is_incomplete(first) else first.gap_ms
        self.contacts = first.backward_contacts
        self.impact_g8 = first.backward_impact_g8
        if len(recordings) > 1:
            self._merge(recordings)
        self.is_backward = self.backward_ms >= MIN_BACKWARD_MS
        self.is_running = self.running_ms >= MIN_BACKWARD_MS
        self.has_note = any(map(has_note, recordings))

    def _merge(self, recordings: list[Recording]) -> None:
        self._spans = spans(recordings)
        self.main_recording = max(recordings, key=lambda recording: recording.backward_ms)
        self.end_ms = max((recording.started_at_ms or 0) + recording.duration_ms for recording in recordings)
        totals = MergedTotals()
        for span in self._spans:
            totals.add(merge_span(span))
        self.backward_ms = totals.backward_ms
        self.least_backward_ms = totals.least_backward_ms
        self.running_ms = totals.backward_ms - totals.walk_ms
        self.least_running_ms = self.running_ms * totals.least_backward_ms // totals.backward_ms if totals.backward_ms else 0
        self.stage = max(recording.backward_stage for recording in recordings)
        self.forward_ms = totals.forward_ms
        self.ramp_stops = totals.ramp_stops
        self.contradiction = totals.contradiction
        of_main_device = [recording for recording in recordings if recording.device == self.main_recording.device]
        self.contacts = sum(recording.backward_contacts for recording in of_main_device)
        self.impact_g8 = sum(recording.backward_impact_g8 for recording in of_main_device)
        self.unrecorded_ms = totals.uncertain_ms + sum(recording.gap_ms for recording in recordings)
        if totals.contradiction or any(is_incomplete(recording) for recording in recordings):
            self.unrecorded_ms = None

    def day_of(self) -> int:
        """The day, as a key for `bisect`."""
        return self.day

    @property
    def id(self) -> str:
        """The name of the main recording, `DEVICE/NUMBER`."""
        return self.main_recording.id

    @property
    def placed_at_ms(self) -> int:
        """Its start, as a recording has it."""
        return self.start_ms

    @property
    def is_recorded(self) -> bool:
        """Whether it shows what was run backward: a device recorded, or the imported file has backward time."""
        return any(recording.device != IMPORTED or recording.backward_ms for recording in self.recordings)

    @property
    def is_surely_running(self) -> bool:
        """Whether it counts as one by every device."""
        return self.least_running_ms >= MIN_BACKWARD_MS

    @property
    def is_mostly_running(self) -> bool:
        """Whether more of its backward time was jogging or running than walking."""
        return 2 * self.running_ms >= self.backward_ms

    @property
    def is_stretched(self) -> bool:
        """Whether stretching was marked after it."""
        recordings = self.recordings
        return bool(recordings[0].stretch_mark) if len(recordings) == 1 else any(each.stretch_mark for each in recordings)

    @property
    def cadence_x10(self) -> int:
        """Median backward cadence of the main recording, in 0.1 steps a minute; 0 if there is none."""
        return self.main_recording.backward_cadence_x10

    @property
    def warm_up_ms(self) -> int:
        """Forward time before the first backward bout, in ms, including earlier recordings.

        While several devices were recording, the one that recorded most of it counts.
        """
        if len(self.recordings) == 1:
            recording = self.main_recording
            return recording.forward_ms if self._first_backward_ms(recording) is None else recording.warm_up_ms
        total = 0
        for span in self._spans:
            starts = [start_ms for recording in span if (start_ms := self._first_backward_ms(recording)) is not None]
            if starts:
                return total + max(self._forward_before(min(starts), span).values())
            total += merge_span(span).forward_ms
        return total

    def _first_backward_ms(self, recording: Recording) -> int | None:
        """When the first backward bout of a recording began; None if it has none that ends a warm-up."""
        if recording.first_backward_ms is None or recording.backward_ms < min(MIN_BACKWARD_MS, self.backward_ms):
            return None
        return (recording.started_at_ms or 0) + recording.first_backward_ms

    def _forward_before(self, at_ms: int, span: list[Recording]) -> dict[str, int]:
        """By device: the forward time before its own first backward bout; for one without such a bout, before `at_ms`."""
        forward: dict[str, int] = {}
        ended: set[str] = set()
        for recording in span:
            if recording.device in ended:
                continue
            own = self._first_backward_ms(recording)
            added = 0
            if own is not None:
                ended.add(recording.device)
                added = recording.warm_up_ms
            elif (recording.started_at_ms or 0) + recording.duration_ms <= at_ms:
                added = recording.forward_ms
            forward[recording.device] = forward.get(recording.device, 0) + added
        return forward


def has_note(recording: Recording) -> bool:
    """Whether pain (0 too), limping or swelling was noted for a recording."""
    return recording.pain is not None or recording.pain_next_day is not None or bool(recording.limp or recording.swelling)


def training_sessions(recordings: Iterable[Recording]) -> list[TrainingSession]:
    """The training sessions of one athlete's dated recordings, in order of their start. A recording that comes twice counts once."""
    found: list[TrainingSession] = []
    group: list[Recording] = []
    end_ms = 0
    for recording in without_duplicates(recordings):
        start_ms = recording.started_at_ms or 0
        if group and start_ms > end_ms + MAX_BREAK_MS:
            found.append(TrainingSession(group))
            group, end_ms = [], 0
        group.append(recording)
        end_ms = max(end_ms, start_ms + recording.duration_ms)
    if group:
        found.append(TrainingSession(group))
    return found
