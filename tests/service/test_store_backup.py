"""Backups: everything at one moment, in one file, into an empty store of either database, or nothing at all."""

from __future__ import annotations

import json
import threading
import zipfile
from contextlib import suppress

import pytest

from capitate.errors import BackupError, RecordNotFoundError, StoreFullError
from capitate.service.store import AuditAction, Search, Status, Store
from capitate.service.store.archive import FORMAT

from .stored import answer, done, queued


def filled(store: Store) -> None:
    """Put something of everything into a store."""
    one = done(store, film=b"one", name="手 \x00.png", child="A-1", months=100)
    changed = answer(months=101, by="reader")
    store.assessments.revise(one.id, expected_revision=1, assessment=changed, by="reader", change={"Radius": 9})
    store.assessments.undo(one.id, expected_revision=2, by="reader")
    store.artifacts.put(one.id, "map.png", b"map")
    store.artifacts.put(one.id, "copy.png", b"map")
    done(store, film=b"one")
    store.assessments.fail(queued(store, film=b"two").id, code="timeout", message="It took too long.")
    queued(store, film=b"three")
    store.audit.write("reader", AuditAction.REPORT, assessment_id=one.id, detail={"format": "pdf"})


def everything(store: Store) -> list[object]:
    """All that can be read from a store."""
    records = [store.assessments.get(one.id) for one in store.assessments.search(Search()).records]
    told: list[object] = [*records, *store.audit.list()]
    for one in records:
        told += [store.films.read(one.film_sha256), *store.assessments.history(one.id)]
        told += [(name, store.artifacts.get(one.id, name)) for name in store.artifacts.names(one.id)]
    return told


@pytest.fixture
def archive(store, tmp_path):
    filled(store)
    path = tmp_path / "backup.zip"
    done = store.backup(path)
    assert (done.assessments, done.films, done.artifacts, done.lacking) == (4, 3, 1, ())
    return path


def test_a_restored_store_is_the_same(store, archive, new_url, tmp_path):
    with Store.open(new_url(), folder=tmp_path / "again") as again:
        done = again.restore(archive)
        assert (done.assessments, done.films, done.artifacts) == (4, 3, 1)
        assert everything(again) == everything(store)
        assert again.check() == ()
        queued(again)


@pytest.mark.peer
def test_a_backup_moves_from_sqlite_to_postgresql_and_back(sqlite_store, cluster, tmp_path):
    filled(sqlite_store)
    sqlite_store.backup(tmp_path / "1.zip")
    with Store.open(cluster.new_schema(), folder=tmp_path / "2") as second:
        second.restore(tmp_path / "1.zip")
        assert everything(second) == everything(sqlite_store)
        second.backup(tmp_path / "2.zip")
    with Store.open(f"sqlite:///{tmp_path}/third.db", folder=tmp_path / "3") as third:
        third.restore(tmp_path / "2.zip")
        assert everything(third) == everything(sqlite_store)


def test_a_backup_is_one_moment_while_the_service_goes_on(store, new_url, tmp_path):
    """Whatever is uploaded, changed and deleted meanwhile, the copy is whole and its films are there."""
    for number in range(5):
        done(store, film=f"film {number}".encode())
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            record = done(store, film=f"film {number % 9}".encode())
            with suppress(RecordNotFoundError):  # the other worker was quicker
                store.artifacts.put(record.id, "map.png", b"map")
                store.assessments.delete(store.assessments.search(Search(limit=10)).records[-1].id, by="worker")

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        paths = [tmp_path / f"{number}.zip" for number in range(3)]
        written = [store.backup(path) for path in paths]
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert [one.lacking for one in written] == [(), (), ()]
    for number, path in enumerate(paths):
        with Store.open(new_url(), folder=tmp_path / f"again-{number}") as again:
            assert again.restore(path).assessments == written[number].assessments
            assert again.check() == ()
    store.prune()
    assert store.check() == ()


def test_a_backup_never_replaces_a_file(store, archive):
    before = archive.read_bytes()
    with pytest.raises(BackupError, match="is there already"):
        store.backup(archive)
    assert archive.read_bytes() == before


def test_what_was_lost_before_is_told_and_the_rest_kept(store, new_url, tmp_path):
    lost, kept = done(store, film=b"lost"), done(store, film=b"kept")
    store.films.path(lost.film_sha256).unlink()
    lacking = store.backup(tmp_path / "b.zip").lacking
    assert lacking == (f"films/{lost.film_sha256}",)
    with Store.open(new_url(), folder=tmp_path / "again") as again:
        assert again.restore(tmp_path / "b.zip").lacking == lacking
        assert again.films.read(kept.film_sha256) == b"kept"
        assert [problem.code for problem in again.check()] == ["film_missing"]


def test_nothing_is_restored_over_something(store, archive):
    before = everything(store)
    with pytest.raises(BackupError, match="not empty"):
        store.restore(archive)
    assert everything(store) == before
    assert store.check() == ()


def rewritten(source, target, change):
    """Copy an archive with its members changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        change(members)
        for name, content in members.items():
            new.writestr(name, content)
    return target


def first(members, folder):
    return next(name for name in members if name.startswith(folder))


def lose_a_film(members):
    del members[first(members, "films/")]


def change_a_film(members):
    members[first(members, "films/")] = b"eno"


def change_a_row(members):
    members["tables/assessments.jsonl"] = members["tables/assessments.jsonl"].replace(b'"done"', b'"gone"')


def lose_a_table(members):
    del members["tables/revisions.jsonl"]


def lose_the_manifest(members):
    del members["manifest.json"]


def set_the_manifest(archive, **values):
    archive["manifest.json"] = json.dumps({**json.loads(archive["manifest.json"]), **values}).encode()


def another_format(members):
    set_the_manifest(members, format="capitate-backup/9")


def a_path_outside(members):
    told = json.loads(members["manifest.json"])["members"]
    set_the_manifest(members, members={**told, "films/../../../../evil": {"sha256": "0" * 64, "size": 1}})


FAULTS = (lose_a_film, change_a_film, change_a_row, lose_a_table, lose_the_manifest, another_format, a_path_outside)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_backup_restores_nothing(sqlite_store, tmp_path, fault):
    filled(sqlite_store)
    sqlite_store.backup(tmp_path / "good.zip")
    with Store.open(f"sqlite:///{tmp_path}/again.db", folder=tmp_path / "again") as again:
        with pytest.raises(BackupError):
            again.restore(rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", fault))
        assert again.assessments.search(Search()).records == ()
        assert [path for path in again.folder.rglob("*") if path.is_file()] == []
        again.restore(tmp_path / "good.zip")
        assert everything(again) == everything(sqlite_store)


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04 half"])
def test_what_is_no_backup_is_refused(sqlite_store, tmp_path, content):
    path = tmp_path / "none.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BackupError, match="backup"):
        sqlite_store.restore(path)


def test_a_backup_cut_short_is_refused(sqlite_store, tmp_path):
    filled(sqlite_store)
    sqlite_store.backup(tmp_path / "good.zip")
    whole = (tmp_path / "good.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with Store.open(f"sqlite:///{tmp_path}/again.db", folder=tmp_path / "again") as again, pytest.raises(BackupError):
        again.restore(tmp_path / "cut.zip")


def test_a_backup_without_room_leaves_nothing(sqlite_store, tmp_path, monkeypatch):
    filled(sqlite_store)
    place = tmp_path / "backups"
    place.mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("capitate.service.store.backup.os.fsync", full)
    with pytest.raises(StoreFullError, match="no room left"):
        sqlite_store.backup(place / "b.zip")
    assert list(place.iterdir()) == []


def test_the_form_of_a_backup_is_documented_by_its_manifest(archive):
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        assert opened.testzip() is None
        assert set(opened.namelist()) == {"manifest.json", *manifest["members"]}
    assert manifest["format"] == FORMAT
    assert manifest["tables_version"] == "0001"


def test_what_ran_is_queued_again_in_the_restored_store(store, new_url, tmp_path):
    running = store.assessments.start(queued(store).id)
    store.backup(tmp_path / "b.zip")
    with Store.open(new_url(), folder=tmp_path / "again") as again:
        again.restore(tmp_path / "b.zip")
        assert again.assessments.requeue_interrupted() == [running.id]
        assert again.assessments.get(running.id).status is Status.QUEUED
