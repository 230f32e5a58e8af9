"""What alembic runs: the steps, on the connection and in the transaction that `migrating` hands over."""

from __future__ import annotations

from alembic import context

from capitate.service.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
