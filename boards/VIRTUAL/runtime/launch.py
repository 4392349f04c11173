"""Turns a bare interpreter into a board: devices, flash file system, boot.py, main.py, and then the REPL.

The only argument is the number of an open file that holds one JSON object (interpreter_process.py writes it). All other files are
given as numbers of open files too, so that the board sees nothing of the host's file system.
"""

import json
import os
import sys

import utime
import vfs

# The folder of this file, noted before the host's files become invisible.
_HERE = __file__.rsplit("/", 1)[0]


def start(names: dict) -> None:
    """Boot in the namespace `names`. Returns for the REPL; raises SystemExit for a soft reset."""
    with open(int(sys.argv[1])) as file:
        config = json.load(file)
    del sys.argv[1:]
    sys.argv[0] = ""
    control = open(config["control"], "wb")
    try:
        _plug(config, control)
    except OSError as error:
        control.write(json.dumps({"broken": str(error)}) + "\n")
        raise
    try:
        control.write('{"up": true}\n')
        # As in the ESP32's main.c: main.py does not run after an interrupted or failed boot.py, or in the raw REPL.
        if _run("boot.py", names) and not config["raw"]:
            _run("main.py", names)
    except KeyboardInterrupt as error:
        sys.print_exception(error)
    os.putenv("MICROPYINSPECT", "1")


def _plug(config: dict, control: object) -> None:
    """Replace the interpreter's modules by the shims, and the host's files by the board's flash."""
    before = set(sys.modules)
    sys.path[0:0] = [_HERE, _HERE + "/shims", _HERE + "/model"]
    import ctrl_c
    import virtual_clock as clock
    from played_leg import PlayedLeg

    ctrl_c.keys = ctrl_c.Keys(open(config["keys"], "rb", buffering=0))
    clock.system = clock.Clock(config["speed_milli"], config["now_us"], config["rtc_us"], utime.ticks_us, ctrl_c.keys.pause)
    leg = PlayedLeg(open(config["leg"], "rb"), config["leg_start_us"])

    import machine

    machine.plug(config, leg, control)
    import select
    import time

    import tasks

    # A file on sys.path cannot shadow this built-in module.
    sys.modules["_asyncio"] = tasks

    import flashbdev
    from flash import Flash

    flashbdev.bdev = Flash(open(config["flash"], "r+b"), clock.system)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flashbdev.bdev), "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    shims = (time, select, machine, tasks, flashbdev)
    for name in set(sys.modules) - before | {"launch"}:
        if sys.modules[name] not in shims:
            del sys.modules[name]


def _run(name: str, names: dict) -> bool:
    """Run a file of the flash, if there is one; returns False if it failed or was interrupted."""
    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name, names)  # noqa: F821 a MicroPython built-in
    except SystemExit:
        raise
    except BaseException as error:
        sys.print_exception(error)
        return False
    return True
