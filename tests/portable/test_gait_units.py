"""From the chip's values to the core's, and from sensor axes to the body's."""

from array import array

from retrostep_core.gait import units


def refused(text):
    try:
        units.parse_mount(text)
    except ValueError:
        return True
    return False


def test_full_scale_of_both_sensors():
    assert units.scale(32767, units.ACC_16G) == 15990 and units.scale(-32768, units.ACC_16G) == -15991
    assert units.scale(32767, units.GYR_2000DPS) == 22937 and units.scale(-32768, units.GYR_2000DPS) == -22938
    # 1 g is 2049 LSB of 0.488 mg, 100 degrees per second are 1429 LSB of 70 mdps.
    assert 998 <= units.scale(2049, units.ACC_16G) <= 1001
    assert 999 <= units.scale(1429, units.GYR_2000DPS) <= 1001


def test_mounts_are_read_or_refused():
    assert units.parse_mount("+x+y+z") == ((0, 1), (1, 1), (2, 1))
    assert units.parse_mount("+y+z+x") == ((1, 1), (2, 1), (0, 1))
    assert units.parse_mount("-y-z+x") == ((1, -1), (2, -1), (0, 1))
    assert units.parse_mount("?") is None
    for text in ("", "+x+y", "+x+x+z", "xyz", "+x+y+w", "+x+y+z ", "+y+x+z", "-x+y+z", "?+y+z"):
        assert refused(text), text


def test_samples_are_turned_into_body_axes():
    raw = array("h", [1000, 2000, 3000, 100, 200, 300, -32768, 32767, 0, 32767, -32768, 1])
    block = array("h", bytes(24))
    units.to_body(raw, 2, units.parse_mount("-y-z+x"), block)
    acc, gyr = units.ACC_16G, units.GYR_2000DPS
    assert list(block[:6]) == [
        -units.scale(2000, acc),
        -units.scale(3000, acc),
        units.scale(1000, acc),
        -units.scale(200, gyr),
        -units.scale(300, gyr),
        units.scale(100, gyr),
    ]
    assert list(block[6:]) == [-15990, 0, -15991, 22938, 0, 22937]
    units.to_body(raw, 1, None, block)
    assert list(block[:3]) == [units.scale(1000, acc), units.scale(2000, acc), units.scale(3000, acc)]


def test_a_mount_in_declared_axes_becomes_one_in_the_sensors():
    turned = ((0, -1), (1, -1), (2, 1))
    assert units.mount_text(turned, units.parse_mount("+y+z+x")) == "-y-z+x"
    assert units.mount_text(turned, units.parse_mount("-y-z+x")) == "+y+z+x"
    assert units.mount_text(((2, -1), (1, 1), (0, 1)), units.parse_mount("-y-z+x")) == "-x-z-y"
    assert units.mount_text(turned, None) == "-x-y+z"
    assert units.mount_text(units.AS_DECLARED, units.parse_mount("-y-z+x")) == "-y-z+x"
