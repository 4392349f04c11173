"""The card of signals: every pattern of the firmware has its row, and no two can be confused."""

from pathlib import Path

from retrostep.cli._signal_card import device_patterns, signals
from support.cli import Retrostep


def test_every_pattern_of_the_firmware_is_on_the_card() -> None:
    assert {signal.name for signal in signals()} == set(device_patterns())


def test_no_two_signals_have_the_same_pulses() -> None:
    drawn = [signal.drawn for signal in signals()]
    assert len(set(drawn)) == len(drawn)


def test_every_pulse_can_be_felt_and_is_clearly_short_or_long() -> None:
    for pattern in device_patterns().values():
        assert all(100 <= ms <= 200 or ms >= 500 for ms in pattern[::2]), pattern
        assert all(100 <= ms <= 250 for ms in pattern[1::2]), pattern


def test_the_command_prints_the_card(tmp_path: Path) -> None:
    retrostep = Retrostep(tmp_path)
    ran = retrostep("signals")
    assert ran.status == 0 and "long long long" in ran.out and "stop: a limit is exceeded." in ran.out
    rows = retrostep("signals", "--json").json["signals"]
    assert {"signal", "pulses_ms", "meaning", "action"} == set(rows[0]) and rows[0]["pulses_ms"] == [600, 600, 600]
