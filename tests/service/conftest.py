"""Stores on both databases: SQLite everywhere, PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capitate.service.store import Store

from .postgres import Cluster, binaries


@pytest.fixture(scope="session")
def cluster(peer: Callable[[str], str]) -> Iterator[Cluster]:
    """A PostgreSQL of the session's own."""
    yield from _server(peer)


@pytest.fixture(scope="module")
def own_cluster(peer: Callable[[str], str]) -> Iterator[Cluster]:
    """A PostgreSQL that a test may stop."""
    yield from _server(peer)


def _server(peer: Callable[[str], str]) -> Iterator[Cluster]:
    programs = binaries()
    server = Cluster(Path(peer("initdb" if programs is None else str(programs / "initdb"))).parent)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Give addresses of databases that are new, of either kind."""
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("cluster")
        return server.new_schema
    numbers = iter(range(100))
    return lambda: f"sqlite:///{tmp_path}/database-{next(numbers)}/capitate.db"


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Address of an empty database."""
    return new_url()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database."""
    with Store.open(url, folder=tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite, for what does not depend on the database."""
    with Store.open(f"sqlite:///{tmp_path}/capitate.db", folder=tmp_path / "store") as opened:
        yield opened
