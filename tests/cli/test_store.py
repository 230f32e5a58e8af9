"""`capitate store`: what it prints, how it ends, and that it never makes a store by accident."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy", reason="the extra serve is not installed")

from capitate.service.store import NewAssessment, Search, Store


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A service's folder with one assessment."""
    for name in ("FOLDER", "DATABASE", "RETENTION_DAYS"):
        monkeypatch.delenv(f"CAPITATE_{name}", raising=False)
    place = tmp_path / "service"
    with Store.open(f"sqlite:///{place}/capitate.db", folder=place) as store:
        record = store.assessments.create(NewAssessment(store.films.put(b"film", limit=9), "film.png"))
        store.assessments.cancel(record.id)
    return place


def opened(place):
    return Store.open(f"sqlite:///{place}/capitate.db", folder=place, migrate=False)


def test_a_backup_is_restored_into_a_new_folder(run, folder, tmp_path):
    archive, new = tmp_path / "b.zip", tmp_path / "new"
    written = run("store", "backup", archive, "--folder", folder)
    assert (written.code, written.err) == (0, "")
    assert written.out == f"assessments 1, films 1, other files 0 written to {archive}\n"
    assert run("store", "restore", archive, "--folder", new).code == 0
    with opened(new) as store:
        assert [one.film_name for one in store.assessments.search(Search()).records] == ["film.png"]
    again = run("store", "restore", archive, "--folder", new)
    assert again.code == 2
    assert "not empty" in again.err


def test_what_is_lost_is_told_by_check_and_backup(run, folder, tmp_path):
    assert run("store", "check", "--folder", folder).out == "problems 0\n"
    next((folder / "films").glob("*/*")).write_bytes(b"molf")
    assert run("store", "check", "--folder", folder, "--quick").code == 0
    found = run("store", "check", "--folder", folder)
    assert found.code == 1
    assert found.out.startswith("film_damaged: film ")
    written = run("store", "backup", tmp_path / "b.zip", "--folder", folder)
    assert written.code == 1
    assert "missing or damaged when it was written: films/" in written.out


def test_pruning_deletes_what_is_older(run, folder, monkeypatch):
    assert run("store", "prune", "--folder", folder).out == "assessments 0, films 0 (0 bytes) deleted\n"
    assert run("store", "prune", "--folder", folder, "--older-than", 1).out.startswith("assessments 0")
    assert run("store", "prune", "--folder", folder, "--older-than", 0).out == (
        "assessments 1, films 1 (4 bytes) deleted\n"
    )


def test_the_service_s_own_settings_hold(run, folder, monkeypatch):
    monkeypatch.setenv("CAPITATE_FOLDER", str(folder))
    monkeypatch.setenv("CAPITATE_RETENTION_DAYS", "0.0000001")
    assert run("store", "prune").out.startswith("assessments 1")


@pytest.mark.parametrize("words", [["check"], ["prune"], ["backup", "b.zip"]])
def test_a_wrong_folder_is_told_and_left_as_it_is(run, tmp_path, words):
    result = run("store", *words, "--folder", tmp_path / "typo")
    assert result.code == 2
    assert "no database lies at" in result.err
    assert not (tmp_path / "typo").exists()


def test_migrating_tells_the_version_without_a_password(run, tmp_path):
    result = run("store", "migrate", "--folder", tmp_path / "service")
    assert result.code == 0
    assert result.out.endswith("capitate.db: tables of version 0001\n")
    refused = run("store", "migrate", "--folder", tmp_path, "--database", "postgresql://u:secret@127.0.0.1:1/x")
    assert refused.code == 2
    assert "cannot be reached" in refused.err
    assert "secret" not in refused.err
