"""The board's pieces, made from its description: the one place where machine's classes are named."""

import hashlib
import select
import sys
import time

import machine

from hal.battery import Battery
from hal.board import load
from hal.button import Button
from hal.clock import Clock
from hal.console import Console, readiness
from hal.identity import Identity
from hal.lsm6ds import Lsm6ds
from hal.settings import save_limits, save_mount
from hal.signal import Signal, switch
from hal.sources import core_hash
from hal.store import Store


class Hardware:
    """What the app is built from; `imu` is None where the board describes none."""

    def __init__(self) -> None:
        self.board = board = load()
        self.store = Store()
        self.clock = Clock(time.ticks_ms, time.ticks_diff, self.store.boot)
        self.identity = Identity(machine.unique_id(), board.name, core_hash(hashlib.sha256))
        self.console = Console(
            sys.stdin.buffer,
            sys.stdout.buffer,
            readiness(_poll(sys.stdin, select.POLLIN), select.POLLIN),
            readiness(_poll(sys.stdout, select.POLLOUT), select.POLLOUT),
            self.clock.ticks_ms,
            board.link,
        )
        self.button = _button(board.button)
        self.signal = _signal(board.signal or {})
        self.battery = _battery(board.battery)
        self.imu = None
        if board.i2c and board.imu:
            pins = board.i2c
            bus = machine.I2C(pins["id"], scl=machine.Pin(pins["scl"]), sda=machine.Pin(pins["sda"]), freq=pins["freq_hz"])
            self.imu = Lsm6ds(bus, board.imu["address"], board.imu["model"], board.mount, board.watermark, self.clock.ticks_ms)
        self.save_limits = save_limits
        self.save_mount = save_mount


def _poll(stream: object, event: int) -> object:
    poll = select.poll()
    poll.register(stream, event)
    return poll


def _button(part: dict | None) -> Button | None:
    if part is None:
        return None
    low = bool(part.get("active_low", True))
    pin = machine.Pin(part["pin"], machine.Pin.IN, machine.Pin.PULL_UP if low else machine.Pin.PULL_DOWN)
    return Button(pin.value, low)


def _signal(part: dict) -> Signal:
    led = haptic = None
    if "led" in part:
        led = _switch(part["led"], bool(part.get("led_active_low", False)))
    if "haptic" in part:
        haptic = _switch(part["haptic"], False)
    return Signal(led, haptic)


def _switch(number: int, low: bool) -> object:
    return switch(machine.Pin(number, machine.Pin.OUT, value=1 if low else 0), low)


def _battery(part: dict | None) -> Battery:
    if part is None:
        return Battery()
    adc = machine.ADC(machine.Pin(part["pin"]), atten=machine.ADC.ATTN_11DB)
    return Battery(adc.read_uv, part["scale_x100"])
