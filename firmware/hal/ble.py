"""Bluetooth Low Energy: cadence, direction, alerts and battery for an app. It is on during a session only, and nothing can be written."""

from retrostep_core.constants import const
from retrostep_core.link.ble_values import RSC_BYTES, STATE_BYTES, pack_rsc, pack_state

_CONNECTED = const(1)
_DISCONNECTED = const(2)
_READ = const(0x02)
_NOTIFY = const(0x10)

# Bluetooth's numbers: the service Running Speed and Cadence, its measurement, feature and sensor location; the service Battery, its level.
_RSC = const(0x1814)
_RSC_MEASUREMENT = const(0x2A53)
_RSC_FEATURE = const(0x2A54)
_SENSOR_LOCATION = const(0x2A5D)
_BATTERY = const(0x180F)
_BATTERY_LEVEL = const(0x2A19)
# Walking or running status supported; location other.
_FEATURES = b"\x04\x00"
_LOCATION = b"\x00"
_SERVICE = "7e5e0001-5245-5452-4f53-544550000001"
_STATE = "7e5e0002-5245-5452-4f53-544550000001"

_ADVERTISE_US = const(250000)
_NAME_MOST = const(26)
_SHORTENED_NAME = const(0x08)
_COMPLETE_NAME = const(0x09)
_EVERY_MS = const(1000)
_BATTERY_UNKNOWN = const(255)


class Ble:
    """`bluetooth` is MicroPython's module. `name` is advertised; `is_doubled` sends steps as cadence instead of strides.

    failed   BLE could not be switched on, for want of memory or of a radio; it is not tried again
    """

    def __init__(self, bluetooth: object, name: str, is_doubled: bool) -> None:
        self._bluetooth = bluetooth
        # A name that is cut is advertised as one.
        self._name = bytes((_COMPLETE_NAME if len(name) <= _NAME_MOST else _SHORTENED_NAME,)) + name.encode()[:_NAME_MOST]
        self._is_doubled = is_doubled
        self._ble: object = None
        self._connections: list[int] = []
        self._handles = (0, 0, 0, 0)
        self._rsc = bytearray(RSC_BYTES)
        self._state = bytearray(STATE_BYTES)
        self._level = bytearray(1)
        self._next_ms = 0
        self.failed = False

    def poll(self, now_ms: int, is_open: bool, totals: object, alert_kind: int, alert_severity: int, battery_percent: int) -> None:
        """Advertise while a session is open, and notify once a second. `totals` is gait/totals.py's GaitTotals."""
        if is_open and self._ble is None and not self.failed:
            self._start(now_ms, battery_percent != _BATTERY_UNKNOWN)
        elif not is_open:
            self.stop()
        if self._ble is None or now_ms < self._next_ms:
            return
        self._next_ms = now_ms + _EVERY_MS
        pack_rsc(self._rsc, totals.cadence_x10, self._is_doubled)
        pack_state(self._state, totals.direction, totals.cadence_x10, alert_kind, alert_severity, totals.backward_ms)
        self._show(self._handles[0], self._rsc)
        self._show(self._handles[3], self._state)
        if self._handles[2] and battery_percent not in (_BATTERY_UNKNOWN, self._level[0]):
            self._level[0] = battery_percent
            self._show(self._handles[2], self._level)
        if not self._connections:
            self._advertise()

    def stop(self) -> None:
        """Switch the radio off; nothing is advertised from now on."""
        if self._ble is None:
            return
        ble = self._ble
        self._ble = None
        self._connections.clear()
        try:
            ble.gap_advertise(None)
            ble.active(False)
        except OSError:
            self.failed = True

    def _start(self, now_ms: int, has_battery: bool) -> None:
        """Switch the radio on. Without `has_battery` there is no service Battery: its level would be read as 0 %."""
        uuid = self._bluetooth.UUID
        services = [
            (
                uuid(_RSC),
                ((uuid(_RSC_MEASUREMENT), _NOTIFY), (uuid(_RSC_FEATURE), _READ), (uuid(_SENSOR_LOCATION), _READ)),
            ),
            (uuid(_SERVICE), ((uuid(_STATE), _READ | _NOTIFY),)),
        ]
        if has_battery:
            services.append((uuid(_BATTERY), ((uuid(_BATTERY_LEVEL), _READ | _NOTIFY),)))
        try:
            ble = self._bluetooth.BLE()
            ble.active(True)
            ble.config(gap_name=self._name[1:])
            ble.irq(self._interrupt)
            handles = ble.gatts_register_services(services)
            rsc, feature, location = handles[0]
            ble.gatts_write(feature, _FEATURES)
            ble.gatts_write(location, _LOCATION)
        except (OSError, MemoryError):
            self.failed = True
            self._bluetooth.BLE().active(False)
            return
        self._ble = ble
        self._handles = (rsc, feature, handles[2][0] if has_battery else 0, handles[1][0])
        self._connections.clear()
        self._level[0] = _BATTERY_UNKNOWN
        self._next_ms = now_ms

    def _advertise(self) -> None:
        # Flags: general discovery, no classic Bluetooth. One of the services; the name is in the answer to a scan.
        advertised = b"\x02\x01\x06\x03\x02" + _RSC.to_bytes(2, "little")
        answered = bytes((len(self._name),)) + self._name
        try:
            self._ble.gap_advertise(_ADVERTISE_US, adv_data=advertised, resp_data=answered)
        except OSError:
            # Already connected, or just being connected.
            self._next_ms += _EVERY_MS

    def _interrupt(self, event: int, data: tuple) -> None:
        if event == _CONNECTED:
            self._connections.append(data[0])
        elif event == _DISCONNECTED and data[0] in self._connections:
            self._connections.remove(data[0])

    def _show(self, handle: int, value: bytearray) -> None:
        self._ble.gatts_write(handle, value)
        for connection in list(self._connections):
            try:
                self._ble.gatts_notify(connection, handle)
            except OSError:
                # The queue is full or the app is gone: the next second has a newer value.
                continue
