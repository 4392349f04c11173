"""`python -m retrostep` is the retrostep command."""

from retrostep.cli import run

run()
