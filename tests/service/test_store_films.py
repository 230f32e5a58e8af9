"""Films lie whole under their sha256, go with their last assessment, and never from under an upload."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from capitate.errors import (
    FilmTooLargeError,
    RecordNotFoundError,
    StoreDamagedError,
    StoreFullError,
    StoreReadOnlyError,
    UsageError,
)
from capitate.service.store import AuditAction, NewAssessment, Search, Store
from capitate.service.store.tables import AssessmentRow, HoldRow

from .stored import LIMIT, done, queued

FILM = b"bytes of a film"


def files(store: Store) -> list[str]:
    found = (path for path in store.folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(store.folder).as_posix() for path in found)


@pytest.mark.parametrize(
    "source", [FILM, io.BytesIO(FILM), iter([FILM[:4], b"", FILM[4:]])], ids=["bytes", "stream", "pieces"]
)
def test_a_film_lies_under_its_sha256(sqlite_store, source):
    film = sqlite_store.films.put(source, limit=len(FILM))
    digest = hashlib.sha256(FILM).hexdigest()
    assert (film.sha256, film.size) == (digest, len(FILM))
    assert files(sqlite_store) == [f"films/{digest[:2]}/{digest[2:]}"]
    assert sqlite_store.films.path(digest).read_bytes() == sqlite_store.films.read(digest) == FILM


def test_the_same_film_lies_there_once(store):
    one, two = queued(store, film=FILM), queued(store, film=FILM)
    assert one.film_sha256 == two.film_sha256
    assert len(files(store)) == 1


def test_a_film_beyond_the_limit_leaves_nothing(sqlite_store):
    with pytest.raises(FilmTooLargeError, match="more than 14 bytes"):
        sqlite_store.films.put(io.BytesIO(FILM), limit=len(FILM) - 1)
    assert files(sqlite_store) == []


def test_an_upload_that_stops_half_way_leaves_nothing(sqlite_store):
    def pieces():
        yield FILM
        raise ConnectionResetError("the client is gone")

    with pytest.raises(ConnectionResetError):
        sqlite_store.films.put(pieces(), limit=LIMIT)
    assert files(sqlite_store) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_name_that_is_no_sha256_becomes_no_path(sqlite_store, name):
    with pytest.raises(UsageError, match="named by its sha256"):
        sqlite_store.films.path(name)
    with pytest.raises(UsageError):
        sqlite_store.films.read(name)


def test_a_film_that_is_not_there_can_not_be_assessed(store):
    with pytest.raises(RecordNotFoundError, match="upload it"):
        store.films.ref("a" * 64)
    film = store.films.put(FILM, limit=LIMIT)
    store.films.release(film)
    assert files(store) == []
    with pytest.raises(RecordNotFoundError, match="upload it again"):
        store.assessments.create(NewAssessment(film, "film.png"))


def test_a_film_can_be_assessed_again(store):
    first = done(store, film=FILM)
    again = store.assessments.create(NewAssessment(store.films.ref(first.film_sha256), "film.png"))
    assert again.film_size == len(FILM)
    store.assessments.delete(first.id, by="reader")
    assert store.films.read(again.film_sha256) == FILM


def test_bytes_go_with_the_last_assessment(store):
    one, two, other = done(store, film=FILM), done(store, film=FILM), done(store, film=b"other")
    store.assessments.delete(one.id, by="reader")
    assert store.films.read(one.film_sha256) == FILM
    store.assessments.delete(two.id, by="reader")
    assert files(store) == [store.films.path(other.film_sha256).relative_to(store.folder).as_posix()]
    with pytest.raises(StoreDamagedError, match="is missing"):
        store.films.read(two.film_sha256)
    with pytest.raises(RecordNotFoundError):
        store.assessments.get(two.id)


def test_bytes_stay_while_an_upload_waits_for_its_assessment(store):
    first = done(store, film=FILM)
    film = store.films.put(FILM, limit=LIMIT)
    store.assessments.delete(first.id, by="reader")
    second = store.assessments.create(NewAssessment(film, "film.png"))
    assert store.films.read(second.film_sha256) == FILM
    store.assessments.delete(second.id, by="reader")
    assert files(store) == []


def test_uploads_and_deletions_of_one_film_at_once_never_lose_it(store):
    """Every assessment that was acknowledged has its film until it is deleted itself."""
    ids: list[str] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        for _ in range(6):
            record = queued(store, film=FILM)
            assert store.films.read(record.film_sha256) == FILM
            with lock:
                ids.append(record.id)
                mine = ids.pop(0) if number % 2 else None
            if mine is not None:
                store.assessments.delete(mine, by=f"worker {number}")

    with ThreadPoolExecutor(6) as several:
        list(several.map(work, range(6)))
    assert len(ids) == 18
    assert store.check() == ()
    for one in ids:
        store.assessments.delete(one, by="end")
    assert files(store) == []


def test_a_changed_or_lost_film_is_noticed(store):
    one, two, three = (done(store, film=film) for film in (b"one", b"two", b"three"))
    store.artifacts.put(three.id, "map.png", b"map")
    assert store.check() == ()
    store.films.path(one.film_sha256).write_bytes(b"eno")
    store.films.path(two.film_sha256).unlink()
    next((store.folder / "artifacts" / three.id).iterdir()).write_bytes(b"mapp")
    with pytest.raises(StoreDamagedError, match="were changed"):
        store.films.read(one.film_sha256)
    with pytest.raises(StoreDamagedError, match="assess the film again"):
        store.artifacts.get(three.id, "map.png")
    stranger = store.folder / "films" / "ab" / "stranger"
    stranger.parent.mkdir(exist_ok=True)
    stranger.touch()
    os.utime(stranger, (0, 0))
    told = {(problem.code, problem.assessment_ids) for problem in store.check()}
    expected = {
        ("film_damaged", (one.id,)),
        ("film_missing", (two.id,)),
        ("artifact_damaged", (three.id,)),
        ("unknown_file", ()),
    }
    assert told == expected
    assert {problem.code for problem in store.check(contents=False)} == {code for code, _ in expected} - {
        "film_damaged"
    }


def test_uploading_a_damaged_film_again_mends_it(store):
    record = done(store, film=FILM)
    store.films.path(record.film_sha256).write_bytes(b"broken")
    store.films.release(store.films.put(FILM, limit=LIMIT))
    assert store.films.read(record.film_sha256) == FILM


def age(store: Store, table: type, **values: datetime) -> None:
    """Make rows old."""
    with store._database.writing() as session:
        session.execute(update(table).values(**values))


def test_retention_deletes_what_is_old_and_over(store):
    old, waiting = done(store, film=FILM), queued(store, film=b"waiting")
    store.artifacts.put(old.id, "map.png", b"map")
    age(store, AssessmentRow, created_at=datetime.now(UTC) - timedelta(days=31))
    young = done(store, film=b"young")
    pruned = store.prune(older_than=datetime.now(UTC) - timedelta(days=30))
    assert (pruned.assessments, pruned.films, pruned.film_bytes) == (1, 1, len(FILM))
    assert [one.id for one in store.assessments.search(Search()).records] == [young.id, waiting.id]
    assert len(files(store)) == 2
    assert [(one.who, one.what) for one in store.audit.list()] == [("retention", AuditAction.DELETE)]
    assert store.prune(older_than=datetime.now(UTC) - timedelta(days=30)).assessments == 0


def test_pruning_removes_what_broken_uploads_left(store):
    store.films.put(FILM, limit=LIMIT)
    left = store.folder / "incoming" / "killed.part"
    left.write_bytes(b"half")
    ghost = store.folder / "artifacts" / ("0" * 26)
    ghost.mkdir(parents=True)
    assert store.prune().films == 0, "an upload may be under way"
    assert left.exists()
    age(store, HoldRow, expires_at=datetime.now(UTC))
    os.utime(left, (0, 0))
    assert store.prune().films == 1
    assert files(store) == []
    assert not ghost.exists()


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
        (errno.EROFS, StoreReadOnlyError),
        (errno.EACCES, StoreReadOnlyError),
    ],
)
@pytest.mark.parametrize("call", ["os.write", "os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_takes_no_more_is_told_in_words(sqlite_store, monkeypatch, call, number, error):
    with monkeypatch.context() as faulty:
        faulty.setattr(call, lambda *_: (_ for _ in ()).throw(OSError(number, os.strerror(number))))
        with pytest.raises(error, match="nothing was stored"):
            sqlite_store.films.put(FILM, limit=LIMIT)
    assert files(sqlite_store) == []
    assert sqlite_store.films.unused() == []


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "capitate-test", place]
    if os.name == "nt" or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.peer
def test_a_really_full_disk_is_told_in_words_and_the_store_lives_on(small_disk, tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/capitate.db", folder=small_disk / "store") as store:
        kept = done(store, film=FILM)
        with pytest.raises(StoreFullError, match="has no room left"):
            store.films.put(os.urandom(1 << 20), limit=1 << 21)
        assert store.check() == ()
        assert store.films.read(kept.film_sha256) == FILM
        done(store, film=b"small")


@pytest.mark.peer
def test_a_database_on_a_full_disk_is_told_in_words_and_lives_on(small_disk, tmp_path):
    with Store.open(f"sqlite:///{small_disk}/capitate.db", folder=tmp_path / "store") as store:
        kept = done(store, film=FILM)
        with pytest.raises(StoreFullError, match="has no room left"):
            for number in range(2000):
                store.audit.write("reader", AuditAction.READ, detail={"filled": "x" * 4000, "number": number})
        assert store.assessments.get(kept.id) == kept
        assert store.check() == ()


def test_a_database_that_may_not_be_written_is_told_in_words(sqlite_store):
    sqlite_store.films.put(FILM, limit=LIMIT)
    sqlite_store._database.close()
    from sqlalchemy import event

    event.listen(sqlite_store._database.engine, "connect", lambda one, _: one.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreReadOnlyError, match="may not be written"):
        sqlite_store.films.put(b"another", limit=LIMIT)
    assert len(files(sqlite_store)) == 1
