"""Light sleep between bursts of samples. The clock and the sensor continue; bytes that arrive meanwhile are lost."""

from retrostep_core.constants import const

# Falling asleep and waking up take about a millisecond: a shorter pause is not worth it.
_LEAST_MS = const(8)
# Without a byte from a host, or after the start, for so long the device may sleep.
_QUIET_MS = const(30000)


class Power:
    """`sleep_ms` and `light_sleep` wait; the second one stops the processor (None: the board is not to sleep).

    link   how a host is connected. A UART stays connected while the device sleeps, and a host that sends for longer than the time between
           two bursts is heard. USB does not: with "usb" and "jtag" the device sleeps during a session only, when no cable is in it.
    """

    def __init__(self, sleep_ms: object, light_sleep: object, link: str) -> None:
        self._sleep_ms = sleep_ms
        self._light_sleep_ms = light_sleep
        self._needs_session = link != "uart"
        self._awake_until_ms = _QUIET_MS
        self.is_light = False

    def stay_awake(self, now_ms: int) -> None:
        """A host has sent something, or a person is at the button: do not sleep for a while."""
        self._awake_until_ms = now_ms + _QUIET_MS
        self.is_light = False

    def choose(self, now_ms: int, is_in_session: bool, busy: bool) -> bool:
        """Whether pauses are light sleep from now on. `busy`: the motor or the LED must keep its time, or a radio is on."""
        may_sleep = self._light_sleep_ms is not None and now_ms >= self._awake_until_ms and not busy
        self.is_light = may_sleep and (is_in_session or not self._needs_session)
        return self.is_light

    def sleep_ms(self, pause_ms: int) -> None:
        """Wait."""
        if self.is_light and pause_ms >= _LEAST_MS:
            self._light_sleep_ms(pause_ms)
        elif pause_ms:
            self._sleep_ms(pause_ms)
