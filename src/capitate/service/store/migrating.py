"""Tables brought to the version of this program, safely where several processes start at once.

Alembic is loaded where tables change; a service that finds them as they should be starts without it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table, text

from capitate.errors import StoreSchemaError
from capitate.service.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["HEAD_SCHEMA", "alembic_settings", "current_schema", "migrate", "require_current"]

HEAD_SCHEMA = "0001"
"""Version of the tables that this program works with: the last of `migrations/versions`."""

logger = logging.getLogger(__name__)

_VERSIONS = table("alembic_version", column("version_num"))
_LOCK = 0x6361706974617465
"""Number of PostgreSQL's advisory lock: `capitate` in ASCII."""


def alembic_settings() -> Config:
    """Return alembic's settings; they are in no file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def current_schema(connection: Connection) -> str | None:
    """Return the version of a database's tables; None where there are none."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()


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
        if before != HEAD_SCHEMA:
            _require_known(before)
            _upgrade(connection, before)
    return before, HEAD_SCHEMA


def _upgrade(connection: Connection, before: str | None) -> None:
    """Change the tables."""
    from alembic import command

    logger.info("tables go from %s to %s", before, HEAD_SCHEMA)
    config = alembic_settings()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_current(database: Database) -> None:
    """Check that the tables are of this program's version.

    Raises:
        StoreSchemaError: if not.
        StoreError: if the database cannot be used.
    """
    with database.reading() as session:
        found = current_schema(session.connection())
    if found != HEAD_SCHEMA:
        _require_known(found)
        raise StoreSchemaError(
            f"the tables of {database.shown} are of version {found or 'none'}, this program's of {HEAD_SCHEMA}; "
            "run `capitate store migrate`"
        )


def _require_known(version: str | None) -> None:
    """Refuse tables that a newer program made."""
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(alembic_settings()).walk_revisions()}
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
