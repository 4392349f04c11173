"""From a bare interpreter to a board: devices, flash file system, boot.py, main.py, and then the REPL.

The supervisor (virtual_board.py, `Child`) leaves one JSON object in the open file whose number is the only argument. All files come
as numbers of open ones, so that nothing of the host's file system is visible from the board.
"""

import json
import os
import sys

import utime
import vfs

# Where this file lies, before the host's files go out of sight.
_HERE = __file__.rsplit("/", 1)[0]


def start(names: dict) -> None:
    """Boot in the namespace `names`; returns for the REPL, raises SystemExit for a soft reset."""
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
        # ESP32's main.c: an interrupted or failed boot.py keeps main.py from running, and so does the raw REPL.
        if _run("boot.py", names) and not config["raw"]:
            _run("main.py", names)
    except KeyboardInterrupt as error:
        sys.print_exception(error)
    os.putenv("MICROPYINSPECT", "1")


def _plug(config: dict, control: object) -> None:
    """Put the shims in the place of the interpreter's modules, and the board's flash in that of the host's files."""
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

    # The built-in one cannot be shadowed from sys.path, only here.
    sys.modules["_asyncio"] = tasks

    from flash import Flash

    flash = Flash(open(config["flash"], "r+b"), clock.system)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash), "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    shims = (time, select, machine, tasks)
    for name in set(sys.modules) - before | {"launch"}:
        if sys.modules[name] not in shims:
            del sys.modules[name]


def _run(name: str, names: dict) -> bool:
    """Run a file of the flash if it is there; False if it failed or was interrupted."""
    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name, names)  # noqa: F821 MicroPython has it
    except SystemExit:
        raise
    except BaseException as error:
        sys.print_exception(error)
        return False
    return True
