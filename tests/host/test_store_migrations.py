"""Migrations: a store of every layout since 13 is carried along with all that is in it, and the result is what this version makes."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from retrostep.archive import schema
from retrostep.archive.migrate import FOLDER, MIGRATED_SINCE, revision_of
from retrostep.archive.schema import Base
from retrostep.archive.source_tables import SourceBase
from retrostep.archive.store import Store, rebuild_store
from sqlalchemy import Connection, Engine
from support.logs import DEVICE, session_log


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """An empty database of each kind."""
    store = Store(store_url, rebuilding=True)
    yield store._engine
    store.close()


def test_the_migrations_make_the_tables_of_this_version(engine: Engine) -> None:
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql("CREATE SCHEMA migrated; SET LOCAL search_path = migrated")
        upgrade(connection, "head")
        context = MigrationContext.configure(connection)
        wanted = Base.metadata if engine.dialect.name == "sqlite" else [Base.metadata, SourceBase.metadata]
        assert context.get_current_revision() == revision_of(schema.LAYOUT)
        assert compare_metadata(context, wanted) == []


def test_a_file_of_layout_13_is_migrated_and_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Store(f"sqlite:///{path}") as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        store.raw.commit(DEVICE, 1, session_log(1))
        store.ingest(DEVICE, 1, session_log(1))
        store.note(DEVICE, 1, pain=3)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE alembic_version")
        db.execute("ALTER TABLE store_state DROP COLUMN moved_to")
        db.execute("DROP TABLE imports")
        db.execute("UPDATE store_state SET layout = 13")
        db.execute("UPDATE notes SET text = 'only in the tables'")
    db.close()
    with Store(f"sqlite:///{path}") as store:
        assert MIGRATED_SINCE == 13 and "Its tables were changed for this version" in str(store.notices[0])
        assert [note.text for note in store.detail(store.find_session("1")).notes] == ["only in the tables"], "it was not derived again"
        store.add_athlete("Ben")
    with Store(f"sqlite:///{path}") as store:
        assert not store.notices and [row.name for row in store.athletes()] == ["Ada", "Ben"]
    assert rebuild_store(f"sqlite:///{path}").set_aside is None, "its tables are as this version defines them"
