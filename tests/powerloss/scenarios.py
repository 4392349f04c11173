"""Scenarios of use: each is played once without a cut, while the flash records every operation. `SCENARIOS` lists them."""

import os
import struct
from binascii import crc32

from hal.store import LogStore
from retrostep_core.gait.limits_json import limits_from_json
from support.disk import numbers
from support.ram_store import Wearer
from support.wearable import hexed

from powerloss.rig import POINT, Rig


def training():
    """Four sessions over two starts: alerts, marks, new limits, a sync during a session, an erase, a cut, and a session left open."""
    rig = Rig(48)
    worn = rig.worn
    worn.live(0.5)
    worn.answer("CLOCK", 1795354200000)
    worn.answer("LIMITS", hexed(limits_from_json({"warm_up_s": 60})))
    worn.live(12, 750)
    rig.pull(1, 150)
    worn.press(150, 150)
    worn.live(11, 800, True)
    worn.press(1200)
    worn.answer("CLOCK", 1795354300000)
    worn.live(2, 800, True)
    worn.live(20, 740)
    worn.press(150)
    worn.live(7, 750)
    rig.pull(1, 300)
    worn.live(2, 750)
    rig.sync(1)
    worn.live(5, 700)
    worn.answer("ERASE_CONFIRMED")
    worn.live(7, 750)
    rig.cut()
    worn = rig.worn
    worn.live(8, 750)
    rig.sync(2)
    worn.live(10, 760, True)
    worn.answer("LIMITS", hexed(limits_from_json({"warm_up_s": 90})))
    worn.live(35, 750)
    worn.live(3)
    worn.press(150)
    rig.sync(3)
    rig.sync(4)
    # After this erase no log is left that would show which numbers were used.
    worn.answer("ERASE_CONFIRMED")
    worn.live(65, 750)
    return rig.end()


def low_flash():
    """Little free flash and three logs, two of them confirmed: the device erases those two itself and drops single steps."""

    def past(promises):
        store = LogStore(POINT)
        for seconds in (900, 60, 700):
            wearer = Wearer(store, reserve=0)
            wearer.turn(1)
            wearer.run(seconds)
            wearer.session.stop(wearer.clock.now)
            number = wearer.session.number
            data = bytearray(store.size(number))
            store.read_into(number, 0, data)
            if number == 2:
                promises.add_old_log(number, bytes(data))
            else:
                store.confirm(number, len(data))
        with open(POINT + "/other.bin", "wb") as file:
            file.write(bytes(44000))

    rig = Rig(28, past)
    worn = rig.worn
    worn.live(8, 750)
    worn.press(150, 150)
    worn.live(20, 800, True)
    rig.pull(4)
    worn.press(150)
    rig.sync(4)
    worn.live(8, 750)
    rig.cut()
    rig.worn.live(14, 750)
    return rig.end()


def old_layout():
    """Eleven logs as older firmware left them, three confirmed and the last one open. They move, with a session in between."""

    def past(promises):
        store = LogStore(POINT)
        for number in range(1, 12):
            wearer = Wearer(store, reserve=0)
            wearer.turn(1)
            wearer.run(9 * number)
            if number < 11:
                wearer.session.stop(wearer.clock.now)
        os.mkdir(POINT + "/sessions")
        for number in numbers(store):
            path = POINT + "/sessions/%08d" % number
            data = bytearray(store.size(number))
            store.read_into(number, 0, data)
            os.rename(store.path(number), path + ".rsl")
            if number in (2, 5, 9):
                body = struct.pack("<II", len(data), crc32(data))
                with open(path + ".ok", "wb") as file:
                    file.write(body + struct.pack("<I", crc32(body)))
            else:
                promises.add_old_log(number, bytes(data))
        for name in os.listdir(POINT + "/logs"):
            os.rmdir(POINT + "/logs/" + name)
        os.rmdir(POINT + "/logs")

    rig = Rig(56, past)
    worn = rig.worn
    worn.live(4)
    worn.live(8, 750)
    worn.press(150)
    worn.live(3)
    rig.sync(3)
    rig.cut()
    rig.worn.live(8)
    rig.sync(10)
    rig.worn.live(8, 750)
    return rig.end()


SCENARIOS = {"training": training, "low-flash": low_flash, "old-layout": old_layout}
