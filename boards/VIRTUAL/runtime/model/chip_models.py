"""The modelled sensors, by the names of board.json."""

from lsm6dsox_model import LSM6DSOX
from patterned_chip_model import LSM6DS3TRC, LSM6DS33


class LSM6DSO(LSM6DSOX):
    """The LSM6DSOX without its machine learning core, which is not modelled."""


class LSM6DSO32(LSM6DSOX):
    """Twice the range (LSM6DSO32 datasheet, 9.13)."""

    ACC_LSB = (122, 976, 244, 488)


class ISM330DHCX(LSM6DSOX):
    """The industrial one, with another identity."""

    WHO_AM_I = 0x6B


CHIPS = {chip.__name__: chip for chip in (LSM6DSOX, LSM6DSO, LSM6DSO32, ISM330DHCX, LSM6DS3TRC, LSM6DS33)}
