"""The `retrostep` command, also as `python -m retrostep`."""

import gc
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A command keeps most objects until it ends. With Python's default of 700, collecting garbage takes a tenth of its start."""


def run() -> None:
    """Run the command. Ctrl-C while it is still loading prints no traceback."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from retrostep.cli import run as run_command
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(1)
    run_command()


if __name__ == "__main__":
    run()
