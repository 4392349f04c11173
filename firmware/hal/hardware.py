"""The parts of the board, made from its description. Only this module uses the classes of `machine`."""

import hashlib
import select
import sys
import time

import machine
from retrostep_core.constants import const

from hal import save_limits, save_mount
from hal.battery import Battery
from hal.board import load
from hal.button import Button
from hal.clock import Clock
from hal.console import Console, readiness
from hal.feedback import Feedback, switch
from hal.identity import core_hash, identity
from hal.lsm6ds import Lsm6ds
from hal.power import Power
from hal.store import LogStore
from hal.watchdog import Watchdog

# The motor is too slow to follow it, and the transistor is not.
_MOTOR_HZ = const(1000)


class Hardware:
    """What the app needs of a board; `imu` and `button` are None on a board without them."""

    def __init__(self) -> None:
        self.watchdog = Watchdog()
        self.watchdog.start()
        self.board = board = load()
        self.store = LogStore()
        self.clock = Clock(time.ticks_ms, time.ticks_diff, self.store.boot)
        self.identity = identity(machine.unique_id(), board.name, core_hash(hashlib.sha256))
        self.console = Console(
            sys.stdin.buffer,
            sys.stdout.buffer,
            _poll(sys.stdin, select.POLLIN).ipoll,
            readiness(_poll(sys.stdout, select.POLLOUT), select.POLLOUT),
            self.clock.ticks_ms,
            board.link,
        )
        self.button = _button(board.button)
        self.feedback = _feedback(board.feedback or {}, board.haptic_percent)
        self.battery = _battery(board.battery)
        self.imu = None
        if board.i2c and board.imu:
            pins = board.i2c
            if "power" in pins:
                # Some boards switch the power of their sensor socket.
                machine.Pin(pins["power"], machine.Pin.OUT, value=1)
            bus = machine.I2C(pins["id"], scl=machine.Pin(pins["scl"]), sda=machine.Pin(pins["sda"]), freq=pins["freq_hz"])
            setup_file = "" if self.store.unreadable else "/sensor.bin"
            self.imu = Lsm6ds(bus, board.imu["address"], board.imu["model"], board.mount, board.watermark, self.clock.ticks_ms, setup_file)
        self.ble = None
        if board.ble:
            import bluetooth

            from hal.ble import Ble

            self.ble = Ble(bluetooth, board.nickname or self.identity.device, board.ble == 2)
        self.power = Power(time.sleep_ms, machine.lightsleep if board.light_sleep else None, board.link)
        self.save_limits = save_limits
        self.save_mount = save_mount


def _poll(stream: object, event: int) -> object:
    poll = select.poll()
    poll.register(stream, event)
    return poll


def _button(part: dict | None) -> Button | None:
    if part is None:
        return None
    active_low = bool(part.get("active_low", True))
    pin = machine.Pin(part["pin"], machine.Pin.IN, machine.Pin.PULL_UP if active_low else machine.Pin.PULL_DOWN)
    button = Button(pin.value, active_low)
    pin.irq(button.edge, machine.Pin.IRQ_FALLING if active_low else machine.Pin.IRQ_RISING)
    return button


def _feedback(part: dict, haptic_percent: int) -> Feedback:
    led = motor = None
    if "led" in part:
        led = _switch(part["led"], bool(part.get("led_active_low", False)))
    if "haptic" in part:
        motor = _switch(part["haptic"], False) if haptic_percent == 100 else _weaker(part["haptic"], haptic_percent)
    return Feedback(led, motor)


def _switch(number: int, active_low: bool) -> object:
    return switch(machine.Pin(number, machine.Pin.OUT, value=1 if active_low else 0), active_low)


def _weaker(number: int, percent: int) -> object:
    """As `_switch`, at a part of the motor's strength."""
    duty = percent * 65535 // 100
    pwm = machine.PWM(machine.Pin(number, machine.Pin.OUT, value=0), freq=_MOTOR_HZ, duty_u16=0)
    return lambda on: pwm.duty_u16(duty if on else 0)


def _battery(part: dict | None) -> Battery:
    if part is None:
        return Battery()
    adc = machine.ADC(machine.Pin(part["pin"]), atten=machine.ADC.ATTN_11DB)
    return Battery(adc.read_uv, part["scale_x100"])
