"""`retrostep replay`: recordings through the engine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from retrostep_core.gait.limits import Limits

from retrostep.errors import RetrostepError
from retrostep.replay.engines import on_host, on_micropython
from retrostep.replay.events import lines
from retrostep.replay.recording import Recording, RecordingError, read_recording
from retrostep.replay.summary import paragraphs

_MOST_BYTES = 65_536


@click.command("replay")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: step, direction, cadence, alert, gap, summary.")
@click.option("--engine", type=click.Choice(["host", "micropython"]), default="host", show_default=True, help="Interpreter of the core.")
@click.option("--limits", "limits_file", type=click.Path(path_type=Path), metavar="FILE.json", help="Limits to alert at, by their names.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.csv...")
def command(as_json: bool, engine: str, limits_file: Path | None, files: tuple[Path, ...]) -> None:
    """Run recordings of motion through the engine that the board runs.

    Values are quantised as the board's IMU would. A recording that cannot be read is named on stderr, the others go on, and the exit
    status is 1.
    """
    limits = _limits(limits_file)
    bad: list[RecordingError] = []

    def sound() -> Iterator[Recording]:
        for path in files:
            try:
                yield read_recording(path)
            except RecordingError as error:
                bad.append(error)
                click.echo(f"Error: {error}", err=True)

    for replayed in (on_host if engine == "host" else on_micropython)(sound(), limits):
        for line in lines(replayed) if as_json else paragraphs(replayed):
            click.echo(line)
    if bad:
        sys.exit(RecordingError.exit_status)


def _limits(path: Path | None) -> Limits:
    if path is None:
        return Limits()
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise RetrostepError(f"{path}: longer than {_MOST_BYTES} bytes, so these are no limits.")
        return Limits.from_dict(json.loads(text))
    except OSError as error:
        raise RetrostepError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise RetrostepError(f"{path}: limits must be a JSON object of names and numbers.") from error
    except ValueError as error:
        raise RetrostepError(f"{path}: {error}.") from error
