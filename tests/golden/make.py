"""Writes a golden log and what it says: `make.py NAME` makes NAME.rsl and NAME.json here. Golden logs are added and never edited."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0:0] = [str(HERE.parent / "portable"), str(HERE.parent / "property")]

import formats_reader  # noqa: E402
from ram_store import RamStore, Wearer  # noqa: E402
from retrostep_core.gait.limits import Limits  # noqa: E402

UNKNOWN, FORWARD, BACKWARD, STILL = 0, 1, 2, 3


def session() -> bytes:
    """A warm-up forward, a backward bout that alerts twice, a pause, a gap, and home: every kind of record."""
    store = RamStore(boot=3, life=0x1E5A3C0F)
    wearer = Wearer(store, now_ms=61000)
    log = wearer.session
    log.limits = Limits()
    log.clock_fact(52000, 1795354200000, 1)
    log.rate(60000, 105312)
    wearer.pass_ms(2000)
    wearer.turn(UNKNOWN)
    wearer.run(3, 118)
    wearer.turn(FORWARD, wearer.clock.now - 1900)
    log.peak_mg = 9120
    wearer.run(64, 168)
    log.mark(wearer.clock.now, 1)
    wearer.turn(BACKWARD, wearer.clock.now - 1100)
    log.alert(wearer.clock.now, 3, 1, 67, 300)
    wearer.run(21, 131)
    wearer.run(9, 156)
    log.alert(wearer.clock.now, 1, 2, 191, 150)
    wearer.turn(STILL, wearer.clock.now - 200)
    wearer.pass_ms(12000)
    log.gap(wearer.clock.now - 480, wearer.clock.now)
    log.rate(wearer.clock.now, 105790)
    wearer.turn(FORWARD)
    wearer.run(15, 112)
    wearer.turn(STILL, wearer.clock.now - 150)
    wearer.pass_ms(61000)
    return store.logs[1]


def main(name: str) -> None:
    path = HERE / f"{name}.rsl"
    if path.exists():
        sys.exit(f"{path.name} is there already; golden logs are never edited: choose another name.")
    data = session()
    path.write_bytes(data)
    path.with_suffix(".json").write_text(json.dumps(formats_reader.read(data), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
