"""The work on the flash that waits until no session is open. Each call does one slice of it, so that sampling has its turn in between."""

from hal import unload
from retrostep_core.constants import const

_ALL = const(0xFFFFFFFF)


class Upkeep:
    """Closes logs that an earlier boot left open, and lets `store` (hal/store.py) prepare the next one and make room."""

    def __init__(self, store: object, faults: object, console: object) -> None:
        self._store = store
        self._faults = faults
        self._console = console
        # Logs with lower numbers are not checked yet; 0 once all are.
        self._unchecked_below = _ALL

    def start(self) -> None:
        """Check the newest log: all others were closed before it was created, unless the flash failed."""
        self._check()

    def step(self) -> bool:
        """One slice: the next session's log first, then the check of an older log. False if there was nothing to do."""
        return self._store.tend() or self._check()

    def _check(self) -> bool:
        if not self._unchecked_below:
            return False
        number = self._unchecked_below = self._store.preceding(self._unchecked_below)
        if not number:
            # Only the check of logs needs them.
            unload(
                "retrostep_core.log.recovery",
                "retrostep_core.log.interrupted",
                "retrostep_core.log.decoded",
                "retrostep_core.log.reader",
                "retrostep_core.log.totals_from_log",
            )
            return False
        from retrostep_core.log.recovery import recover

        recovery = recover(self._store, number, self._store.boot)
        self._faults.add(recovery.faults)
        if recovery.closed:
            self._console.queue_text("retrostep: session %d was interrupted. It is closed" % number)
        return True
