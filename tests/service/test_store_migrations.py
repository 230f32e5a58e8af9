"""Migrations give the tables of the models, once, however many processes start at the same time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text

from capitate.errors import StoreSchemaError, StoreUnavailableError
from capitate.service.store import Store
from capitate.service.store.migrating import HEAD_SCHEMA, alembic_settings
from capitate.service.store.tables import Base

OPEN = "import sys; from pathlib import Path; from capitate.service.store import Store; " + (
    "Store.open(sys.argv[1], folder=Path(sys.argv[2])).close(); print('open')"
)


def engine_of(url):
    return create_engine(make_url(url.replace("postgresql:", "postgresql+psycopg:")))


def test_migrations_give_exactly_the_tables_of_the_models(url, tmp_path):
    Store.open(url, folder=tmp_path / "store").close()
    engine = engine_of(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        there = inspect(connection)
        for table in Base.metadata.sorted_tables:
            names = {"pk_" + table.name, *(str(one.name) for one in table.foreign_key_constraints)}
            keys = {one["name"] for one in there.get_foreign_keys(table.name)}
            assert keys | {there.get_pk_constraint(table.name)["name"]} == names
            rules = {one["name"]: one["options"].get("ondelete") for one in there.get_foreign_keys(table.name)}
            assert rules == {one.name: one.ondelete for one in table.foreign_key_constraints}
    engine.dispose()


def test_several_processes_that_start_at_once_all_find_their_tables(url, tmp_path):
    command = [sys.executable, "-c", OPEN, url, str(tmp_path / "store")]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for one in several:
        out, err = one.communicate(timeout=120)
        assert (out, err) == ("open\n", "")


def test_without_migrating_the_tables_have_to_be_there(url, tmp_path):
    with pytest.raises(StoreSchemaError, match="run `capitate store migrate`"):
        Store.open(url, folder=tmp_path / "store", migrate=False)
    Store.open(url, folder=tmp_path / "store").close()
    Store.open(url, folder=tmp_path / "store", migrate=False).close()


@pytest.mark.parametrize("migrate", [True, False])
def test_tables_of_a_newer_program_are_left_alone(url, tmp_path, migrate):
    Store.open(url, folder=tmp_path / "store").close()
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreSchemaError, match="version 9999, which this program does not know"):
        Store.open(url, folder=tmp_path / "store", migrate=migrate)
    assert HEAD_SCHEMA != "9999"


def test_the_version_of_the_tables_is_that_of_the_last_migration():
    assert ScriptDirectory.from_config(alembic_settings()).get_heads() == [HEAD_SCHEMA]


def test_a_store_whose_tables_are_current_is_opened_without_alembic(url, tmp_path):
    Store.open(url, folder=tmp_path / "store").close()
    asked = f"{OPEN}; print('alembic' in sys.modules)"
    opened = subprocess.run(
        [sys.executable, "-c", asked, url, str(tmp_path / "store")], capture_output=True, text=True, check=True
    )
    assert opened.stdout == "open\nFalse\n"


def test_tables_that_vanish_are_named(store, url):
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE audit"))
    engine.dispose()
    with pytest.raises(StoreSchemaError, match="lacks tables"):
        store.audit.list()


@pytest.mark.peer
def test_a_server_that_cannot_hold_every_name_is_refused(cluster, tmp_path):
    with pytest.raises(StoreSchemaError, match="encoding is SQL_ASCII"):
        Store.open(cluster.new_database(encoding="SQL_ASCII"), folder=tmp_path / "store")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights otherwise")
def test_files_are_for_their_owner_alone(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/new/capitate.db", folder=tmp_path / "store") as store:
        film = store.films.put(b"x", limit=1)
        places = [tmp_path / "new/capitate.db", store.folder, store.films.path(film.sha256)]
        assert [oct(place.stat().st_mode)[-2:] for place in places] == ["00", "00", "00"]


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path):
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as refused:
        Store.open("postgresql://u:secret@127.0.0.1:1/x", folder=tmp_path / "store")
    assert "secret" not in str(refused.value)
