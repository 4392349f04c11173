"""How Alembic runs the migrations: on the connection that `retrostep.archive.migrate` has opened, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
