"""Why a sensor does not work, in words. A board imports this for a fault only; a host for the reason in STATUS."""

# Content of WHO_AM_I: models (ST data sheets).
CHIPS = {0x69: "LSM6DS33", 0x6A: "LSM6DS3TR-C", 0x6B: "ISM330DHCX", 0x6C: "LSM6DSO, LSM6DSOX or LSM6DSO32"}

_TEXTS = {
    3: "it no longer answers: check its wires (SDA, SCL, 3V3, GND) and its supply",
    5: "its values do not change: reset the board, then replace the sensor",
    6: "an axis of its accelerometer is stuck: reset the board, then replace the sensor",
    7: "its gyroscope is dead: steps are counted without direction. Reset the board, then replace the sensor",
    8: "it measures no gravity at rest: reset the board, then replace the sensor",
    11: "its setup failed: check its wires and its supply",
    12: "it has stopped sampling: its supply was interrupted",
    13: "board.json describes none that can be used: correct imu and i2c",
}


def sensor_text(reason: int, detail: int = 0) -> str:
    """The reason of STATUS as a sentence after "The sensor: ", with what helps; empty for 0."""
    if reason == 9:
        if detail:
            return "found at 0x%02X: correct imu.address in board.json" % detail
        return "nothing answers at I2C address 0x6A or 0x6B: check its wires (SDA, SCL, 3V3, GND) and i2c in board.json"
    if reason == 10:
        cure = "correct imu.model in board.json" if detail in CHIPS else "replace the sensor, or check its wires"
        return "WHO_AM_I is 0x%02X, an %s: %s" % (detail, CHIPS.get(detail, "unknown chip"), cure)
    return _TEXTS.get(reason, "reason %d, which this version does not know" % reason) if reason else ""
