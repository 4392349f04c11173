"""The recording as the sensor feels it: between samples, before the first and after the last."""

import io
from array import array

from played_leg import PlayedLeg

_BEFORE = [1, 2, 3, 0, 0, 0]
_AFTER = [7, 8, 9, 0, 0, 0]


def leg(rows, start_us=None):
    """A leg whose recording holds `rows` of (us, six values)."""
    ints = [len(rows)] + _BEFORE + _AFTER
    for us, values in rows:
        ints += [us // 1000000, us % 1000000] + list(values)
    return PlayedLeg(io.BytesIO(bytes(array("i", ints))), start_us)


def _felt(a_leg, us):
    out = array("i", bytes(24))
    a_leg.feel(us, out)
    return list(out)


def _row(us, value):
    return us, [value, -value, 10 * value, 0, 1, -1]


def test_stands_still_until_it_begins_and_after_its_end():
    played = leg([_row(0, 100), _row(1000, 200)])
    assert _felt(played, 5000) == _BEFORE
    played.begin(6000)
    played.begin(9999)
    assert played.start_us == 6000
    assert _felt(played, 5999) == _BEFORE
    assert _felt(played, 6000) == [100, -100, 1000, 0, 1, -1]
    assert _felt(played, 7000) == [200, -200, 2000, 0, 1, -1]
    assert _felt(played, 7001) == _AFTER
    assert _felt(played, 99000) == _AFTER


def test_between_samples_it_follows_the_line():
    played = leg([_row(0, 0), _row(10000, 1000), _row(11000, -1000)], 0)
    for us, value in ((1, 0), (2500, 250), (9999, 999), (10000, 1000), (10500, 0), (11000, -1000)):
        assert _felt(played, us)[0] == value, us


def test_long_recordings_are_read_piece_by_piece():
    rows = [_row(9615 * k, (k * 37) % 1001 - 500) for k in range(1000)]
    played = leg(rows, 0)
    for us, values in rows:
        assert _felt(played, us) == values, us
    assert _felt(played, 9615 * 999 + 1) == _AFTER
    assert _felt(leg(rows, 0), 9615 * 777) == rows[777][1]


def test_many_hours():
    late = 30 * 3600 * 1000000
    played = leg([_row(0, 5), _row(late, 5), _row(late + 1000000, 1005)], 0)
    assert _felt(played, late // 2)[0] == 5
    assert _felt(played, late + 500000)[0] == 505


def test_extremes_do_not_overflow():
    top = 2147483647
    played = leg([(0, [top] * 6), (500000, [-top] * 6)], 0)
    assert _felt(played, 250000) == [0] * 6
    assert _felt(played, 500000) == [-top] * 6
