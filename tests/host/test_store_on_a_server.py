"""A store on a PostgreSQL server: coaches share it, and a connection that breaks at any moment loses nothing and doubles nothing."""

import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from retrostep.archive import server
from retrostep.archive.forget import forget_athlete
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.moving import back_up
from retrostep.archive.schema import LAYOUT
from retrostep.archive.store import Store, rebuild_store
from retrostep.archive.store_url import kept_url, shown_url
from retrostep.device.client import DeviceClient
from retrostep.errors import DamagedData, StoreBusy, StoreLost, UnsupportedStore
from retrostep.sync.sync import sync_board
from sqlalchemy import Connection, Engine, event
from support.cli import Retrostep, one_sentence
from support.club import fill_club
from support.fake_board import FakeBoard
from support.logs import DEVICE, session_log

LOGS = {number: session_log(number, boot=number) for number in (1, 2, 3)}
PASSWORD = "s3cret"


def take(store: Store, number: int) -> None:
    """Archive and store a log, as a sync does."""
    summary = summarize_log(LOGS[number], DEVICE, number)
    store.add_log(archive_log(store, summary, LOGS[number]))


def contents(store: Store) -> tuple[list[str], dict[int, bytes], int]:
    """The kinds of entries, the logs by number, and how many sessions there are."""
    kinds = [str(line.entry and line.entry["entry"]) for line in store.journal.lines()]
    return kinds, {log.session: store.raw.read(DEVICE, log.session) for log in store.raw.all()}, len(list(store.sessions()))


def end_connections(url: str) -> None:
    """End every other connection, as an administrator can; a cut cable looks like it."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = current_user"
        connection.execute(ended)


@contextmanager
def broken_at(url: str, engine: Any, nth: int) -> Iterator[None]:
    """End the connections before the `nth` statement or commit of an engine, or of all engines, in the block."""
    seen = itertools.count(1)

    def before(*_arguments: object) -> None:
        if next(seen) == nth:
            end_connections(url)

    points = ("before_cursor_execute", lambda *_: before()), ("commit", lambda _: before())
    for name, hook in points:
        event.listen(engine, name, hook)
    try:
        yield
    finally:
        for name, hook in points:
            event.remove(engine, name, hook)


def test_a_connection_that_breaks_anywhere_loses_and_doubles_nothing(postgresql_url: str) -> None:
    with Store(postgresql_url) as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        take(store, 1)
    breaks = 0
    for nth in range(1, 400, 4):
        with Store(postgresql_url) as store, broken_at(postgresql_url, store._engine, nth):
            try:
                take(store, 2)
                store.note(DEVICE, 2, pain=3)
                break
            except StoreLost as error:
                assert "was lost" in str(error) and PASSWORD not in str(error)
                breaks += 1
    with Store(postgresql_url) as store:
        kinds, logs, sessions = contents(store)
        assert breaks > 10 and (logs, sessions) == ({1: LOGS[1], 2: LOGS[2]}, 2)
        assert kinds == ["athlete", "assign", "received", "received", "note"]
        assert len(store.detail(store.find_session("2")).notes) == 1
        assert store.verify(lambda done, total: None).is_complete


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_entry_is_saved_once_where_the_answer_to_its_commit_is_lost(comes_back: bool, postgresql_url: str) -> None:
    def refuse(*_arguments: object) -> None:
        raise psycopg.OperationalError("connection failed: no route to host")

    def commit_without_answer(connection: Connection) -> None:
        connection.connection.driver_connection.commit()  # type: ignore[union-attr]
        end_connections(postgresql_url)
        if not comes_back:
            event.listen(store._engine, "do_connect", refuse)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with Store(postgresql_url) as store:
        take(store, 1)
        event.listen(store._engine, "commit", commit_without_answer, once=True)
        if comes_back:
            store.note(DEVICE, 1, pain=3)
            assert store.journal.appended == 2
        else:
            with pytest.raises(StoreLost, match="look there before you enter it again"):
                store.note(DEVICE, 1, pain=3)
    with Store(postgresql_url) as store:
        assert len(store.detail(store.find_session("1")).notes) == 1


def test_a_command_whose_database_disappears_is_one_sentence_and_can_be_run_again(postgresql_url: str, tmp_path: Path) -> None:
    retrostep = Retrostep(tmp_path)
    with Store(postgresql_url) as store:
        take(store, 1)
    note = ("note", f"{DEVICE}/1", "--pain", 3, "--store", postgresql_url)
    with broken_at(postgresql_url, Engine, 25):
        ran = retrostep(*note)
    assert ran.status == 1 and "was lost" in one_sentence(ran) and PASSWORD not in ran.err
    assert retrostep(*note).status == 0
    with Store(postgresql_url) as store:
        assert contents(store)[0] == ["received", "note"]


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_error_after_an_entry_was_saved_asks_nobody_to_enter_it_again(
    comes_back: bool, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retrostep, end, refused = Retrostep(tmp_path), end_connections, []

    def refuse(*_arguments: object) -> None:
        if refused:
            raise psycopg.OperationalError("connection failed: no route to host")

    def end_for_good(url: str) -> None:
        end(url)
        refused.append(url)

    event.listen(Engine, "do_connect", refuse)
    if not comes_back:
        monkeypatch.setattr(sys.modules[__name__], "end_connections", end_for_good)
    with Store(postgresql_url) as store:
        take(store, 1)
    saved = 0
    for nth in range(24, 400, 2):
        with broken_at(postgresql_url, Engine, nth):
            ran = retrostep("note", f"{DEVICE}/1", "--pain", 3, "--store", postgresql_url)
        refused.clear()
        with Store(postgresql_url) as store:
            notes = len(store.detail(store.find_session("1")).notes)
        if ran.status == 0 and notes == saved + 1 and nth > 60:
            break
        report = "" if ran.status == 0 else one_sentence(ran)
        assert ("is saved: look there" in report) <= (notes > saved) and not (notes > saved and "run this again" in report), (nth, ran)
        saved = notes
    event.remove(Engine, "do_connect", refuse)
    assert saved > 2


def test_nothing_is_confirmed_to_the_board_that_is_not_in_the_database(postgresql_url: str, tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path / "flash")
    for number, log in LOGS.items():
        fake.put(number, log)
    with Store(postgresql_url) as store, broken_at(postgresql_url, store._engine, 60), pytest.raises(StoreLost):
        sync_board(DeviceClient(fake), store)
    with Store(postgresql_url) as store:
        archived = {log.session for log in store.raw.all()}
        assert {number for number in LOGS if fake.flash.confirmed(number)} <= archived < set(LOGS)
        sync_board(DeviceClient(fake), store)
        assert contents(store)[1:] == (LOGS, 3) and all(fake.flash.confirmed(number) for number in LOGS)


TAKE = """
import sys
sys.path[:0] = {path!r}
from host.test_store_on_a_server import LOGS, take
from retrostep.archive.store import Store
with Store(sys.argv[1]) as store:
    for number in LOGS:
        take(store, number)
    store.note({device!r}, 1, pain=int(sys.argv[2]))
"""


def test_two_who_sync_one_device_at_once_neither_double_nor_lose(postgresql_url: str) -> None:
    script = TAKE.format(path=sys.path, device=DEVICE)
    both = [subprocess.Popen([sys.executable, "-c", script, postgresql_url, pain]) for pain in "12"]
    assert [each.wait(100) for each in both] == [0, 0], "they make the tables at the same moment, too"
    with Store(postgresql_url) as store:
        kinds, logs, sessions = contents(store)
        assert (logs, sessions) == (LOGS, 3) and sorted(kinds) == ["note", "note", "received", "received", "received"]
        assert sorted(note.pain or 0 for note in store.detail(store.find_session("1")).notes) == [1, 2]
        assert store.verify(lambda done, total: None).is_complete


def test_another_log_of_a_session_and_a_longer_one(postgresql_url: str) -> None:
    with Store(postgresql_url) as store:
        store.raw.commit(DEVICE, 1, LOGS[1][:300])
        take(store, 1)
        with pytest.raises(DamagedData, match="kept, the new one in"):
            store.raw.commit(DEVICE, 1, session_log(1, boot=9))
        (kept,) = store.raw.quarantined()
        assert store.raw.load(kept) == session_log(1, boot=9) and store.raw.copies(DEVICE, 1)[1:] == [kept]
        store.raw.commit(DEVICE, 2, LOGS[2])
    with Store(postgresql_url, reading=True) as store:
        assert [row.number for row, _ in store.sessions()] == [1, 2], "what a killed sync archived is added"
        assert contents(store)[0].count("received") == 2
    rebuilt = rebuild_store(postgresql_url)
    assert rebuilt.sessions == 2 and not (rebuilt.unreadable or rebuilt.lost)


def test_damage_is_reported_without_the_files_that_a_server_has_not(postgresql_url: str, tmp_path: Path) -> None:
    with Store(postgresql_url) as store:
        take(store, 1)
        store.note(DEVICE, 1, pain=1)
        store.raw.quarantine(DEVICE, 7, b"noise", "It cannot be read.")
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("UPDATE entries SET crc = 0 WHERE id = (SELECT max(id) FROM entries)")
    damaged = "Damaged: 1 line of the journal of entries cannot be read."
    for command, words in (("verify", damaged), ("rebuild", damaged), ("status", "a backup of the store has the reason")):
        ran = Retrostep(tmp_path)("store", command, "--store", postgresql_url)
        assert words in ran.out + ran.err and "entries.jsonl" not in ran.out + ran.err and ".txt" not in ran.out


def test_a_lost_table_is_found_by_verify_and_made_again_by_a_rebuild(postgresql_url: str, tmp_path: Path) -> None:
    with Store(postgresql_url) as store:
        take(store, 1)
        store.note(DEVICE, 1, pain=1)
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("DROP TABLE notes CASCADE")
    ran = [Retrostep(tmp_path)("store", command, "--store", postgresql_url) for command in ("verify", "rebuild", "verify")]
    assert [each.status for each in ran] == [4, 0, 0] and "no table notes. To make it again: `retrostep store rebuild`" in ran[0].out
    with Store(postgresql_url) as store:
        assert len(store.detail(store.find_session("1")).notes) == 1


def layout(change: int) -> Callable[[str], None]:
    def set_layout(url: str) -> None:
        Store(url).close()
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE store_state SET layout = %s", (LAYOUT + change,))

    return set_layout


def foreign(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE precious (x INT)")


@pytest.mark.parametrize(
    ("prepare", "change", "sentence"),
    [
        (layout(+1), None, "A newer version of Retrostep wrote the store"),
        (foreign, None, "another program's database"),
        (None, None, "There is no store at postgresql://coach@"),
        (None, ("/postgres?", "/nowhere?"), "There is no database"),
        (None, ("retrostep-pg-", "gone-"), "cannot be reached"),
        (None, ("coach:", "stranger:"), "refuses access"),
        (None, ("s3cret@/", "s3cret@more@/"), "%2F"),
        (None, ("s3cret@/", "s3cret@host:port/"), "no store's URL"),
    ],
)
def test_a_server_without_a_usable_store_is_one_sentence_without_the_password(
    prepare: Callable[[str], None] | None, change: tuple[str, str] | None, sentence: str, postgresql_url: str, tmp_path: Path
) -> None:
    if prepare is not None:
        prepare(postgresql_url)
    for command in (("check",), ("store", "rebuild")):
        ran = Retrostep(tmp_path)(*command, "--store", postgresql_url.replace(*change) if change else postgresql_url)
        assert ran.status == 1 and (sentence in one_sentence(ran) or command[0] == "store")
        assert PASSWORD not in ran.out + ran.err


def test_a_store_that_another_program_writes_to_is_an_error_after_a_while(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BUSY_S", 0.2)
    with Store(postgresql_url) as store, psycopg.connect(postgresql_url) as other:
        other.execute("SELECT id FROM store_state FOR UPDATE")
        with pytest.raises(StoreBusy, match="wait for it"):
            store.add_athlete("Ada")
        assert store.athletes() == [], "it can be read meanwhile"


NOT_EVERYWHERE = r"advisory|\bCOPY\b|LISTEN|NOTIFY|TEMP|EXTENSION|MERGE|FUNCTION|TRIGGER|regclass|ctid|xmin|UNLOGGED|INHERITS|LATERAL|ARRAY"


def test_the_sql_is_what_other_servers_of_the_protocol_have_too(postgresql_url: str, tmp_path: Path) -> None:
    """What pg_catalog is asked when a store is opened is SQLAlchemy's; CockroachDB and Citus answer it."""
    sent: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        with Store(postgresql_url) as store:
            fill_club(store, ["Ada", "Ben"], days=3)
            store.rebuild()
            back_up(store, tmp_path / "club.zip")
            store.raw.put_in_quarantine("entries.jsonl.1", b'{"name":"Athlete 0"', "")
            assert forget_athlete(store, "Athlete 0").unreached == [] == list(store.raw.in_quarantine())
            assert not [line for line in store.journal.lines() if b"Athlete 0" in line.raw]
            assert [row.name for row in store.athletes()] == ["Athlete 1"]
    finally:
        event.remove(Engine, "before_cursor_execute", record)
    own = {statement for statement in sent if "pg_catalog" not in statement}
    assert len(own) > 60 and not [statement for statement in own if re.search(NOT_EVERYWHERE, statement)]


def test_the_driver_and_the_migrations_are_loaded_only_where_they_are_needed(tmp_path: Path) -> None:
    script = "import sys; from retrostep.archive.store import Store; Store().close(); print(*{'psycopg', 'alembic'} & set(sys.modules))"
    environment = {**os.environ, "RETROSTEP_HOME": str(tmp_path / "home")}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True).stdout.strip() == b""


@pytest.mark.parametrize(
    ("options", "kind", "reason"),
    [
        ("?sslmode=none", StoreLost, 'invalid sslmode value: "none"'),
        ("?bogus=1", UnsupportedStore, "has an option that does not work: "),
        ("?connect_timeout=long", UnsupportedStore, "bad value for connect_timeout"),
        ("", StoreLost, "cannot be reached (Connection refused)"),
    ],
)
def test_a_url_that_does_not_work_is_reported_with_the_reason(options: str, kind: type[Exception], reason: str) -> None:
    for host in ("127.0.0.1", "[::1]"):
        with pytest.raises(kind) as failed:
            Store(f"postgresql://kim:{PASSWORD}@{host}:1/club{options}")
        assert reason in str(failed.value).replace("Cannot assign requested address", "Connection refused")
        assert f"postgresql://kim@{host}:1/club" in str(failed.value) and PASSWORD not in str(failed.value)


def test_a_server_that_never_answers_was_not_reached() -> None:
    expected = pytest.raises(StoreLost, match=r"cannot be reached \(connection timeout expired\)")
    with socket.create_server(("127.0.0.1", 0)) as silent, expected:
        Store(f"postgresql://kim@127.0.0.1:{silent.getsockname()[1]}/club?connect_timeout=2")


def test_urls_are_shown_without_password_and_options() -> None:
    assert shown_url("postgresql://kim:a%40b@db.club:5433/club?sslmode=require") == "postgresql://kim@db.club:5433/club"
    assert shown_url("sqlite:////home/kim/store.sqlite") == "sqlite:////home/kim/store.sqlite"
    kept = "postgresql://kim@/club?host=%2Frun%2Fpg&sslmode=require"
    assert kept_url(kept.replace("kim", "kim:s3cret") + "&sslpassword=s3cret") == kept
    for url in ("postgresql://kim@db.club", "mysql://kim:s3cret@db.club/club"):
        with pytest.raises(UnsupportedStore) as refused:
            Store(url)
        assert PASSWORD not in str(refused.value)
