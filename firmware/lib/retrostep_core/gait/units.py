"""From the chip's raw values to the core's units, and from sensor axes to body axes.

Core units: specific force in mg, angular velocity in 0.1 degrees per second (dps_x10); body axes x forward, y to the wearer's left, z up.
The board's driver does the same in viper. Both must give the same bits, so the formula is defined here, in integers.
"""

# Multiplier of a raw int16 value, then >> 15. LSM6DSOX datasheet DS12814, table 2: 0.488 mg/LSB at +-16 g, 70 mdps/LSB at +-2000 dps.
ACC_16G = 15991
GYR_2000DPS = 22938

# The axes stay as they are.
AS_DECLARED = ((0, 1), (1, 1), (2, 1))


def scale(raw: int, multiplier: int) -> int:
    """A raw int16 value in core units (mg or dps_x10). The product stays below 2**30 for multipliers up to 32767."""
    return (raw * multiplier) >> 15


def parse_mount(text: str) -> tuple | None:
    """((index, sign), (index, sign), (index, sign)): which sensor axis points forward, left, up. None for "?", the unknown mount.

    ValueError where an axis is missing, named twice or the three are mirrored (a sensor's axes are right-handed, so are the body's).
    """
    if text == "?":
        return None
    if len(text) != 6:
        raise ValueError("mount must be three signed axes like +y+z+x, or ?")
    mount = []
    for k in (0, 2, 4):
        if text[k] not in "+-" or text[k + 1] not in "xyz":
            raise ValueError("mount must be three signed axes like +y+z+x, or ?")
        mount.append(("xyz".find(text[k + 1]), 1 if text[k] == "+" else -1))
    (i, p), (j, q), (k, r) = mount
    if i in (j, k) or j == k:
        raise ValueError("mount names a sensor axis twice")
    even = 1 if (j - i) % 3 == 1 else -1
    if even * p * q * r < 0:
        raise ValueError("mount is mirrored: forward, left, up must be right-handed")
    return tuple(mount)


def mount_text(mount: tuple, declared: tuple | None) -> str:
    """The text of `mount`, which is given in the axes of `declared`: "+y+z+x". None: they are the sensor's."""
    text = ""
    for index, sign in mount:
        axis, own = (declared or AS_DECLARED)[index]
        text += ("+" if sign == own else "-") + "xyz"[axis]
    return text


def to_body(raw: object, n: int, mount: tuple | None, block: object) -> None:
    """Convert n raw samples to mg and 0.1 degrees per second in body axes, and write them to `block`.

    raw    array('h'), six values a sample: specific force x y z at +-16 g, angular velocity x y z at +-2000 degrees per second
    mount  from parse_mount; with None the axes stay the sensor's
    """
    (i, p), (j, q), (k, r) = mount or AS_DECLARED
    for at in range(0, n * 6, 6):
        block[at] = p * ((raw[at + i] * ACC_16G) >> 15)
        block[at + 1] = q * ((raw[at + j] * ACC_16G) >> 15)
        block[at + 2] = r * ((raw[at + k] * ACC_16G) >> 15)
        block[at + 3] = p * ((raw[at + 3 + i] * GYR_2000DPS) >> 15)
        block[at + 4] = q * ((raw[at + 3 + j] * GYR_2000DPS) >> 15)
        block[at + 5] = r * ((raw[at + 3 + k] * GYR_2000DPS) >> 15)
