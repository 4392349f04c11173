"""Write a golden log and its contents as JSON: `make.py NAME` makes NAME.rsl and NAME.json here. Golden logs are added, never edited."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0:0] = [str(HERE.parent)]

from retrostep_core.codes import (  # noqa: E402
    BACKWARD,
    CLOCK_FROM_HOST,
    COLD_START,
    FORWARD,
    MARK_WARM_UP,
    RAMP,
    STILL,
    STOP,
    UNKNOWN,
    WARN,
)
from retrostep_core.gait.limits import Limits  # noqa: E402
from support import formats_reader  # noqa: E402
from support.ram_store import RamStore, Wearer  # noqa: E402


class Impacts:
    """In place of gait/load.py: every epoch has the same impacts, forward and backward."""

    def settle(self, now_ms: int) -> None:
        """Nothing waits."""

    def sums(self, direction: int) -> list[int]:
        """Contacts, clipped ones, then sum and maximum of the axial peak, the resultant and the rise."""
        return {FORWARD: [13, 0, 41600, 3900, 50700, 4800, 26000, 2600], BACKWARD: [9, 2, 36000, 5100, 43200, 6000, 27000, 3900]}.get(
            direction, [0] * 8
        )

    def clear(self) -> None:
        """Nothing is added up."""


def session() -> bytes:
    """A warm-up forward, a backward bout with two alerts, a pause, a gap, and a walk home: every kind of record."""
    store = RamStore(boot=3, generation=0x1E5A3C0F)
    wearer = Wearer(store, now_ms=61000, load=Impacts())
    log = wearer.session
    log.limits = Limits()
    log.clock_fact(52000, 1795354200000, CLOCK_FROM_HOST)
    log.rate(60000, 105312)
    wearer.pass_ms(2000)
    wearer.turn(UNKNOWN)
    wearer.run(3, 118)
    wearer.turn(FORWARD, wearer.clock.now - 1900)
    log.peak(9120)
    log.found_mount(wearer.clock.now, wearer.clock.now - 1900, ((0, -1), (1, -1), (2, 1)))
    wearer.run(64, 168)
    log.mark(wearer.clock.now, MARK_WARM_UP)
    wearer.turn(BACKWARD, wearer.clock.now - 1100)
    log.alert(wearer.clock.now, COLD_START, WARN, 67, 300)
    wearer.run(21, 131)
    wearer.run(9, 156)
    log.alert(wearer.clock.now, RAMP, STOP, 191, 150)
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
        sys.exit(f"{path.name} exists, and golden logs are never edited. Choose another name.")
    data = session()
    path.write_bytes(data)
    path.with_suffix(".json").write_text(json.dumps(formats_reader.read(data), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
