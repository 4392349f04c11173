"""Where detectors write what they find: it is corrected, counted, passed to the sink, and compared with the limits."""

from retrostep_core.constants import const
from retrostep_core.directions import is_directed
from retrostep_core.gait.alerts import TICK_MS

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_STILL = const(3)
# A late decision relabels at most this much: the first strides of a bout, until its direction is certain.
_CORRECTED_MOST_MS = const(4000)
# A direction begins at most this long before its first step, and ends this long after the last step of a bout if the leg moves on.
_LEAD_MOST_MS = const(1000)
_TRAIL_MS = const(500)
# A direction without steps is taken back after this time.
_NO_STEP_MS = const(2500)
# So long after the samples got other axes the detector is not sure of a new direction.
_TURNED_MS = const(1500)


class GaitOutput:
    """The output of a detector. Calls come with rising `at_ms`, the newest sample's time.

    A detector calls `step`, `direction` and `cadence` as it finds them, and `tick` at the first sample whose time is next_tick_ms or later.

    Time and alerts follow steps:
    1. STILL and UNKNOWN are reported at once. FORWARD and BACKWARD are reported at once within a bout, else with its first step.
    2. Before that step the detector may report a direction early (confirm, suggest). It is taken back, from its beginning on, if a cycle
       is not gait (refuse) or no step follows within 2.5 s. So no time is counted for it.
    3. A direction that ends without a step gives its time to the next one.
    4. Alerts see the direction within a bout only.
    5. While the mount is not known, FORWARD and BACKWARD are hidden unless they fit the declared mount: UNKNOWN is reported, and what was
       found is kept until it fits or the mount is known.

    load     attribute: Load, or None
    sink     duck type, see Engine          totals   GaitTotals           monitor   alerts.Monitor
    finder   attribute; MountFinder while the mount is not known, else None
    """

    def __init__(self, sink: object, totals: object, monitor: object) -> None:
        self._sink = sink
        self._totals = totals
        self._monitor = monitor
        self.finder: object = None
        self._turned_ms = 0
        self.next_tick_ms = 0
        self.load = None
        self._last_step_ms = -_NO_STEP_MS
        self._is_in_bout = False
        # The direction that the detector found last; it may not be reported yet.
        self._found = _UNKNOWN
        self._found_since_ms = 0
        # Until when a direction waits for its first step, and whether a cycle was refused since the last step or standing.
        self._early_until_ms = -1
        self._is_refused = False
        self._newest_cadence_x10 = 0
        self._no_alerts_until_ms = 0
        self._resets = totals.resets

    def step(self, t_ms: int, at_ms: int) -> None:
        """A step of either foot at `t_ms`, in order of time; two steps never get the same time."""
        if t_ms <= self._last_step_ms:
            t_ms = self._last_step_ms + 1
        totals = self._totals
        self._is_refused = False
        if self.finder is not None:
            self.finder.step()
        if self._found != totals.direction and t_ms >= self._found_since_ms:
            lead_ms = t_ms - _LEAD_MOST_MS
            self._report(self._found_since_ms if self._found_since_ms > lead_ms else lead_ms, self._found, at_ms)
        self._is_in_bout = True
        self._last_step_ms = t_ms
        totals.advance(at_ms)
        direction = totals.direction_at(t_ms)
        self._sink.step(t_ms, at_ms, direction)
        totals.add_step(t_ms, direction)

    def contact(self, t_ms: int) -> None:
        """The step at `t_ms` was a contact of the worn leg."""
        if self.load is not None:
            self.load.contact(t_ms)

    def direction(self, since_ms: int, direction: int, at_ms: int) -> None:
        """The detector has found this direction, from `since_ms` on."""
        self._found = direction
        self._found_since_ms = since_ms
        if direction == _STILL:
            self._is_refused = False
        if not is_directed(direction):
            self._report(since_ms, direction, at_ms)
        elif self._is_in_bout:
            self._report(since_ms, direction, at_ms)
            self._early_until_ms = at_ms + _NO_STEP_MS

    def confirm_direction(self, at_ms: int) -> None:
        """A cycle is gait: report the direction found, before its first step."""
        if self._found != self._totals.direction:
            self._report(self._found_since_ms, self._found, at_ms)
            self._early_until_ms = at_ms + _NO_STEP_MS

    def suggest_direction(self, at_ms: int) -> None:
        """A cycle may be gait: likewise, unless a cycle was refused since the last step or standing."""
        if self._is_refused:
            self.doubt_direction(at_ms)
        else:
            self.confirm_direction(at_ms)

    def doubt_direction(self, at_ms: int) -> None:
        """A cycle does not tell: no new direction."""
        if self._found != self._totals.direction:
            self._report(self._found_since_ms, _UNKNOWN, at_ms)

    def refuse_direction(self, at_ms: int) -> None:
        """A cycle is not gait: take back a direction, unless steps were made just before."""
        self._is_refused = True
        if at_ms - self._last_step_ms > _NO_STEP_MS:
            self._report(self._found_since_ms, _UNKNOWN, at_ms)

    def cadence(self, cadence_x10: int, newest_x10: int, at_ms: int) -> None:
        """Cadence of both feet in 0.1 steps a minute, and that of the newest stride alone; 0 at the end of a bout."""
        self._newest_cadence_x10 = newest_x10
        if not cadence_x10:
            self._is_in_bout = False
        totals = self._totals
        if cadence_x10 != totals.cadence_x10:
            totals.cadence_x10 = cadence_x10
            self._sink.cadence(at_ms, cadence_x10)

    def tick(self, at_ms: int) -> None:
        """Every 250 ms: end a direction without steps, compare the movement with the limits."""
        self.next_tick_ms = at_ms + TICK_MS
        totals = self._totals
        totals.advance(at_ms)
        if totals.resets != self._resets:
            self._resets = totals.resets
            self._monitor.start_session()
        direction = totals.direction
        if self.finder is not None:
            direction = self.finder.hidden
            if not is_directed(direction):
                pass
            elif direction != totals.direction:
                if self.finder.fits(direction):
                    self._show(direction, at_ms)
            elif self.finder.is_refuted():
                # The strides since then show another mount.
                self.finder.withdraw(totals.direction_since_ms, direction)
                self._correct(totals.direction_since_ms, _UNKNOWN, at_ms)
        if not self._is_in_bout:
            is_late = at_ms - self._last_step_ms > _NO_STEP_MS and at_ms > self._early_until_ms
            if is_late and is_directed(direction):
                if self._early_until_ms > self._last_step_ms:
                    self._is_refused = True
                self._report(self._last_step_ms + _TRAIL_MS, _UNKNOWN, at_ms)
            direction = _UNKNOWN
        elif self.finder is not None:
            direction = totals.direction
        if totals.cadence_x10 or at_ms >= self._no_alerts_until_ms:
            self._monitor.tick(at_ms, direction, totals.cadence_x10, self._newest_cadence_x10, totals.forward_ms, totals.backward_ms)

    def finish(self, at_ms: int) -> None:
        """The end of the data: take back a direction that has no step."""
        totals = self._totals
        if is_directed(totals.direction) and self._last_step_ms < totals.direction_since_ms:
            self._report(totals.direction_since_ms, _UNKNOWN, at_ms)

    def pause_alerts(self, until_ms: int) -> None:
        """No comparison with the limits before `until_ms` unless there is a cadence again: a short gap does not restart the levels."""
        self._no_alerts_until_ms = until_ms

    def _report(self, since_ms: int, direction: int, at_ms: int) -> None:
        """Count and pass on a direction, unless it is the reported one; `since_ms` is kept from falling and from reaching back too far."""
        totals = self._totals
        before = totals.direction
        if self.finder is not None:
            if is_directed(direction) and (direction == before or self.finder.fits(direction)):
                self._show(direction, at_ms)
            else:
                direction = self.finder.hide(since_ms, direction)
            before = totals.direction
        if direction == before or (at_ms < self._turned_ms and is_directed(direction)):
            return
        if since_ms < at_ms - _CORRECTED_MOST_MS:
            since_ms = at_ms - _CORRECTED_MOST_MS
        before_ms = totals.direction_since_ms
        has_no_step = self._last_step_ms < before_ms and is_directed(before)
        if since_ms < before_ms or has_no_step:
            since_ms = before_ms
        if since_ms <= self._last_step_ms and (direction == _STILL or not self._is_in_bout):
            # Standing, and what comes after a bout, begin after its last step, the closing one included.
            since_ms = self._last_step_ms + 1
        totals.advance(at_ms)
        totals.set_direction(since_ms, direction)
        self._sink.direction(at_ms, since_ms, direction)

    def release(self, at_ms: int) -> None:
        """The mount is known, and samples had its axes: report the directions that were hidden."""
        self._show(self.finder.hidden, at_ms)
        self.finder = None

    def _show(self, direction: int, at_ms: int) -> None:
        """Report the directions that were hidden; `direction` follows them, or is the last one."""
        finder = self.finder
        k = 0
        while True:
            change = finder.waiting(k)
            if change is None:
                break
            self._correct(change[0], change[1], at_ms)
            k += 1
        finder.report(direction)

    def replace(self, at_ms: int) -> None:
        """The mount is known, and samples had other axes until now: report the direction that the strides so far have in its axes."""
        finder = self.finder
        self.finder = None
        self._found = finder.direction
        self._found_since_ms = finder.since_ms
        self._correct(finder.since_ms, finder.direction, at_ms)
        self._turned_ms = at_ms + _TURNED_MS

    def _correct(self, since_ms: int, direction: int, at_ms: int) -> None:
        """Report a direction that was hidden, from `since_ms` on, however long ago that is."""
        totals = self._totals
        if since_ms < totals.direction_since_ms:
            since_ms = totals.direction_since_ms
        if direction != totals.direction:
            totals.advance(at_ms)
            totals.set_direction(since_ms, direction)
            self._sink.direction(at_ms, since_ms, direction)
