"""How long a cell lasts: the budget of retrostep/boards/power.py, for each chip and for each board."""

from retrostep.boards.power import CELL_MAH, LIGHT_SLEEP_MA, awake_share, cell_ma, chip_ma
from retrostep.device.boards import board_names, read_board
from retrostep.device.chips import CHIPS

from bench.tables import figure, section, table

LEAST_H = 60


def run() -> None:
    """Two tables: the chips alone, and the boards around them."""
    section(
        "Power",
        f"A cell of {CELL_MAH} mAh. In a session without a host the processor sleeps lightly between bursts of 12 samples; with a host, "
        "and on USB boards outside of sessions, it stays awake. A power LED, a USB bridge and a converter to 5 V are in the boards' table.",
    )
    rows = []
    for chip in LIGHT_SLEEP_MA:
        asleep_ma, awake_ma = chip_ma(chip, True), chip_ma(chip, False)
        hours = figure(CELL_MAH / asleep_ma, 0, least=LEAST_H)
        share = f"{100 * awake_share(chip):.0f}"
        rows.append((CHIPS[chip].title, share, f"{asleep_ma:.1f}", hours, f"{awake_ma:.0f}", f"{CELL_MAH / awake_ma:.0f}"))
    table("The chip, the sensor, the LED and the motor", ("chip", "awake %", "session mA", "session h", "awake mA", "awake h"), rows)
    rows = []
    for board in map(read_board, board_names()):
        if "wiring" in board:
            asleep_ma, awake_ma = cell_ma(board, True), cell_ma(board, False)
            hours = figure(CELL_MAH / asleep_ma, 0, least=LEAST_H)
            rows.append((board["name"], f"{asleep_ma:.1f}", hours, f"{awake_ma:.0f}", f"{CELL_MAH / awake_ma:.0f}"))
    table("The whole board", ("board", "session mA", "session h", "awake mA", "awake h"), rows)
