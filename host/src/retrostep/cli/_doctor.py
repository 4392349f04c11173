"""Printing what the doctor found, and asking the person at the keyboard."""

from typing import Any

import click

from retrostep.cli._cures import sentence
from retrostep.device.progress import Progress, no_progress
from retrostep.doctor.board_checks import Person
from retrostep.doctor.check import Check, Report
from retrostep.doctor.doctor import examine
from retrostep.output.lines import echo, echo_row
from retrostep.plain_text import clean


class Keyboard:
    """The person at the keyboard: answers what only a person can feel."""

    def agrees(self, question: str) -> bool:
        """The answer to a question."""
        return click.confirm(clean(question), err=True)

    def told(self, text: str) -> None:
        """Something to do now."""
        echo(text, err=True)


def examined(port: str, person: Person | None, progress: Progress = no_progress, *, is_printed: bool = True) -> Report:
    """The doctor's report about the board at `port`. On Ctrl-C, also at a question, what was found so far is printed if `is_printed`."""
    report = Report(port)
    try:
        examine(report, person, progress)
    except (KeyboardInterrupt, click.Abort) as stop:
        if is_printed:
            print_checks(report, is_complete=False)
        raise click.Abort("The board's program starts again.") from stop
    return report


def print_checks(report: Report, *, is_complete: bool = True) -> None:
    """One line for each check, below a problem what helps, and a summary; `is_complete`: nobody stopped it."""
    width = max((len(check.name) for check in report.checks), default=0)
    for check in report.checks:
        echo_row((check.verdict, check.name, clean(check.measured)), (4, width, 0))
        if check.problem is not None:
            echo(f"      {sentence(check.problem)}", 6)
    problems = [check for check in report.checks if check.problem is not None]
    name = report.device or report.port
    if not is_complete:
        echo(f"{name} was not examined completely.")
        return
    echo(f"{name} works." if not problems else f"{name}: {_summary(problems)}.")


def _summary(problems: list[Check]) -> str:
    failed = sum(check.verdict == "fail" for check in problems)
    warned = len(problems) - failed
    words = [f"{failed} failed" if failed else "", f"{warned} to look at" if warned else ""]
    return ", ".join(word for word in words if word)


def report_as_dict(report: Report) -> dict[str, Any]:
    """The report for --json."""
    checks = [
        {
            "check": check.name,
            "verdict": check.verdict,
            "measured": check.measured,
            "cure": None if check.problem is None else sentence(check.problem),
        }
        for check in report.checks
    ]
    return {"port": report.port, "device": report.device or None, "verdict": report.verdict, "checks": checks}
