"""The supported motion sensors of the LSM6DS family. A new sensor is one row; the host reads this table too."""

from retrostep_core.constants import const

_TAGGED = const(0)
_PATTERNED = const(1)

# Model: content of the register WHO_AM_I (0Fh), the words of its FIFO (ST data sheets), and its class in Adafruit's driver package. The
# LSM6DSOX is an LSM6DSO with a machine learning core; the TRC is the LSM6DS3TR-C.
SENSORS = {
    "LSM6DSOX": (0x6C, _TAGGED, "LSM6DSOX"),
    "LSM6DSO": (0x6C, _TAGGED, "LSM6DSOX"),
    "LSM6DSO32": (0x6C, _TAGGED, "LSM6DSO32"),
    "ISM330DHCX": (0x6B, _TAGGED, "ISM330DHCX"),
    "LSM6DS3TRC": (0x6A, _PATTERNED, "LSM6DS3TRC"),
    "LSM6DS33": (0x69, _PATTERNED, "LSM6DS33"),
}
