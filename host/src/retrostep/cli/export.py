"""`retrostep export`: sessions as files for other platforms."""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import click

from retrostep.archive.identifiers import IMPORTED
from retrostep.archive.moments import to_ms
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store
from retrostep.cli._options import PAST_MOMENT, athlete_option, session_names, store_option, written_by_option
from retrostep.cli._store import reading
from retrostep.errors import DamagedData, FileExists, LogsMissing, NoCapture, RetrostepError, Undated
from retrostep.export.activity import Activity, activity
from retrostep.export.files import file_name, recording_name, write_new
from retrostep.export.raw_samples import Capture, capture_of, recording_csv
from retrostep.output.lines import echo
from retrostep.units import count

_RECORDINGS = {"recording": "csv", "recording-fit": "fit"}
"""The kinds of files with raw samples, and how their names end."""


def _recording_writer(kind: str) -> Callable[[Capture], bytes]:
    if kind == "recording":
        return recording_csv
    from retrostep.export.raw_fit import raw_fit_bytes

    return raw_fit_bytes


def _writer(kind: str) -> Callable[[Activity], bytes]:
    # Each library is imported only for its format.
    if kind == "fit":
        from retrostep.export.fit import fit_bytes

        return fit_bytes
    if kind == "tcx":
        from retrostep.export.tcx import tcx_bytes

        return tcx_bytes
    from retrostep.export.table import csv_bytes, json_bytes

    return csv_bytes if kind == "csv" else json_bytes


_KINDS = ("fit", "tcx", "csv", "json", *_RECORDINGS)


@click.command("export")
@click.argument("sessions", nargs=-1, metavar="[SESSION]...")
@athlete_option("Every session of this athlete.")
@click.option("--since", type=PAST_MOMENT, metavar="DATE", help="With --athlete: only from this local date on.")
@click.option("--format", "kind", type=click.Choice(_KINDS), default="fit", show_default=True, help="Kind of file.")
@click.option("--to", "folder", type=click.Path(path_type=Path), default=".", help="Folder for the files; - writes one session to stdout.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist and differ.")
@store_option
def command(
    sessions: tuple[str, ...], athlete: str | None, since: datetime | None, kind: str, folder: Path, overwrite: bool, store_url: str | None
) -> None:
    """Write sessions as FIT, TCX, CSV or JSON files.

    FIT and TCX have the cadence in strides a minute, as those formats have it for running: half the steps. FIT keeps the fraction. Backward
    time, backward steps, direction and tibial peak are developer fields of the FIT file. The files hold the athlete's name and notes.

    SESSION is DEVICE/NUMBER, an athlete's name for the latest session of that athlete, or `latest` for the latest one of all.

    A recording has the raw samples of a capture, without name, device and date. As CSV `retrostep replay` reads it. As FIT
    (`--format recording-fit`) it has the messages accelerometer_data and gyroscope_data.

    \b
    Example:  retrostep export --athlete Ada --since 2026-11-01
              retrostep export RS-3F2A01B4C8D9/12 --format csv
              retrostep export latest Ada --format tcx

    \b
    Exit status: 4 if the log of a session is missing on this computer,
    1 if a named session has no date, or a file exists; else 0.
    """
    if bool(sessions) == (athlete is not None):
        raise click.UsageError("Name sessions, or an athlete with --athlete.")
    if str(folder) == "-" and len(session_names(sessions)) != 1:
        raise click.UsageError("Only one session can be written to stdout.")
    written = skipped = imported = status = 0
    with reading(store_url) as store:
        for row in _rows(store, sessions, athlete, since):
            if row.device == IMPORTED:
                if sessions:
                    why = f"Session {row.name} was imported, so its own file is the export."
                    raise RetrostepError(f"{why} For the sessions of devices: `retrostep export --athlete NAME`.")
                imported += 1
                continue
            try:
                name, data = _exported(store, row, kind)
            except (LogsMissing, NoCapture, Undated) as error:
                if sessions:
                    raise
                echo(f"Skipped: {error}", err=True)
                status = max(status, DamagedData.exit_status if isinstance(error, DamagedData) else 0)
                skipped += 1
                continue
            if str(folder) == "-":
                click.echo(data, nl=False)
                return
            _write(folder / name, data, overwrite)
            written += 1
    words = [f"{count(skipped, 'session')} skipped"] if skipped else []
    words += [f"{count(imported, 'imported session')} left out: their own files are the export"] if imported else []
    if not written:
        echo(f"Nothing to export{''.join(f', {one}' for one in words)}." if words else "No sessions match.")
    elif written > 1 or words:
        echo(f"{', '.join([count(written, 'file'), *words])}.")
    sys.exit(status)


def _exported(store: Store, row: SessionRow, kind: str) -> tuple[str, bytes]:
    """(name, bytes) of the file of a session. Raises LogsMissing, NoCapture, Undated."""
    log = _log(store, row)
    if kind in _RECORDINGS:
        return recording_name(log, _RECORDINGS[kind]), _recording_writer(kind)(capture_of(log, row.name))
    exported = activity(store.detail(row), log)
    return file_name(exported, kind), _writer(kind)(exported)


def _write(path: Path, data: bytes, overwrite: bool) -> None:
    """Write the file, and print whether it was there already. Raises RetrostepError where another file is there."""
    try:
        with written_by_option("--to", "The file", "folder"):
            state = "written" if write_new(path, data, overwrite) else "is there already"
    except FileExists as error:
        raise RetrostepError(f"{error} To replace it, add --overwrite.") from error
    echo(f"{path}: {state}.")


def _log(store: Store, row: SessionRow) -> bytes:
    """The raw log of a session. Raises LogsMissing where it is not on this computer."""
    if not store.raw.exists(row.device, row.number, row.generation):
        raise LogsMissing(f"The log of session {row.name} is missing on this computer.")
    return store.raw.read(row.device, row.number, row.generation)


def _rows(store: Store, sessions: tuple[str, ...], athlete: str | None, since: datetime | None) -> Iterator[SessionRow]:
    if sessions:
        yield from map(store.find_session, session_names(sessions))
        return
    rows = store.sessions(athlete=athlete, since_ms=None if since is None else to_ms(since))
    yield from [row for row, _ in rows if row.excluded_why is None]
