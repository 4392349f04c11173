"""The absolute floor of relative rules: a percentage of a few seconds is no reason to warn (rules.toml, `floor`)."""

from typing import NamedTuple

from retrostep.training.finding import FAIL, INFO, WARN
from retrostep.training.rules.rules_file import CONTENTS
from retrostep.units import duration


class Floor(NamedTuple):
    """Up to `inform_ms` a relative rule informs at most, up to `warn_ms` it warns at most."""

    inform_ms: int
    warn_ms: int

    def capped(self, verdict: str, ms: float) -> str:
        """The verdict about `ms`, which is not worse than the floor allows."""
        if verdict == FAIL and ms <= self.warn_ms:
            verdict = WARN
        return INFO if verdict == WARN and ms <= self.inform_ms else verdict

    def text(self, verdict: str, uncapped: str) -> str:
        """Why the verdict is less than the limits alone require, as a sentence after a space; usually empty."""
        if verdict == uncapped:
            return ""
        ms, what = (self.inform_ms, "informs") if verdict == INFO else (self.warn_ms, "warns")
        return f" Up to {duration(ms)} this only {what} (engineering default)."

    def most_ms(self, level: str) -> int:
        """The longest time that never warns (level WARN) or never fails (level FAIL), whatever a percentage says."""
        return self.warn_ms if level == FAIL else self.inform_ms

    def times(self, number: int) -> "Floor":
        """The floor of so many sessions."""
        return Floor(self.inform_ms * number, self.warn_ms * number)


_DATA = CONTENTS["floor"]

RUNNING = Floor(*(1_000 * _DATA["running"][name] for name in ("inform", "warn")))
"""Of the backward jogging and running in a session."""

BACKWARD = Floor(*(1_000 * _DATA["backward"][name] for name in ("inform", "warn")))
"""Of all backward time of a session, walking included."""

SESSIONS_A_WEEK: int = _DATA["sessions_a_week"]
"""A week's floor is that of so many sessions."""
