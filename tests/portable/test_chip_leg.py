"""The motion of the leg from a recording: between samples, before the first and after the last."""

import io
from array import array

from played_leg import PlayedLeg

_BEFORE = [1, 2, 3, 0, 0, 0]
_AFTER = [7, 8, 9, 0, 0, 0]


def leg(rows, start_us=None):
    """A leg with a recording of `rows`: (us, six values)."""
    ints = [len(rows)] + _BEFORE + _AFTER
    for us, values in rows:
        ints += [us // 1000000, us % 1000000] + list(values)
    return PlayedLeg(io.BytesIO(bytes(array("i", ints))), start_us)


def _motion(a_leg, us):
    out = array("i", bytes(24))
    a_leg.motion_at(us, out)
    return list(out)


def _row(us, value):
    return us, [value, -value, 10 * value, 0, 1, -1]


def test_stands_still_until_it_begins_and_after_its_end():
    played = leg([_row(0, 100), _row(1000, 200)])
    assert _motion(played, 5000) == _BEFORE
    played.begin(6000)
    played.begin(9999)
    assert played.start_us == 6000
    assert _motion(played, 5999) == _BEFORE
    assert _motion(played, 6000) == [100, -100, 1000, 0, 1, -1]
    assert _motion(played, 7000) == [200, -200, 2000, 0, 1, -1]
    assert _motion(played, 7001) == _AFTER
    assert _motion(played, 99000) == _AFTER


def test_motion_is_interpolated_between_samples():
    played = leg([_row(0, 0), _row(10000, 1000), _row(11000, -1000)], 0)
    for us, value in ((1, 0), (2500, 250), (9999, 999), (10000, 1000), (10500, 0), (11000, -1000)):
        assert _motion(played, us)[0] == value, us


def test_a_long_recording_is_read_in_chunks():
    rows = [_row(9615 * k, (k * 37) % 1001 - 500) for k in range(1000)]
    played = leg(rows, 0)
    for us, values in rows:
        assert _motion(played, us) == values, us
    assert _motion(played, 9615 * 999 + 1) == _AFTER
    assert _motion(leg(rows, 0), 9615 * 777) == rows[777][1]


def test_a_recording_of_many_hours():
    late = 30 * 3600 * 1000000
    played = leg([_row(0, 5), _row(late, 5), _row(late + 1000000, 1005)], 0)
    assert _motion(played, late // 2)[0] == 5
    assert _motion(played, late + 500000)[0] == 505


def test_extremes_do_not_overflow():
    top = 2147483647
    played = leg([(0, [top] * 6), (500000, [-top] * 6)], 0)
    assert _motion(played, 250000) == [0] * 6
    assert _motion(played, 500000) == [-top] * 6
