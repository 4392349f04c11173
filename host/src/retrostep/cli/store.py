"""`retrostep store`: the state of the store, and making it anew."""

import sys

import click

from retrostep.archive.store import Store, rebuild_store
from retrostep.cli._options import json_option, store_option
from retrostep.errors import DamagedData
from retrostep.output.plain import clean
from retrostep.output.terminal import columns, print_json


@click.group("store")
def command() -> None:
    """See how the store is, or make it anew from the raw logs.

    \b
    Example:  retrostep store status
              retrostep store rebuild
    """


@command.command("status")
@json_option
@store_option
def status(as_json: bool, store_url: str | None) -> None:
    """Say what is in the store, and where everything lies."""
    with Store(store_url) as store:
        quarantined = store.raw.quarantined()
        logs = sum(1 for _ in store.raw.all())
        facts = {
            "store": store.url,
            "folder": str(store.home.path),
            "logs": logs,
            "quarantined": [str(path) for path in quarantined],
            **store.counts(),
        }
    if as_json:
        print_json(facts)
        return
    rows = [(name.replace("_", " "), str(len(value)) if isinstance(value, list) else str(value)) for name, value in facts.items()]
    for line in columns(rows, (16, 0)):
        click.echo(line)
    for path in quarantined:
        click.echo(clean(f"Quarantined: {path} ({path.with_suffix('.txt').name} says why)"))


@command.command("rebuild")
@json_option
@store_option
def rebuild(as_json: bool, store_url: str | None) -> None:
    """Make the store anew from the raw logs and what was entered; nothing is lost.

    Logs that cannot be read are copied to quarantine and named, and the exit status is 4.
    """
    with click.progressbar(length=0, label="Logs", file=sys.stderr, hidden=as_json or not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        done = rebuild_store(store_url, progress)
    if as_json:
        unreadable = [{"log": str(path), "why": why} for path, why in done.unreadable]
        print_json({"sessions": done.sessions, "unreadable": unreadable, "damaged_entries": done.damaged_entries})
    else:
        click.echo(f"{done.sessions} session{'' if done.sessions == 1 else 's'} in the store.")
    for path, why in done.unreadable:
        click.echo(clean(f"Damaged: {why} It is kept in {path}."), err=True)
    if done.damaged_entries:
        click.echo(f"Damaged: {done.damaged_entries} lines of entries.jsonl cannot be read; the others count.", err=True)
    if done.unreadable or done.damaged_entries:
        sys.exit(DamagedData.exit_status)
