"""What the doctor finds: one check each, with its verdict."""

from dataclasses import dataclass, field

from retrostep.errors import RetrostepError

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """`name` is what was looked at, `measured` what was found. `problem` says what helps, and is None for an `ok`."""

    name: str
    verdict: str
    measured: str
    problem: RetrostepError | None = None


@dataclass
class Report:
    """All checks of the board at `port`, in order; `device` is "" where it could not be asked."""

    port: str
    device: str = ""
    checks: list[Check] = field(default_factory=list)

    def ok(self, name: str, measured: str) -> None:
        """Add a check without a problem."""
        self.checks.append(Check(name, OK, measured))

    def warn(self, name: str, measured: str, problem: RetrostepError) -> None:
        """Add a problem with which the device still works."""
        self.checks.append(Check(name, WARN, measured, problem))

    def fail(self, name: str, measured: str, problem: RetrostepError) -> None:
        """Add a problem with which it does not work."""
        self.checks.append(Check(name, FAIL, measured, problem))

    @property
    def verdict(self) -> str:
        """The worst verdict."""
        verdicts = {check.verdict for check in self.checks}
        return FAIL if FAIL in verdicts else WARN if WARN in verdicts else OK

    @property
    def exit_status(self) -> int:
        """1 after a failed check, else 0."""
        return 1 if self.verdict == FAIL else 0
