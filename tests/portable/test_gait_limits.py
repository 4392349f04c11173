"""Limits: names, ranges, bytes."""

from retrostep_core.gait.limit_ranges import unpack_limits
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json


def refused(call, *args):
    try:
        call(*args)
    except ValueError as error:
        return str(error)
    raise AssertionError("accepted: %r" % (args,))


def test_defaults():
    limits = Limits()
    assert (limits.ramp_window_s, limits.ramp_warn_x10, limits.ramp_stop_x10) == (10, 100, 150)
    assert (limits.ceiling_warn_x10, limits.ceiling_stop_x10) == (2200, 2400)
    assert (limits.warm_up_s, limits.session_warn_s, limits.session_stop_s) == (300, 300, 600)
    assert limits_from_json({}) == limits


def test_names_are_the_hosts_and_tenths_are_kept():
    limits = limits_from_json({"ramp_warn_pct": 7.5, "ceiling_stop_spm": 231, "session_stop_s": 120})
    assert (limits.ramp_warn_x10, limits.ceiling_stop_x10, limits.session_stop_s) == (75, 2310, 120)
    values = limits_to_json(limits)
    assert values["ramp_warn_pct"] * 2 == 15 and values["ceiling_stop_spm"] == 231 and values["warm_up_s"] == 300
    assert limits_from_json(values) == limits


def test_what_is_unknown_or_out_of_range_is_named():
    assert "speed" in refused(limits_from_json, {"speed": 1})
    assert "ramp_window_s" in refused(limits_from_json, {"ramp_window_s": 0})
    assert "ramp_stop_pct" in refused(limits_from_json, {"ramp_stop_pct": 1001})
    assert "ceiling_warn_spm" in refused(limits_from_json, {"ceiling_warn_spm": -1})
    assert "warm_up_s" in refused(limits_from_json, {"warm_up_s": "300"})
    assert "warm_up_s" in refused(limits_from_json, {"warm_up_s": True})
    assert "session_warn_s" in refused(limits_from_json, {"session_warn_s": float("nan")})
    assert "session_warn_s" in refused(limits_from_json, {"session_warn_s": float("inf")})
    refused(limits_from_json, [1, 2])


def test_24_bytes_there_and_back():
    limits = limits_from_json({"ramp_window_s": 60, "ramp_stop_pct": 100.1, "warm_up_s": 65535})
    data = limits.pack()
    assert len(data) == 24 and data[0] == 1 and data[1] == 60
    assert data[16:] == bytes(8)
    assert unpack_limits(data) == limits


def test_bytes_that_are_no_limits_are_refused():
    data = Limits().pack()
    refused(unpack_limits, data[:-1])
    refused(unpack_limits, data + b"\0")
    refused(unpack_limits, b"\2" + data[1:])
    assert "ramp_window_s" in refused(unpack_limits, data[:1] + b"\xff" + data[2:])
    assert "ramp_warn_x10" in refused(unpack_limits, data[:2] + b"\xff\xff" + data[4:])
