"""The worst create on a fresh LittleFS, by the model of the flash. On MicroPython: `flash_rows READ PROGRAM LOOK_AHEAD FOLDER LOGS`.

Logs of 700 bytes with a marker file each, FOLDER of them in a folder (0: all in one), as on the emulated ESP32 that the model is compared
with. Erases do not count. Prints a JSON object.
"""

import json
import os
import sys

import vfs
from powerloss.nor_flash import ERASED
from powerloss.rig import POINT

from bench.flash_board import TimedChip

BLOCKS = 512


def main(read, program, look_ahead, per_folder, logs):
    chip = TimedChip(bytearray(ERASED * BLOCKS))
    chip.erase_us = 0
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip, readsize=int(read), progsize=int(program), lookahead=int(look_ahead)), POINT)
    longest_us = 0
    folder = POINT
    for number in range(int(logs)):
        begun_us = chip.us
        if int(per_folder) and number % int(per_folder) == 0:
            folder = f"{POINT}/{number}"
            os.mkdir(folder)
        for ending, count in (("rsl", 700), ("ok", 12)):
            with open(f"{folder}/{number:08d}.{ending}", "wb") as file:
                file.write(bytes(count))
        longest_us = max(longest_us, chip.us - begun_us)
    print(json.dumps({"create_ms": longest_us // 1000}))


main(*sys.argv[1:])
