"""`capitate serve`: the service and its page, until it is stopped."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import service_parts

__all__ = ["serve"]

_NETWORK, _FILMS, _STORE, _ACCESS = "Network", "Films", "Store", "Access"


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Import without looking for garbage, of which there is none: a tenth of the time to start.

    What is imported stays, so that later collections, which stop every request, leave it out.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def serve(
    *,
    host: Annotated[
        str | None,
        typer.Option(rich_help_panel=_NETWORK, help="Address to listen on; others than loopback need --tokens."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(rich_help_panel=_NETWORK, help="Port to listen on, 8470; 0 takes a free one.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, rich_help_panel=_STORE, help="Folder of films, maps and the SQLite file."
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", rich_help_panel=_STORE, help="Database by URL; SQLite in the folder if left out."),
    ] = None,
    retention: Annotated[
        float | None,
        typer.Option(
            "--retention-days",
            "--retention",
            metavar="DAYS",
            rich_help_panel=_STORE,
            help="Days after which assessments and films are deleted; 0 keeps them.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", rich_help_panel=_FILMS, help="Processes that assess films; cores less one."),
    ] = None,
    queue: Annotated[
        int | None,
        typer.Option(metavar="N", rich_help_panel=_FILMS, help="Films that may wait; more are refused with 503."),
    ] = None,
    wait_seconds: Annotated[
        float | None,
        typer.Option(metavar="S", rich_help_panel=_FILMS, help="How long a request waits before it answers 202."),
    ] = None,
    film_seconds: Annotated[
        float | None, typer.Option(metavar="S", rich_help_panel=_FILMS, help="How long one film may take.")
    ] = None,
    film_megabytes: Annotated[
        float | None, typer.Option(metavar="MB", rich_help_panel=_FILMS, help="Largest film that is taken.")
    ] = None,
    archive_megabytes: Annotated[
        float | None,
        typer.Option(metavar="MB", rich_help_panel=_FILMS, help="Largest zip archive, packed and unpacked."),
    ] = None,
    archive_films: Annotated[
        int | None, typer.Option(metavar="N", rich_help_panel=_FILMS, help="Most films in one archive.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", rich_help_panel=_FILMS, help="Bone-age bundle, by name or folder.")
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_ACCESS, help="Tokens: a line each with name, read or write, and sha256."
        ),
    ] = None,
    session_hours: Annotated[
        float | None, typer.Option(metavar="H", rich_help_panel=_ACCESS, help="How long a browser stays signed in.")
    ] = None,
    rate_per_minute: Annotated[
        int | None,
        typer.Option(metavar="N", rich_help_panel=_ACCESS, help="Requests of one client in a minute; 0 sets no limit."),
    ] = None,
) -> None:
    """Serve the page and the HTTP API, by default to this machine alone.

    Every option is a variable of the environment too, such as CAPITATE_PORT; the option outweighs it.
    """
    with service_parts("capitate serve"):
        with _nothing_collected():
            from capitate.cli.serving import run
            from capitate.service.settings import read_settings

        settings = read_settings(
            {
                "host": host,
                "port": port,
                "folder": folder,
                "database": database,
                "retention_days": retention,
                "workers": workers,
                "queue": queue,
                "wait_seconds": wait_seconds,
                "film_seconds": film_seconds,
                "film_megabytes": film_megabytes,
                "archive_megabytes": archive_megabytes,
                "archive_films": archive_films,
                "model": model,
                "tokens": tokens,
                "session_hours": session_hours,
                "rate_per_minute": rate_per_minute,
            }
        )
        run(settings)
