"""Steps of both feet from one leg's swings."""

_AREA_LEAST = 5200
_SWING_MOST_MS = 1200
_UNSURE = 5
_STRIDE_LEAST_MS = 380
_STRIDE_MOST_MS = 3400


class Strides:
    """Turns the ends of the worn leg's swings into steps of both feet.

    A train of swings is credited from its second contact on where it is strong (an impact or a wide swing), from its fourth on
    where it is weak; earlier steps are paid back with their true times.
    """

    def __init__(self, engine: object) -> None:
        self._engine = engine
        self._pending = [0] * _UNSURE
        self._sizes = [0] * _UNSURE
        self.restart(0, False)

    def restart(self, from_ms: int, stood: bool) -> None:
        """No walking under way; nothing is known before `from_ms`; `stood`: the wearer was standing."""
        self._from_ms = from_ms
        self._stood = stood
        self._ends = [-1, -1]
        self._areas = [0, 0]
        self._spans = [0, 0]
        self._befores = [0, 0]
        self._waiting = 0
        self._wait_ms = 0
        self.contact_ms = -1
        self.stride_ms = 0
        self._area = 0
        self._last_area = 0
        self._swing = 0
        self._before = 0

    def lobe(self, sign: int, swing: int, start_ms: int, end_ms: int, area: int, between: int, sure: bool, at_ms: int) -> None:
        """A lobe of the rate has ended: its sign, the sign that swings have now, its area in 1/520 of 0.1 degree."""
        side = 1 if sign > 0 else 0
        if area < _AREA_LEAST or area * 3 < self._area or end_ms - start_ms > _SWING_MOST_MS and sign == swing:
            return
        if swing != self._swing:
            self._swing = swing
            self._waiting = 0
            way = 1 if swing > 0 else 0
            if self.contact_ms < 0:
                if self._ends[way] >= 0:
                    self._contact(self._ends[way], self._areas[way], area, sure, at_ms)
            else:
                t_ms = end_ms if sign == swing else self._ends[way]
                if (t_ms - self.contact_ms) * 4 > self.stride_ms * 7:
                    self.end(at_ms, False)
                    self._swing = swing
                elif t_ms > self.contact_ms:
                    self._fill(t_ms, at_ms)
        if sign == swing:
            if between * 4 < area and self._ends[side] >= 0:
                # The leg has not swung back in between: the same swing goes on.
                if self._waiting:
                    self._pending[self._waiting - 1] = end_ms
                    self._sizes[self._waiting - 1] = area
                self._ends[side] = end_ms
                return
            if self.contact_ms >= 0:
                self._go_on(end_ms, area, at_ms)
            if self.contact_ms < 0:
                self._contact(end_ms, area, between, sure, at_ms)
        self._pace(side, end_ms, at_ms)
        self._ends[side] = end_ms
        self._areas[side] = area

    def _pace(self, side: int, end_ms: int, at_ms: int) -> None:
        """Cadence from the last two strides, measured between falls and between rises of the rate through zero, and averaged."""
        stride = end_ms - self._ends[side]
        if self._ends[side] < 0 or not _STRIDE_LEAST_MS <= stride <= _STRIDE_MOST_MS:
            self._spans[side] = 0
            self._befores[side] = 0
            return
        before = self._befores[side]
        self._befores[side] = stride
        span = stride + before if before and before * 2 < stride * 3 and stride * 2 < before * 3 else stride + stride
        self._spans[side] = span
        if self.contact_ms < 0:
            return
        other = self._spans[1 - side]
        if other and other * 4 < span * 5 and span * 4 < other * 5:
            span = (span + other) >> 1
        self._engine.pace(2400000 // span, at_ms)

    def stand(self) -> None:
        """The leg is quiet: where nothing is under way, what comes starts from standing."""
        if self.contact_ms < 0 and not self._waiting:
            self._stood = True

    def _contact(self, t_ms: int, area: int, before: int, sure: bool, at_ms: int) -> None:
        """A contact before the gate is open."""
        n = self._waiting
        pending = self._pending
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
                    self._sizes[0] = self._sizes[n - 1]
                    n = 1
        if n == 0:
            self._before = before
        pending[n] = t_ms
        self._sizes[n] = area
        n += 1
        self._waiting = n
        if n < 2:
            return
        stride = t_ms - pending[n - 2]
        if n < _UNSURE and not (sure and area > 10400 and stride < 2200):
            return
        engine = self._engine
        first = pending[0]
        stride = pending[1] - first
        t = first - (stride >> 1)
        if t > self._from_ms and (not self._stood or self._sizes[0] * 9 > self._sizes[1] * 7):
            engine.credit(t, at_ms)
        engine.credit(first, at_ms)
        self.contact_ms = first
        self.stride_ms = stride
        self._area = self._sizes[1]
        for k in range(1, n):
            self._stride(pending[k], self._sizes[k], at_ms)
        self._waiting = 0

    def _go_on(self, t_ms: int, area: int, at_ms: int) -> None:
        """A contact while walking."""
        stride = t_ms - self.contact_ms
        if stride < _STRIDE_LEAST_MS:
            return
        if stride > 1300 and stride * 4 > self.stride_ms * 7:
            self.end(at_ms, False)
            return
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

    def _fill(self, t_ms: int, at_ms: int) -> None:
        """The swing has changed its sign: contacts are counted from here on."""
        engine = self._engine
        span = t_ms - self.contact_ms
        if span * 10 < self.stride_ms * 3:
            return
        if span * 4 > self.stride_ms * 3:
            engine.credit(self.contact_ms + (span >> 1), at_ms)
        engine.credit(t_ms, at_ms)
        self.contact_ms = t_ms

    def end(self, at_ms: int, stood: bool) -> None:
        """Walking has stopped."""
        engine = self._engine
        if self.contact_ms >= 0:
            t_ms = self.contact_ms + (self.stride_ms >> 1)
            if self._last_area * 9 > self._area * 7 and t_ms <= at_ms:
                engine.credit(t_ms, at_ms)
            engine.pace(0, at_ms)
            self.restart(t_ms, stood)
        else:
            self.restart(self._from_ms, stood)
