"""The HTTP interface on PostgreSQL: a film's whole story, and a server that is stopped and started meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .served import serving, settings_for

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def on_postgresql(own_cluster, stand_ins, film, tmp_path_factory):
    with serving(settings_for(tmp_path_factory.mktemp("service"), database=own_cluster.new_schema()), film) as one:
        yield one


def test_a_film_from_upload_to_deletion(on_postgresql):
    client = on_postgresql.client
    made = on_postgresql.made("hand.png", sex="female", child="c-7", birth_date="2010-02-03", study_date="2020-08-03")
    place = f"/v1/assessments/{made['id']}"
    assert (made["status"], client.get(place).json()) == ("done", made)
    change = {"grades": {"Radius": 4}, "by": "reader 2"}
    corrected = client.patch(f"{place}/grades", json=change, headers={"If-Match": '"1"'}).json()
    assert (corrected["revision"], corrected["has_corrections"]) == (2, True)
    late = client.patch(f"{place}/grades", json=change, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["current"]["revision"]) == (412, 2)
    undone = client.post(f"{place}/undo", headers={"If-Match": '"2"'}).json()
    assert undone["assessment"]["methods"] == made["assessment"]["methods"]
    assert [one["number"] for one in client.get(f"{place}/history").json()["items"]] == [1, 2, 3]
    found = {"text": "HAND", "child": "c-7", "sex": "female", "status": "done", "since": "2020-01-01"}
    assert [one["id"] for one in client.get("/v1/assessments", params=found).json()["items"]] == [made["id"]]
    assert client.get(f"{place}/report", params={"format": "text"}).text.startswith("hand.png")
    assert client.get(f"{place}/maps/bone_age.npz").status_code == 200
    assert client.delete(place).status_code == 204
    assert client.get(place).json()["code"] == "not_found"
    assert client.get("/v1/assessments", params=found).json()["items"] == []
    assert on_postgresql.service.store.check() == ()


def test_a_server_that_is_stopped_and_started_is_found_again(on_postgresql, own_cluster):
    """Requests are told to come back, the film in a worker waits with its result, and all goes on by itself."""
    import stand_in_work

    client, kept = on_postgresql.client, on_postgresql.made("kept.png")
    held = on_postgresql.send("held.png", wait=False).json()["id"]
    on_postgresql.until(held, lambda one: one["progress"] == "held")
    own_cluster.stop()
    try:
        Path(os.environ[stand_in_work.KNOWN], stand_in_work.RELEASE).touch()
        place = f"/v1/assessments/{kept['id']}"
        for answer in (
            client.get(place),
            client.get("/v1/assessments"),
            client.patch(f"{place}/grades", json={"grades": {"Radius": 4}}, headers={"If-Match": '"1"'}),
            client.delete(place),
            client.get("/ready"),
            on_postgresql.send("lost.png"),
            on_postgresql.send("lost.png", headers={"Idempotency-Key": "while-away"}),
        ):
            assert answer.status_code == 503, (answer.request.url, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "store_unavailable"
            assert "try again" in answer.json()["detail"]
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200
    finally:
        own_cluster.start()
    assert on_postgresql.until(held, lambda one: one.get("status") == "done")["revision"] == 1
    assert client.get(place).json() == kept
    assert client.get("/v1/assessments", params={"text": "lost"}).json()["items"] == []
    assert on_postgresql.made("again.png", headers={"Idempotency-Key": "while-away"})["status"] == "done"
    on_postgresql.service.prune()  # a film that was taken when the database had gone is left over until then
    assert on_postgresql.service.store.check() == ()
