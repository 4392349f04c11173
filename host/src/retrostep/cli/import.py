"""`retrostep import`: training that no device recorded, from files of other programs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from retrostep.activity_files.files import Outcome, import_file
from retrostep.activity_files.track import ON_FOOT
from retrostep.archive.schema import SessionRow
from retrostep.cli._cures import sentence
from retrostep.cli._options import store_option
from retrostep.cli._store import entering, saving
from retrostep.cli._who import login_name
from retrostep.errors import RetrostepError
from retrostep.output.lines import echo
from retrostep.units import cadence, clock, count, duration, local_date, local_time

_LONG_LIST = 20
"""A file with more sessions, or more reasons to skip one, is printed as one line."""


@click.command("import")
@click.argument("athlete")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--sport", type=click.Choice(ON_FOOT), help="The sport of activities whose file names none.")
@store_option
def command(athlete: str, files: tuple[Path, ...], sport: str | None, store_url: str | None) -> None:
    """Import training from FIT, TCX, GPX and CSV files.

    Each activity becomes a session IMPORT/NUMBER of forward time, with steps where the file has a cadence. Rules that compare backward
    running with all training count it. In files that `retrostep export` wrote, backward time stays backward time.

    Running, walking and hiking are imported; many GPX files do not name their sport: --sport does. A planned route has no times and is no
    training. What is in the store already is skipped, also in another format. Where a device of the
    athlete recorded at the same time, its session counts, and of the activity only the rest.

    A CSV file has a line for each activity, as Garmin Connect and Strava write it, or with columns of your own: date, duration (h:mm:ss or
    minutes), and where it is known sport and cadence_spm (steps a minute of both feet).

    To undo an import, or to correct it: `retrostep session IMPORT/NUMBER --exclude WHY`, or --athlete.

    \b
    Example:  retrostep import Ada run.fit
              retrostep import Ada run.fit Activities.csv

    \b
    Exit status: 4 if a file is damaged, 1 if one cannot be used for
    another reason, else 0. The other files are imported.
    """
    who, status, imported, skipped, failed = login_name(), 0, 0, 0, 0
    with entering(store_url) as store, saving(store):
        name = store.find_athlete(athlete).name
        for path in files:
            outcome = import_file(store, name, path, who=who, sport=sport or "")
            for line in _lines(outcome):
                echo(line)
            failures = list(Counter(_failure(outcome, problem) for problem in outcome.problems).items())
            for why, times in failures[:_LONG_LIST]:
                echo(why + (f" ({times} times)" if times > 1 else ""), err=True)
            if len(failures) > _LONG_LIST:
                echo(f"{outcome.file}: Not imported: {len(failures) - _LONG_LIST} more.", err=True)
            status = max([status, *(problem.exit_status for problem in outcome.problems)])
            imported += len(outcome.sessions)
            skipped += len(outcome.skipped)
            failed += len(outcome.problems)
    words = [f"{count(imported, 'session')} imported for {name}"]
    words += [f"{skipped} skipped"] if skipped else []
    words += [f"{failed} not usable"] if failed else []
    echo(f"{', '.join(words)}.")
    if status:
        raise click.exceptions.Exit(status)


def _lines(outcome: Outcome) -> Iterator[str]:
    """What was imported and what was skipped, a line for each session; of a long list, the first and the last one."""
    rows = outcome.sessions
    if len(rows) > _LONG_LIST:
        first, last = (local_date(row.started_at_ms or 0) for row in (rows[0], rows[-1]))
        forward = duration(sum(row.forward_ms for row in rows))
        yield f"{outcome.file}: {len(rows)} sessions, {rows[0].name} to {rows[-1].name}, {first} to {last}, {forward} forward."
    else:
        yield from (f"{outcome.file}: session {row.name}, {_summary(row)}." for row in rows)
    for row, shared in zip(rows, outcome.shared, strict=True):
        for device_row, ms in shared:
            part = f"{device_row.name} recorded {duration(ms)} of session {row.name}"
            yield f"{outcome.file}: {part}. That part counts once, as the device has it."
    skipped_why = Counter(skipped.why for skipped in outcome.skipped)
    if len(skipped_why) > _LONG_LIST:
        yield f"{outcome.file}: Skipped {len(outcome.skipped)} activities. The first: {outcome.skipped[0].why}."
        return
    for why, times in skipped_why.items():
        if any(skipped.needs_sport for skipped in outcome.skipped if skipped.why == why):
            why += ". If it was one of them, add for example --sport running"
        yield f"{outcome.file}: Skipped{f' {times} activities' if times > 1 else ''}: {why}."


def _summary(row: SessionRow) -> str:
    """`2026-11-20 17:30, 45:00, 44:10 forward, 171 steps a minute`."""
    words = [local_time(row.started_at_ms or 0), clock(row.duration_ms), f"{clock(row.forward_ms)} forward"]
    if row.backward_ms:
        words.append(f"{clock(row.backward_ms)} backward")
    steps, moved_ms = row.forward_steps + row.backward_steps, row.forward_ms + row.backward_ms
    if steps and moved_ms:
        words.append(cadence(round(600_000 * steps / moved_ms)))
    return ", ".join(words)


def _failure(outcome: Outcome, problem: RetrostepError) -> str:
    """`run.fit: Not imported: it is a damaged FIT file ...`."""
    text = sentence(problem)
    return f"{outcome.file}: Not imported: {text}" + ("" if text.endswith(".") else ".")
