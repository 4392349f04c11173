"""`retrostep replay`: run recorded motion through the engine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json

from retrostep.cli._ports import print_error
from retrostep.errors import RetrostepError
from retrostep.replay.engines import on_host, on_micropython
from retrostep.replay.events import lines
from retrostep.replay.recording import ImuRecording, RecordingError, read_recording
from retrostep.replay.summary import paragraphs

_MAX_LIMITS_BYTES = 65_536


@click.command("replay")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of text.")
@click.option(
    "--engine", type=click.Choice(["host", "micropython"]), default="host", show_default=True, help="Interpreter that runs the engine."
)
@click.option("--limits", "limits_file", type=click.Path(path_type=Path), metavar="FILE.json", help="Alert at these limits, a JSON object.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.csv...")
def command(as_json: bool, engine: str, limits_file: Path | None, files: tuple[Path, ...]) -> None:
    """Run recorded motion through the board's engine.

    Samples are rounded as the board's IMU rounds them. JSON lines are step, direction, cadence, alert, gap and summary events. A
    recording that cannot be read is reported on stderr, and the others continue.

    \b
    Example:  retrostep replay recording.csv
              retrostep replay --json --engine micropython recording.csv

    \b
    Exit status: 1 if a recording cannot be read, else 0.
    """
    limits = _limits(limits_file)
    bad: list[RecordingError] = []

    def readable() -> Iterator[ImuRecording]:
        for path in files:
            try:
                yield read_recording(path)
            except RecordingError as error:
                bad.append(error)
                print_error(error)

    for replayed in (on_host if engine == "host" else on_micropython)(readable(), limits):
        for line in lines(replayed) if as_json else paragraphs(replayed):
            click.echo(line)
    if bad:
        sys.exit(RecordingError.exit_status)


def _limits(path: Path | None) -> Limits:
    if path is None:
        return Limits()
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_LIMITS_BYTES + 1)
        if len(text) > _MAX_LIMITS_BYTES:
            raise RetrostepError(f"{path}: longer than {_MAX_LIMITS_BYTES} bytes, so it is no limits file.")
        return limits_from_json(json.loads(text))
    except OSError as error:
        raise RetrostepError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise RetrostepError(f"{path}: limits must be a JSON object of names and numbers.") from error
    except json.JSONDecodeError as error:
        raise RetrostepError(f'{path}: this is no JSON: write an object of limits, such as {{"ramp_stop_pct": 15}}.') from error
    except ValueError as error:
        raise RetrostepError(f"{path}: {error}.") from error
