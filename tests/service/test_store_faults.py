"""Killed processes and stopped servers: what was acknowledged stays, and the store goes on by itself."""

from __future__ import annotations

import threading

import pytest

from capitate.errors import StoreUnavailableError
from capitate.service.store import Search, Store

from .killing import kill_writers
from .stored import done, queued


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(url, tmp_path):
    tally = kill_writers(url, tmp_path / "store", rounds=3, seed=6)
    assert (tally.kills, tally.lost, tally.problems) == (3, [], [])
    assert tally.acknowledged > 10
    with Store.open(url, folder=tmp_path / "store") as store:
        store.prune()
        for record in list(_all(store)):
            store.assessments.delete(record.id, by="end")
        assert store.assessments.search(Search()).records == ()


def _all(store):
    cursor, more = None, True
    while more:
        page = store.assessments.search(Search(cursor=cursor))
        yield from page.records
        cursor, more = page.next_cursor, page.next_cursor is not None


@pytest.mark.peer
def test_a_server_that_is_stopped_and_started_is_found_again(own_cluster, tmp_path):
    with Store.open(own_cluster.new_schema(), folder=tmp_path / "store") as store:
        kept = done(store)
        own_cluster.stop()
        for step in (store.ready, lambda: queued(store), lambda: store.assessments.get(kept.id)):
            with pytest.raises(StoreUnavailableError, match="nothing was stored, try again"):
                step()
        own_cluster.start()
        store.ready()
        assert store.assessments.get(kept.id) == kept
        assert done(store).revision == 1
        assert store.check() == ()


def test_a_writer_that_waits_too_long_is_told_to_try_again(sqlite_store, monkeypatch):
    from sqlalchemy import event

    event.listen(sqlite_store._database.engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout = 50"))
    sqlite_store._database.close()
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite_store._database.writing() as session:
            session.connection()
            held.set()
            end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(30)
        with pytest.raises(StoreUnavailableError, match="busy"):
            queued(sqlite_store)
        assert sqlite_store.assessments.search(Search()).records == (), "reading goes on meanwhile"
    finally:
        end.set()
        holder.join()
    queued(sqlite_store)
