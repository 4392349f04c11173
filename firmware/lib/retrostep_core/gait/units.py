"""From the chip's raw values to the core's units, and from sensor axes to body axes.

Core units: specific force in mg, angular rate in ddps (0.1 degree per second); body axes x forward, y to the wearer's left, z up.
The board's driver does the same in viper; both must agree bit for bit, so the formula is here, once, in integers.
"""

# Multiplier of a raw int16 value, then >> 15. LSM6DSOX datasheet DS12814, table 2: 0.488 mg/LSB at +-16 g, 70 mdps/LSB at +-2000 dps.
ACC_16G = 15991
GYR_2000DPS = 22938

_AXES = "xyz"


def scale(raw: int, multiplier: int) -> int:
    """A raw int16 value in core units (mg or ddps); the product stays below 2**30 for multipliers up to 32767."""
    return (raw * multiplier) >> 15


def parse_mount(text: str) -> tuple | None:
    """((index, sign), (index, sign), (index, sign)): which sensor axis is body forward, left, up. None for "?", the unknown mount.

    ValueError where an axis is missing, named twice or the three are mirrored (a sensor's axes are right-handed, so are the body's).
    """
    if text == "?":
        return None
    if len(text) != 6:
        raise ValueError("mount must be three signed axes like +y+z+x, or ?")
    mount = []
    for k in (0, 2, 4):
        if text[k] not in "+-" or text[k + 1] not in _AXES:
            raise ValueError("mount must be three signed axes like +y+z+x, or ?")
        mount.append((_AXES.find(text[k + 1]), 1 if text[k] == "+" else -1))
    (i, p), (j, q), (k, r) = mount
    if i in (j, k) or j == k:
        raise ValueError("mount names a sensor axis twice")
    even = 1 if (j - i) % 3 == 1 else -1
    if even * p * q * r < 0:
        raise ValueError("mount is mirrored: forward, left, up must be right-handed")
    return tuple(mount)


def to_body(raw: object, n: int, mount: tuple | None, block: object) -> None:
    """Turn n raw samples (array('h'), six a sample: acceleration x y z, rate x y z) into mg and ddps in body axes, into `block`.

    +-16 g and +-2000 dps. Without a mount the axes stay the sensor's.
    """
    (i, p), (j, q), (k, r) = mount or ((0, 1), (1, 1), (2, 1))
    for at in range(0, n * 6, 6):
        block[at] = p * ((raw[at + i] * ACC_16G) >> 15)
        block[at + 1] = q * ((raw[at + j] * ACC_16G) >> 15)
        block[at + 2] = r * ((raw[at + k] * ACC_16G) >> 15)
        block[at + 3] = p * ((raw[at + 3 + i] * GYR_2000DPS) >> 15)
        block[at + 4] = q * ((raw[at + 3 + j] * GYR_2000DPS) >> 15)
        block[at + 5] = r * ((raw[at + 3 + k] * GYR_2000DPS) >> 15)
