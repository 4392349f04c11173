"""Bluetooth Low Energy against a stand-in for MicroPython's `bluetooth`: what an app would get, and when."""

from hal.ble import Ble
from retrostep_core.codes import BACKWARD, RAMP, STOP
from retrostep_core.link.ble_values import pack_rsc, pack_state
from support.wearable import Worn


class Radio:
    """Stands in for the module `bluetooth` and for its class BLE. `sent` has every notification."""

    def __init__(self, fails=False, full=False, short=False):
        self.fails = fails
        self.short = short
        self.full = full
        self.is_on = False
        self.values = {}
        self.advertised = None
        self.sent = []
        self.handles = {}

    def UUID(self, value):
        return value

    def BLE(self):
        return self

    def active(self, on):
        if on and self.fails:
            raise OSError(12)
        self.is_on = on

    def config(self, gap_name):
        self.gap_name = gap_name

    def irq(self, handler):
        self.handler = handler

    def gatts_register_services(self, services):
        if self.short:
            raise MemoryError
        handle = 0
        found = []
        for _service, characteristics in services:
            row = []
            for uuid, flags in characteristics:
                assert not flags & 0x0C, "nothing can be written"
                handle += 1
                self.handles[uuid] = handle
                row.append(handle)
            found.append(tuple(row))
        return tuple(found)

    def gatts_write(self, handle, value):
        self.values[handle] = bytes(value)

    def gatts_notify(self, connection, handle):
        if self.full:
            raise OSError(12)
        self.sent.append((connection, handle, self.values[handle]))

    def gap_advertise(self, interval_us, adv_data=None, resp_data=None):
        self.advertised = None if interval_us is None else (adv_data, resp_data)


class Totals:
    cadence_x10 = 1710
    direction = BACKWARD
    backward_ms = 65000


def live(ble, seconds, is_open=True, kind=0, severity=0, percent=80):
    for ms in range(0, seconds * 1000, 500):
        ble.poll(ms, is_open, Totals, kind, severity, percent)


def test_cadence_is_strides_a_minute_of_one_leg_or_doubled():
    buf = bytearray(4)
    pack_rsc(buf, 1710, False)
    assert buf == bytes((4, 0, 0, 86)), "85.5 strides a minute, rounded up"
    pack_rsc(buf, 1710, True)
    assert buf == bytes((4, 0, 0, 171))
    pack_rsc(buf, 1100, False)
    assert buf == bytes((0, 0, 0, 55)), "walking"
    pack_rsc(buf, 65535, True)
    assert buf[3] == 255


def test_the_state_has_direction_alert_and_time():
    buf = bytearray(8)
    pack_state(buf, BACKWARD, 1710, RAMP, STOP, 65000)
    assert buf == bytes((1, BACKWARD, 0xAE, 0x06, RAMP, STOP, 65, 0))
    pack_state(buf, 0, 0, 0, 0, 1 << 29)
    assert buf[6:] == b"\xff\xff"


def test_it_is_on_during_a_session_only():
    radio = Radio()
    ble = Ble(radio, "RS-0102", False)
    live(ble, 3, is_open=False)
    assert not radio.is_on and radio.advertised is None
    live(ble, 3)
    assert radio.is_on
    advertised, answered = radio.advertised
    # Core Specification Supplement: flags; 02h, some of the services' 16-bit UUIDs; 09h, the complete name.
    assert advertised == b"\x02\x01\x06\x03\x02\x14\x18" and answered == b"\x08\x09RS-0102"
    assert radio.gap_name == b"RS-0102"
    live(ble, 1, is_open=False)
    assert not radio.is_on and radio.advertised is None


def test_a_connected_app_is_notified_once_a_second():
    radio = Radio()
    ble = Ble(radio, "Ada", False)
    ble.poll(0, True, Totals, 0, 0, 80)
    radio.handler(1, (7, 0, b""))
    live(ble, 5, kind=RAMP, severity=STOP)
    cadences = [value for connection, handle, value in radio.sent if handle == radio.handles[0x2A53]]
    assert cadences == [bytes((4, 0, 0, 86))] * 4
    states = [value for _, handle, value in radio.sent if handle == radio.handles["7e5e0002-5245-5452-4f53-544550000001"]]
    assert states[-1] == bytes((1, BACKWARD, 0xAE, 0x06, RAMP, STOP, 65, 0))
    assert radio.values[radio.handles[0x2A19]] == b"\x50" and radio.values[radio.handles[0x2A54]] == b"\x04\x00"
    radio.handler(2, (7, 0, b""))
    before = len(radio.sent)
    live(ble, 20)
    assert len(radio.sent) == before


def test_a_full_queue_costs_one_value():
    radio = Radio(full=True)
    ble = Ble(radio, "Ada", False)
    ble.poll(0, True, Totals, 0, 0, 80)
    radio.handler(1, (7, 0, b""))
    live(ble, 3)
    radio.full = False
    live(ble, 20)
    assert radio.sent


def test_without_memory_it_stays_off():
    for radio in (Radio(fails=True), Radio(short=True)):
        ble = Ble(radio, "Ada", False)
        live(ble, 3)
        assert ble.failed and not radio.is_on and radio.advertised is None


def test_an_unknown_charge_is_not_shown_as_an_empty_battery():
    radio = Radio()
    live(Ble(radio, "Ada", False), 3, percent=255)
    assert radio.is_on and 0x2A19 not in radio.handles and 0x2A53 in radio.handles


def test_it_is_off_once_the_app_ends():
    radio = Radio()
    worn = Worn()
    worn.app._ble = Ble(radio, "Ada", False)
    worn.live(12, 750)
    assert radio.is_on and radio.advertised is not None
    worn.app.stop()
    assert not radio.is_on and radio.advertised is None


def test_a_long_name_is_cut():
    radio = Radio()
    live(Ble(radio, "x" * 27, False), 1)
    assert radio.advertised[1] == b"\x1b\x08" + b"x" * 26, "08h is a shortened name, and 31 bytes are the most"
