"""`retrostep store`: the state of the store, its verification and rebuild, its backup and its place."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from retrostep.archive.backup_file import refuse_place
from retrostep.archive.contents import Sum
from retrostep.archive.data_dir import DataDir
from retrostep.archive.journal_repair import Disorder, repaired_notice
from retrostep.archive.moving import back_up, move_store, remains_of, reopen, restore
from retrostep.archive.store import rebuild_store
from retrostep.archive.store_url import shown_url
from retrostep.archive.tables import Progress
from retrostep.cli._ask import confirm
from retrostep.cli._options import NewFile, json_option, store_option, yes_option
from retrostep.cli._stop import after_ctrl_c
from retrostep.cli._store import reading
from retrostep.cli._who import login_name
from retrostep.errors import DamagedData, ForeignStore
from retrostep.output.lines import echo
from retrostep.output.terminal import columns, print_json
from retrostep.plain_text import clean
from retrostep.units import count, kilobytes, local_time, utc


@click.group("store")
def command() -> None:
    """Show, verify, rebuild, move and back up the store.

    \b
    Example:  retrostep store status
              retrostep store verify
              retrostep store backup club.zip
    """


@command.command("status")
@json_option
@store_option
def status(as_json: bool, store_url: str | None) -> None:
    """Show what is in the store and where its files are.

    \b
    Example:  retrostep store status
    """
    with reading(store_url) as store:
        quarantined = store.raw.quarantined()
        facts = {
            "store": store.name if store.path is None else store.url,
            "folder": str(store.data_dir.path) if store.path else None,
            "logs": store.raw.count(),
            "quarantined": [str(path) for path in quarantined],
            **store.counts(),
        }
    if as_json:
        print_json(facts)
        return
    shown = {name: value for name, value in facts.items() if value is not None}
    rows = [(name.replace("_", " "), str(len(value)) if isinstance(value, list) else str(value)) for name, value in shown.items()]
    for line in columns(rows, (16, 0)):
        click.echo(line)
    where = "{}" if facts["folder"] else "a backup of the store"
    for path in quarantined:
        echo(f"Quarantined: {path} ({where.format(path.with_suffix('.txt').name)} has the reason)")


@command.command("verify")
@json_option
@store_option
def verify(as_json: bool, store_url: str | None) -> None:
    """Read every raw log and compare it with what was received.

    Also compares the store, the quarantine and the entries. No log is changed. A sync brings back a log that a board still has.

    \b
    Example:  retrostep store verify

    \b
    Exit status: 4 if a file is not as it should be, or was repaired by
    this command, else 0.
    """
    with reading(store_url) as store, _log_bar(not as_json) as progress:
        done = store.verify(progress)
    if as_json:
        kinds = {kind: [finding.as_dict() for finding in getattr(done, kind)] for kind in ("rotten", "truncated", "missing", "foreign")}
        journal = done.journal
        more: dict[str, Any] = {"unreferenced": [str(path) for path in done.unreferenced], "differing": done.differing}
        more |= {"damaged_lines": journal.damaged, "doubled_lines": journal.doubled, "unordered_lines": journal.unordered}
        more |= {"lacking": done.lacking}
        more |= {"lost_lines": journal.lost, "backward_lines": journal.backward, "missing_entries": [list(gap) for gap in journal.missing]}
        print_json({"logs": done.logs, "bytes": done.bytes, **kinds, **more})
    else:
        for kind, finding in done.findings():
            of_session = f" (session {finding.session})" if finding.session else ""
            echo(f"{kind.capitalize()}: {finding.path}{of_session}: {finding.why}")
        for path in done.unreferenced:
            echo(f"Unreferenced: {path}: a program that was stopped left it. It can be deleted.")
        for name in done.differing:
            echo(f"Differing: session {name} is not in the store as in its log. To correct it: `retrostep store rebuild`.")
        if done.lacking:
            echo(f"Lacking: the store has no table {', '.join(done.lacking)}. To make it again: `retrostep store rebuild`.")
        for line in _journal_lines(done.journal, store.journal.name):
            click.echo(line)
        verdict = "Everything is as it was received." if done.is_complete else "Not everything is as it was received."
        click.echo(f"{count(done.logs, 'log')} read, {kilobytes(done.bytes)}. {verdict}")
    if not done.is_complete or any(notice.exit_status == DamagedData.exit_status for notice in store.notices):
        sys.exit(DamagedData.exit_status)


def _journal_lines(found: Disorder, journal: str) -> Iterator[str]:
    """What is wrong with the event journal, which messages call `journal`, a line each."""
    if found.damaged:
        yield f"Damaged: {count(found.damaged, 'line')} of {journal} cannot be read. The others are used."
    if found.lost:
        yield f"Lost: {journal} lacks {count(found.lost, 'line')} that the store has. To restore: `retrostep store rebuild`."
    if found.doubled:
        yield f"Doubled: {count(found.doubled, 'line')} of {journal}. They count once. To repair: `retrostep store rebuild`."
    if found.unordered:
        yield f"Out of order: {count(found.unordered, 'line')} of {journal}. To repair: `retrostep store rebuild`."
    if found.backward:
        yield f"Order in doubt: {count(found.backward, 'line')} of {journal} without a number, older than the line before."
        yield "  A clock was wrong, or lines were moved. Later entries win: compare `retrostep athletes assignments` and the notes."
    for first, last in found.missing:
        numbers = f"entry {first} is" if first == last else f"entries {first} to {last} are"
        yield f"Missing: {numbers} gone from {journal}."


@contextmanager
def _log_bar(is_wanted: bool) -> Iterator[Progress]:
    """A progress bar of logs on stderr."""
    with click.progressbar(length=0, label="Logs", file=sys.stderr, hidden=not is_wanted or not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


@command.command("rebuild")
@json_option
@yes_option
@store_option
def rebuild(as_json: bool, yes: bool, store_url: str | None) -> None:
    """Rebuild the store from the raw logs and the entries.

    No session and no entry is lost silently. Logs that cannot be read are copied to the folder `quarantine` and reported. A store that
    is damaged is moved there too. Another program's database is never changed: beside logs or entries it is moved there as well, and
    elsewhere you are asked first.

    \b
    Example:  retrostep store rebuild

    \b
    Exit status: 4 if a log is missing or a log or an entry cannot be
    read, else 0.
    """
    try:
        with _log_bar(not as_json) as progress:
            done = rebuild_store(store_url, progress)
    except ForeignStore as error:
        confirm(f"{error} There are no logs or entries beside it.", "Move it to the folder `quarantine` and make a store?", yes, "--yes")
        done = rebuild_store(store_url, moves_foreign=True)
    if as_json:
        unreadable = [{"log": str(path), "why": why} for path, why in done.unreadable]
        facts = {"sessions": done.sessions, "unreadable": unreadable, "damaged_entries": done.damaged_entries, "lost": done.lost}
        changed, aside = [str(path) for path in done.changed], done.set_aside and str(done.set_aside)
        restored = len(done.repaired.restored) if done.repaired else 0
        print_json({**facts, "changed": changed, "restored_entries": restored, "set_aside": aside})
    else:
        click.echo(f"The store has {count(done.sessions, 'session')}.")
    for path, why in done.unreadable:
        echo(f"Damaged: {why} It is kept in {path}.", err=True)
    for name in done.lost:
        echo(f"Missing: session {name} was received, and its log is gone. If the board still has it, sync.", err=True)
    for path in done.changed:
        click.echo(
            clean(f"Changed: {path} has other bytes than were received. What can be read counts. To repair it, sync its board."), err=True
        )
    if done.repaired is not None:
        echo(f"Repaired: {repaired_notice(done.repaired)}", err=True)
    if done.set_aside is not None:
        echo(f"What was in the place of the store is kept in {done.set_aside}.", err=True)
    if done.damaged_entries:
        click.echo(f"Damaged: {count(done.damaged_entries, 'line')} of {done.journal} cannot be read. The others are used.", err=True)
    if done.unreadable or done.damaged_entries or done.lost or done.changed:
        sys.exit(DamagedData.exit_status)


@command.command("backup")
@click.argument("file", type=NewFile())
@json_option
@store_option
def backup(file: Path, as_json: bool, store_url: str | None) -> None:
    """Write everything of the store to one file.

    It holds the raw logs, the entries and the quarantine, with a checksum, and is read again when it is written. FILE must not exist.

    \b
    Example:  retrostep store backup club-2026-11-26.zip

    \b
    Exit status: 4 if something in the store is damaged or missing (the
    backup holds the rest), else 0.
    """
    refuse_place(file.absolute())
    with reading(store_url) as store, _log_bar(not as_json) as progress, after_ctrl_c("There is no backup."):
        done, found = back_up(store, file.absolute(), progress)
    _report_sum(f"The backup is in {file}", done, as_json)
    if not found.is_complete:
        click.echo("Something in the store is damaged or missing: `retrostep store verify` lists it.", err=True)
        sys.exit(DamagedData.exit_status)


@command.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@store_option
def restore_command(file: Path, as_json: bool, store_url: str | None) -> None:
    """Fill an empty store from a backup.

    The backup is checked completely before anything is written, and the store is compared with it before it is used. A store that holds
    something is never overwritten.

    \b
    Example:  retrostep store restore club-2026-11-26.zip --store sqlite:///new/store.sqlite
    """
    with _log_bar(not as_json) as progress, after_ctrl_c("Nothing was restored."):
        done = restore(file.absolute(), store_url or DataDir.from_environment().store_url, progress)
    _report_sum("The store is restored", done, as_json)


@command.command("move")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@json_option
def move(source: str, target: str, as_json: bool) -> None:
    """Move the store to a PostgreSQL server, or back to a folder.

    FROM and TO are data folders, or URLs as for --store. TO must be empty. The copy is compared with the old store, which stays as it is
    and refuses new entries from then on. Other programs wait meanwhile.

    \b
    Example:  retrostep store move ~/club postgresql://coach@db.example/club
    """
    urls = [place if "://" in place else DataDir(Path(place)).store_url for place in (source, target)]
    with _log_bar(not as_json) as progress, after_ctrl_c("Both stores are as before."):
        done = move_store(urls[0], urls[1], progress, login_name())
    _report_sum(f"The store is at {shown_url(urls[1])} now; use it with --store or RETROSTEP_STORE", done, as_json)


@command.command("reopen")
@json_option
@yes_option
@store_option
def reopen_command(as_json: bool, yes: bool, store_url: str | None) -> None:
    """Use a store again that was moved to a server that is lost.

    It holds what it held when it was moved. Where a newer backup exists, restore that one to an empty folder instead. If the place that
    the store was moved to can still be opened, this is refused.

    \b
    Example:  retrostep store reopen --store sqlite:///old/store.sqlite
    """
    left = remains_of(store_url)
    moved_at = local_time(left.moved_at_ms)
    facts = (
        f"The store was moved to {left.moved_to} on {moved_at}. {left.why_lost} Here are {count(left.sessions, 'session')} and "
        f"{count(left.entries, 'journal line')} until then. What was synced or entered since is only there or in its backups."
    )
    confirm(facts, "Use this store again?", yes, "--yes")
    reopen(store_url, login_name())
    if as_json:
        print_json({"moved_to": left.moved_to, "moved_at": utc(left.moved_at_ms), "sessions": left.sessions, "entries": left.entries})
    else:
        echo(f"The store is in use again, as of {moved_at}. Sync each board: what it still has of later sessions comes back.")
        echo(f"If {left.moved_to} returns, do not enter anything there: the two would differ.")


def _report_sum(where: str, done: Sum, as_json: bool) -> None:
    if as_json:
        print_json({"entries": done.entries, "logs": done.logs, "quarantined": done.quarantined, "sha256": done.sha256})
    else:
        echo(f"{where}: {count(done.logs, 'log')} and {count(done.entries, 'line')} of the journal. Checked: all is there.")
