"""Tables brought to the version of this program, safely where several processes start at once."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from capitate.errors import StoreSchemaError
from capitate.service.store.database import Database

__all__ = ["current_schema", "head_schema", "migrate", "require_current"]

logger = logging.getLogger(__name__)

_LOCK = 0x6361706974617465
"""Number of PostgreSQL's advisory lock: `capitate` in ASCII."""


def _config() -> Config:
    """Return alembic's settings; they are in no file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def head_schema() -> str:
    """Return the version of the tables that this program works with."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current_schema(connection: Connection) -> str | None:
    """Return the version of a database's tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the tables to this program's version; of several processes one does it and the others wait.

    Returns:
        The version before, and the one now.

    Raises:
        StoreSchemaError: if the tables are of a newer program, or the server does not hold UTF-8.
        StoreError: if the database cannot be used.
    """
    with database.altering() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
            _require_utf8(connection)
        before = current_schema(connection)
        _require_known(before)
        config = _config()
        config.attributes["connection"] = connection
        if before != head_schema():
            logger.info("tables go from %s to %s", before, head_schema())
            command.upgrade(config, "head")
    return before, head_schema()


def require_current(database: Database) -> None:
    """Check that the tables are of this program's version.

    Raises:
        StoreSchemaError: if not.
        StoreError: if the database cannot be used.
    """
    with database.reading() as session:
        found = current_schema(session.connection())
    _require_known(found)
    if found != head_schema():
        raise StoreSchemaError(
            f"the tables of {database.shown} are of version {found or 'none'}, this program's of {head_schema()}; "
            "run `capitate store migrate`"
        )


def _require_known(version: str | None) -> None:
    """Refuse tables that a newer program made."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise StoreSchemaError(
            f"the tables are of version {version}, which this program does not know; it is older than the store: "
            "install the Capitate that made it, or a newer one"
        )


def _require_utf8(connection: Connection) -> None:
    """Refuse a server's database that cannot hold every name."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreSchemaError(
            f"the database's encoding is {encoding}, so that it cannot hold every name; create one with ENCODING 'UTF8'"
        )
