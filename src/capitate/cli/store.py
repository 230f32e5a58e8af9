"""`capitate store`: what `capitate serve` keeps, brought up to date, backed up, restored, thinned out and checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.extras import service_parts

if TYPE_CHECKING:
    from capitate.service.settings import ServiceSettings
    from capitate.service.store import BackedUp, Store

__all__ = ["store"]

store = typer.Typer(
    help="What capitate serve keeps: bring it up to date, back it up, restore, prune and check it.",
    no_args_is_help=True,
)
_Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", file_okay=False, help="Folder of the service; CAPITATE_FOLDER, or its own."
    ),
]
_Database = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="Database of the service; CAPITATE_DATABASE, or SQLite in the folder."
    ),
]


def _examples(*lines: str) -> str:
    """Lay out examples below a command's help, one a line."""
    return "\n\n".join(("Examples:", *(f"  {line}" for line in lines)))


@store.command(
    epilog=_examples(
        "capitate store migrate",
        "capitate store migrate --folder /srv/capitate --database postgresql://capitate@localhost/capitate",
    )
)
def migrate(*, folder: _Folder = None, database: _Database = None) -> None:
    """Make the tables, or bring them to this program's version; capitate serve does so when it starts."""
    with service_parts("The store"):
        from capitate.service.store.migrating import HEAD_SCHEMA

        with _opened(_settings(folder, database), make=True) as opened:
            print(f"{opened.shown_address}: tables of version {HEAD_SCHEMA}")


@store.command(
    epilog=_examples(
        "capitate store backup capitate-monday.zip", "capitate store backup /backups/today.zip --folder srv"
    )
)
def backup(
    *,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write; must not be there yet.")],
    folder: _Folder = None,
    database: _Database = None,
) -> None:
    """Write films, assessments and audit, as they are at one moment, into one archive; the service may go on.

    Exit code 1 says that files were missing or damaged already; everything else is in the archive.
    """
    with service_parts("The store"), _opened(_settings(folder, database)) as opened:
        _tell(opened.backup(target), f"written to {target}")


@store.command(
    epilog=_examples(
        "capitate store restore capitate-monday.zip --folder new",
        "capitate store restore capitate-monday.zip --database postgresql://capitate@localhost/capitate",
    )
)
def restore(
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that backup wrote.")],
    folder: _Folder = None,
    database: _Database = None,
) -> None:
    """Read an archive into an empty store of either database; every sum is checked, and it is all or nothing.

    Exit code 1 says that files were missing when the archive was written.
    """
    with service_parts("The store"), _opened(_settings(folder, database), make=True) as opened:
        _tell(opened.restore(source), f"restored from {source}")


@store.command(epilog=_examples("capitate store prune --older-than 365", "capitate store prune --folder /srv/capitate"))
def prune(
    *,
    older_than: Annotated[
        float | None,
        typer.Option(
            "--older-than", min=0, metavar="DAYS", help="Delete what is older; CAPITATE_RETENTION_DAYS, or nothing."
        ),
    ] = None,
    folder: _Folder = None,
    database: _Database = None,
) -> None:
    """Delete assessments that are older than a number of days, with their films, and what broken uploads have left."""
    with service_parts("The store"):
        settings = _settings(folder, database)
        days = older_than if older_than is not None else settings.retention_days or None
        since = None if days is None else datetime.now(UTC) - timedelta(days=days)
        with _opened(settings) as opened:
            done = opened.prune(older_than=since)
    print(f"assessments {done.assessments}, films {done.films} ({done.film_bytes} bytes) deleted")


@store.command(epilog=_examples("capitate store check", "capitate store check --quick --folder /srv/capitate"))
def check(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only, without reading every file.")] = False,
    folder: _Folder = None,
    database: _Database = None,
) -> None:
    """Look for files that are missing or damaged, and for damage of the database; exit code 1 if there is any."""
    with service_parts("The store"), _opened(_settings(folder, database)) as opened:
        problems = opened.check(contents=not quick)
    for problem in problems:
        print(f"{problem.code}: {problem.message}")
    print(f"problems {len(problems)}")
    if problems:
        raise typer.Exit(1)


def _settings(folder: Path | None, database: str | None) -> ServiceSettings:
    """Find the store as the service does: options, environment, defaults."""
    from capitate.service.settings import read_settings

    return read_settings({"folder": folder, "database": database})


def _opened(settings: ServiceSettings, *, make: bool = False) -> Store:
    """Open the store that the service uses; where it is not to be made, it has to be there."""
    from capitate.service.store import Store

    return Store.open(settings.database_url, folder=settings.folder, migrate=make)


def _tell(done: BackedUp, where: str) -> None:
    """Say what a backup holds, and what it lacks."""
    print(f"assessments {done.assessments}, films {done.films}, other files {done.artifacts} {where}")
    for name in done.lacking:
        print(f"missing or damaged when it was written: {name}")
    if done.lacking:
        raise typer.Exit(1)
