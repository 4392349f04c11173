"""Steps of both feet from one leg's swings."""

# Angles are sums of the rate: 1040 is one degree. A lobe of less than 5 degrees, or less than a third of the usual swing, is no swing
# (real swings sweep 20 degrees in slow backward steps, 50 to 80 otherwise), nor is one that lasts longer than any slow walker's.
AREA_LEAST = 5200
_SWING_MOST_MS = 1200
# 260 steps a minute of both feet are strides of 462 ms, 40 are 3 s; both with room for a rate that is off by 7 % and a stride that is odd.
_STRIDE_LEAST_MS = 380
_STRIDE_MOST_MS = 3400
# The foot that is drawn up to the other one at the end sweeps 8 degrees and more.
_CLOSING_AREA = 8320
# Two contacts open the gate where the movement is walking or running beyond doubt, three where it shakes the leg without a direction
# (a sidestep), if the swing is wide and the stride usual; else five do.
_SURE_AREA = 10400
_SURE_STRIDE_MS = 2200
_UNSURE = 5
# A pause: longer than 1.3 s, and than 7/4 of the stride before.
_PAUSE_MS = 1300
# Strides quicker than these (150 steps a minute) are even enough for one to tell the cadence, as soon as it changes; slower ones in twos.
_QUICK_MS = 800


class Strides:
    """The worn leg's contacts, the other foot's steps, cadence.

    Method: a swing's end is the worn leg's contact; each stride holds exactly one step of the other foot, credited in its middle
    (peaks of the acceleration show it at F1 0.94 at best; measured, it lies 0.3 to 0.6 of the stride after). A gate keeps out what is not
    walking, and pays its steps back with their true times. A leg that swings from standing, or into it, beside the other covers about
    half the usual angle (0.4 to 0.7 measured, against 0.85 to 1.1): so a train that begins with a wide swing began with a step of the
    other foot, and one that ends with a wide swing ends with one. A swing that is small even for that closes, if nothing follows it. A
    contact at which the direction may be about to turn is held back for half a stride: the turn may make the other lobe the swing, and
    then as many steps have passed as fit best. Cadence is taken over the last two strides, measured between rises and between falls of
    the rate through zero and averaged, at every half stride; over one in quick gaits, where the newer of the two counts three times.
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        # Contacts and swing angles that wait for the gate; by lobe sign (0 negative, 1 positive) the last end, angle, peak and two strides.
        self._pending = [0] * _UNSURE
        self._sizes = [0] * _UNSURE
        self._ends = [-1, -1]
        self._areas = [0, 0]
        self._peaks = [0, 0]
        self._befores = [0, 0]
        self._strides = [0, 0]
        self.restart(0, False)

    def restart(self, from_ms: int, stood: bool) -> None:
        """No walking under way; no step lies before `from_ms`; `stood`: the wearer was standing."""
        self._from_ms = from_ms
        self._stood = stood
        for side in (0, 1):
            self._ends[side] = -1
            self._areas[side] = 0
            self._befores[side] = 0
            self._strides[side] = 0
        self._waiting = 0
        self._swing = 0
        self._area = 0
        self._last_area = 0
        self.contact_ms = -1
        self.stride_ms = 0
        self._first_peak = 0
        # The end of a swing that closes if nothing follows, and a contact in doubt.
        self._weak_ms = -1
        self._held_ms = -1
        self._held_area = 0

    def begin(self, at_ms: int) -> None:
        """The leg began to move at `at_ms`: no step lies before."""
        if at_ms > self._from_ms:
            self._from_ms = at_ms

    def stand(self) -> None:
        """The leg is quiet: where nothing is under way, what comes starts from standing."""
        if self.contact_ms < 0 and not self._waiting:
            self._stood = True

    def lobe(self, sign: int, swing: int, start_ms: int, end_ms: int, area: int, between: int, peak: int, sure: int, at_ms: int) -> None:
        """A lobe of the rate has ended.

        sign, swing      the lobe's sign, and the sign that swings have at present
        area, between    angle that the leg swept in it, and in the lobe of the other sign before it
        peak             fastest that it swept
        sure             how sure it is that this is walking or running (Direction.sure)
        """
        if area < AREA_LEAST or area * 3 < self._area:
            if sign == swing and area > _CLOSING_AREA and (end_ms - self.contact_ms) * 2 > self.stride_ms:
                self._weak_ms = end_ms
            return
        if end_ms < self._from_ms and self.contact_ms < 0:
            # What ended before the movement began.
            return
        side = 1 if sign > 0 else 0
        if self._held_ms >= 0 and swing == self._swing:
            self._release(at_ms)
        self._held_ms = -1
        if swing != self._swing:
            self._turn(sign, swing, end_ms, sure, at_ms)
        if sign == swing:
            if end_ms - start_ms > _SWING_MOST_MS:
                return
            if between * 4 < area and self._ends[side] >= 0:
                # The leg has not swung back in between: the same swing goes on.
                if self._waiting:
                    self._pending[self._waiting - 1] = end_ms
                    self._sizes[self._waiting - 1] = area
                self._ends[side] = end_ms
                return
            if self.contact_ms >= 0:
                if sure < 3 and (end_ms - self.contact_ms) * 4 <= self.stride_ms * 7:
                    # The next lobe may show that it was no swing, but the turn of the direction.
                    self._held_ms = end_ms
                    self._held_area = area
                else:
                    self._go_on(end_ms, area, at_ms)
            if self.contact_ms < 0:
                self._wait(end_ms, area, peak, sure, at_ms)
        self._pace(side, end_ms, at_ms)
        self._ends[side] = end_ms
        self._areas[side] = area
        self._peaks[side] = peak

    def _release(self, at_ms: int) -> None:
        """The contact that was held back is one."""
        held = self._held_ms
        self._held_ms = -1
        self._go_on(held, self._held_area, at_ms)

    def _turn(self, sign: int, swing: int, end_ms: int, sure: int, at_ms: int) -> None:
        """Swings are the lobes of the other sign from now on: their ends are the contacts."""
        self._swing = swing
        self._waiting = 0
        way = 1 if swing > 0 else 0
        t_ms = self._ends[way]
        if self.contact_ms < 0:
            if t_ms >= 0:
                self._wait(t_ms, self._areas[way], self._peaks[way], sure, at_ms)
            return
        if sign == swing:
            t_ms = end_ms
        span = t_ms - self.contact_ms
        if span * 4 > self.stride_ms * 7:
            self.end(at_ms, False)
            self._swing = swing
        elif span * 10 >= self.stride_ms * 3:
            # Feet go on by turns, so as many half strides have passed as fit best: one, two or three.
            steps = (span * 4 + self.stride_ms) // (self.stride_ms * 2)
            if steps < 1:
                steps = 1
            for k in range(1, steps):
                self._engine.credit(self.contact_ms + span * k // steps, at_ms)
            self._engine.credit(t_ms, at_ms)
            self.contact_ms = t_ms
        elif span > 0:
            # The last one credited was this one, before it was known which lobe swings.
            self.contact_ms = t_ms

    def _wait(self, t_ms: int, area: int, peak: int, sure: int, at_ms: int) -> None:
        """A contact before the gate is open."""
        n = self._waiting
        pending = self._pending
        sizes = self._sizes
        stride = 0
        if n:
            stride = t_ms - pending[n - 1]
            if stride < _STRIDE_LEAST_MS:
                return
            if stride > _STRIDE_MOST_MS:
                n = 0
            elif n > 1:
                before = pending[n - 1] - pending[n - 2]
                if stride * 2 > before * 3 + 600 or before * 2 > stride * 3 + 600:
                    pending[0] = pending[n - 1]
                    sizes[0] = sizes[n - 1]
                    n = 1
        if n and not self._stood and self._first_peak * 9 < peak * 4:
            # Not out of a stand and much slower than what follows: the leg was moved, it did not step.
            n = 0
            self._from_ms = pending[0]
        if not n:
            self._first_peak = peak
        pending[n] = t_ms
        sizes[n] = area
        n += 1
        self._waiting = n
        if n < 2:
            return
        usual = area > _SURE_AREA and stride < _SURE_STRIDE_MS
        if n < _UNSURE and not (usual and (sure > 1 or (sure == 1 and n > 2))):
            return
        self._waiting = 0
        engine = self._engine
        first = pending[0]
        stride = pending[1] - first
        t = first - (stride >> 1)
        if t > self._from_ms and (not self._stood or sizes[0] * 9 > sizes[1] * 7):
            engine.credit(t, at_ms)
        engine.credit(first, at_ms)
        self.contact_ms = first
        self._area = sizes[1]
        for k in range(1, n):
            self._stride(pending[k], sizes[k], at_ms)

    def _go_on(self, t_ms: int, area: int, at_ms: int) -> None:
        """A contact while walking."""
        stride = t_ms - self.contact_ms
        if stride < _STRIDE_LEAST_MS:
            return
        if stride > _PAUSE_MS and stride * 4 > self.stride_ms * 7:
            self.end(at_ms, False)
        else:
            self._stride(t_ms, area, at_ms)

    def _stride(self, t_ms: int, area: int, at_ms: int) -> None:
        """One stride from the last contact to this one: the other foot's step in its middle, and this one."""
        engine = self._engine
        stride = t_ms - self.contact_ms
        engine.credit(self.contact_ms + (stride >> 1), at_ms)
        engine.credit(t_ms, at_ms)
        self.contact_ms = t_ms
        self.stride_ms = stride
        if area * 9 > self._area * 7:
            self._area += (area - self._area) >> 1
        self._last_area = area

    def _pace(self, side: int, end_ms: int, at_ms: int) -> None:
        """Cadence from the last two strides between lobe ends of either sign, or from the newest alone in quick gaits."""
        stride = end_ms - self._ends[side]
        strides = self._strides
        befores = self._befores
        before = strides[side]
        if self._ends[side] < 0 or not _STRIDE_LEAST_MS <= stride <= _STRIDE_MOST_MS:
            strides[side] = 0
            befores[side] = 0
            return
        strides[side] = stride
        if before and not (before * 2 < stride * 3 and stride * 2 < before * 3):
            # One odd stride says nothing yet; a new cadence is told by the next.
            befores[side] = 0
            return
        befores[side] = before
        if self.contact_ms < 0:
            return
        newest = stride
        two = stride + (before or stride)
        other = strides[1 - side]
        both = other + befores[1 - side]
        if other and befores[1 - side] and both * 4 < two * 5 and two * 4 < both * 5:
            newest = (stride + stride + stride + other) >> 2
            two = (two + both) >> 1
            if newest < _QUICK_MS:
                two = newest << 1
        self._engine.pace(2400000 // two, 1200000 // newest, at_ms)

    def end(self, at_ms: int, stood: bool) -> None:
        """Walking has stopped; `stood`: the leg is quiet."""
        if self._held_ms >= 0:
            self._release(at_ms)
        from_ms = self._from_ms
        if self.contact_ms >= 0:
            weak = self._weak_ms
            if self.contact_ms < weak:
                self._engine.credit((self.contact_ms + weak) >> 1, at_ms)
                self._engine.credit(weak, at_ms)
                from_ms = weak
            else:
                from_ms = self.contact_ms + (self.stride_ms >> 1)
                if self._last_area * 9 > self._area * 7 and from_ms <= at_ms:
                    self._engine.credit(from_ms, at_ms)
            self._engine.pace(0, 0, at_ms)
        self.restart(from_ms, stood)
