"""Migrations of the store's tables with Alembic: from one layout (schema.LAYOUT) to the next, with all that is in them."""

from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

from retrostep.archive import schema
from retrostep.archive.database import layout_of
from retrostep.archive.schema import MigrationRow, StoreState

MIGRATED_SINCE = 13
"""The first layout that is migrated. A file with an older one is written again from its logs and journal."""

FOLDER = Path(__file__).parent / "migrations"


def revision_of(layout: int) -> str:
    """The name of the migration that makes a layout."""
    return f"layout_{layout}"


def migrate(session: Session) -> None:
    """Bring the tables from the layout that they have to the present one, within the caller's transaction."""
    # Imported here: it takes a second, and is seldom needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    connection = config.attributes["connection"] = session.connection()
    if not connection.dialect.has_table(connection, MigrationRow.__tablename__):
        command.stamp(config, revision_of(layout_of(session) or MIGRATED_SINCE))
    command.upgrade(config, "head")
    session.execute(update(StoreState).values(layout=schema.LAYOUT))
    session.expire_all()
