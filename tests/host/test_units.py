"""Numbers as people read them: one rounding, singular and plural, units."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep import units
from retrostep_core import codes


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 s"),
        (2_540, "2.5 s"),
        (3_000, "3 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (59_499, "59 s"),
        (59_500, "1 min"),
        (122_900, "2 min 3 s"),
        (300_000, "5 min"),
        (3_599_499, "59 min 59 s"),
        (3_599_500, "1 h"),
        (3_900_000, "1 h 5 min"),
        (7_169_000, "1 h 59 min"),
        (7_170_000, "2 h"),
    ],
)
def test_a_duration_in_a_sentence(ms: int, text: str) -> None:
    assert units.duration(ms) == text


@given(st.integers(9_950, 3_599_499))
def test_a_sentence_and_a_table_round_alike(ms: int) -> None:
    minutes, seconds = divmod(int(units.clock(ms).replace(":", "")), 100)
    spoken = [f"{minutes} min"] if minutes else []
    spoken += [f"{seconds} s"] if seconds or not minutes else []
    assert units.duration(ms) == " ".join(spoken)


@given(st.integers(0, 10**12))
def test_a_duration_is_right_to_half_of_its_last_unit(ms: int) -> None:
    size = {"s": 1_000, "min": 60_000, "h": 3_600_000}
    words = units.duration(ms).split()
    shown = sum(float(number) * size[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    tolerance = 50 if ms < 9_950 else 500 if ms < 3_599_500 else 30_500
    assert abs(shown - ms) <= tolerance + 0.001


def test_quantities() -> None:
    assert units.quantity(300, "s") == "5 min" and units.quantity(122.9, "s") == "2 min 3 s"
    assert units.quantity(15.0, "%") == "15 %" and units.quantity(17.25, "%") == "17.2 %"
    assert units.quantity(1, "stop alerts") == "1 stop alert" and units.quantity(3, "stop alerts") == "3 stop alerts"
    assert units.quantity(1.5, "ratio") == "1.5" and units.quantity(3, "of 10") == "3 of 10"
    assert units.count(1, "session") == "1 session" and units.count(0, "session") == "0 sessions"
    assert units.kilobytes(1_536) == "1.5 KB" and units.cadence(1_715) == "172 steps a minute"


def test_alerts() -> None:
    assert units.alert_text(codes.RAMP, 2, 152, 150) == "stop: cadence_ramp: rose 15.2 %; stop from 15 %"
    assert units.alert_text(codes.CEILING, 1, 1_905, 1_900) == "warn: cadence_ceiling: 190.5 steps/min; warn from 190 steps/min"
    assert units.alert_text(codes.COLD_START, 1, 122, 300) == "warn: cold_start: 2 min 2 s of warm-up; warn below 5 min"
    assert units.alert_text(codes.SESSION_LIMIT, 2, 1_200, 1_200) == "stop: session_limit: 20 min backward; stop from 20 min"
    assert units.alert_text(99, 7, 5, 6) == "7: 99: 5 s; 7 from 6 s", "a newer device's codes are shown as numbers"


def test_the_damage_of_a_log_mentions_only_what_there_is() -> None:
    assert units.damage_text(34, 0) == "34 unreadable bytes"
    assert units.damage_text(1, 2) == "1 unreadable byte, 2 records lost"
    assert units.damage_text(0, 1) == "1 record lost"


def test_dates() -> None:
    at_ms = int(datetime(2026, 11, 23, 17, 30).timestamp() * 1_000)
    assert units.local_time(at_ms) == "2026-11-23 17:30" and units.local_date(at_ms) == "2026-11-23"
    assert units.utc(0) == "1970-01-01T00:00:00.000Z" and units.utc(None) is None
