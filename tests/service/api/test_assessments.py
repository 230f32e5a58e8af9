"""Assessments over HTTP: made at once or as a job, found, corrected, shown, deleted."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace

import httpx
import numpy as np
import pytest
from PIL import Image

from capitate import files


@pytest.fixture(scope="module")
def record(served):
    return served.made("hand.png", sex="female", child="c-1", birth_date="2010-02-03", study_date="2020-08-03")


def test_a_film_is_waited_for(served, record):
    assert (record["status"], record["revision"], record["progress"]) == ("done", 1, None)
    assert record["assessment"]["schema"] == "capitate.assessment/1"
    assert record["bone_age_text"] == record["assessment"]["bone_age"]["text"]
    assert record["interval"]["low"] < record["bone_age_months"] < record["interval"]["high"]
    assert (record["sex"], record["child"], record["birth_date"]) == ("female", "c-1", "2010-02-03")
    answer = served.client.get(f"/v1/assessments/{record['id']}")
    assert answer.json() == record
    assert answer.headers["etag"] == '"1"'


def test_a_film_may_be_a_job(served):
    answer = served.send(wait=False)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/assessments/{answer.json()['id']}"
    assert served.until(answer.json()["id"], lambda one: one["status"] == "done")["revision"] == 1


def test_a_slow_film_is_answered_before_it_is_done_and_can_be_cancelled(served, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(served.service, "settings", replace(served.service.settings, wait_seconds=0.1))
        answer = served.send("slow.png")
    assert answer.status_code == 202
    place = f"/v1/assessments/{answer.json()['id']}"
    served.until(answer.json()["id"], lambda one: one["progress"] == "bone_age")
    assert served.client.get(f"{place}/report").json()["code"] == "not_there_yet"
    before = served.service.jobs.worker_pids
    assert served.client.post(f"{place}/cancel").json()["status"] == "cancelled"
    done = served.made()
    late = served.client.post(f"/v1/assessments/{done['id']}/cancel")
    assert (done["status"], late.status_code, late.json()["code"]) == ("done", 409, "not_running")
    assert served.service.jobs.worker_pids != before


def test_deleting_a_running_film_ends_the_work(served):
    answer = served.send("slow.png", wait=False)
    place = f"/v1/assessments/{answer.json()['id']}"
    served.until(answer.json()["id"], lambda one: one["status"] == "running")
    assert served.client.delete(place).status_code == 204
    assert served.client.get(place).status_code == 404
    assert served.made()["status"] == "done"


def test_a_film_that_cannot_be_read_is_refused(served):
    refused = served.made("broken.png", film=served.film[:1000])
    assert (refused["status"], refused["error_code"]) == ("refused", "corrupt_file")
    assert refused["assessment"]["error"]["code"] == "corrupt_file"
    report = served.client.get(f"/v1/assessments/{refused['id']}/report")
    assert report.status_code == 200
    assert "corrupt_file" in report.text
    assert served.client.get(f"/v1/assessments/{refused['id']}/film/preview").json()["code"] == "drawing_failed"


@pytest.mark.parametrize(("name", "code"), [("dies.png", "worker_died"), ("faulty.png", "fault")])
def test_a_worker_that_fails_fails_one_film_only(served, name, code):
    failed = served.made(name)
    assert (failed["status"], failed["error_code"]) == ("failed", code)
    assert "Jane" not in failed["error_message"]
    assert served.made()["status"] == "done"


def test_the_same_key_gets_the_same_answer(served):
    first = served.send("key.png", headers={"Idempotency-Key": "k-1"})
    again = served.send("key.png", headers={"Idempotency-Key": "k-1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    other = served.send("key.png", sex="male", headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert len(served.client.get("/v1/assessments", params={"text": "key.png"}).json()["items"]) == 1


def test_a_key_in_use_is_a_conflict(served):
    with httpx.Client(base_url=served.url, timeout=60) as other:
        import threading

        given = {"files": {"film": ("slow.png", served.film)}, "headers": {"Idempotency-Key": "k-2"}}
        thread = threading.Thread(target=other.post, args=("/v1/assessments",), kwargs=given)
        thread.start()
        running = {"status": ["queued", "running"]}
        deadline = 500
        while not (items := served.client.get("/v1/assessments", params=running).json()["items"]) and deadline:
            deadline -= 1
        answer = served.send("slow.png", headers={"Idempotency-Key": "k-2"})
        assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
        served.client.post(f"/v1/assessments/{items[0]['id']}/cancel")
        thread.join(30)


def test_lists_are_searched_and_come_in_pages(served):
    ids = [served.made(f"page-{number}.png", child="c-pages")["id"] for number in range(3)]
    first = served.client.get("/v1/assessments", params={"child": "c-pages", "limit": 2}).json()
    second = served.client.get(
        "/v1/assessments", params={"child": "c-pages", "limit": 2, "cursor": first["next"]}
    ).json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    assert "assessment" not in first["items"][0]
    assert first["items"][0]["bone_age_text"]
    found = served.client.get("/v1/assessments", params={"text": "PAGE-1", "status": "done", "since": "2020-01-01"})
    assert [one["id"] for one in found.json()["items"]] == [ids[1]]
    none = served.client.get("/v1/assessments", params={"child": "c-pages", "until": "2020-01-01T00:00:00+01:00"})
    assert none.json()["items"] == []


def test_a_correction_changes_the_score_and_can_be_undone(served):
    made = served.made("correct.png")
    place = f"/v1/assessments/{made['id']}"
    change = {"grades": {"Radius": 4, "Ulna": None}, "by": "reader 2"}
    corrected = served.client.patch(f"{place}/grades", json=change, headers={"If-Match": '"1"'})
    assert corrected.status_code == 200, corrected.text
    new = corrected.json()
    assert (new["revision"], new["has_corrections"], corrected.headers["etag"]) == (2, True, '"2"')
    assert new["assessment"]["methods"] != made["assessment"]["methods"]
    radius = next(one for one in new["assessment"]["joints"] if one["name"] == "Radius")
    assert (radius["grade"]["value"], radius["grade"]["corrected_by"]) == (4, "reader 2")
    late = served.client.patch(f"{place}/grades", json=change, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert late.json()["current"]["revision"] == 2
    undone = served.client.post(f"{place}/undo", headers={"If-Match": '"2"'}).json()
    assert (undone["revision"], undone["assessment"]["methods"]) == (3, made["assessment"]["methods"])
    steps = served.client.get(f"{place}/history").json()["items"]
    assert [(one["number"], one["by"], one["restores"]) for one in steps] == [
        (1, "machine", None), (2, "reader 2", None), (3, "reader", 1),
    ]  # fmt: skip
    assert steps[1]["change"] == {"grades": {"Radius": 4, "Ulna": None}}


def test_a_film_is_assessed_again_with_other_facts(served, record):
    again = served.client.post(f"/v1/assessments/{record['id']}/reassess", json={"sex": "male"})
    assert again.status_code == 201
    assert (again.json()["sex"], again.json()["film_sha256"]) == ("male", record["film_sha256"])
    assert again.json()["child"] == "c-1"
    assert again.json()["id"] != record["id"]


def test_the_film_and_its_pixels(served, record, film, tmp_path):
    place = f"/v1/assessments/{record['id']}/film"
    given = served.client.get(place)
    assert given.content == film
    assert given.headers["content-disposition"].startswith("attachment")
    answer = served.client.get(f"{place}/pixels", headers={"Accept-Encoding": "identity"})
    shape = int(answer.headers["x-film-height"]), int(answer.headers["x-film-width"])
    levels = np.frombuffer(answer.content, "<u2").reshape(shape)
    (tmp_path / "film.png").write_bytes(film)
    assert np.allclose(levels / 65535, files.read(tmp_path / "film.png").pixels, atol=1e-4)
    with served.client.stream("GET", f"{place}/pixels", headers={"Accept-Encoding": "gzip"}) as packed:
        assert gzip.decompress(b"".join(packed.iter_raw())) == answer.content
    preview = Image.open(io.BytesIO(served.client.get(f"{place}/preview", params={"size": 64}).content))
    assert max(preview.size) == 64


def test_crops_and_drawings_of_grades(served, record):
    crop = served.client.get(f"/v1/assessments/{record['id']}/joints/Radius/crop", params={"size": 96})
    assert Image.open(io.BytesIO(crop.content)).size == (96, 96)
    nowhere = served.client.get(f"/v1/assessments/{record['id']}/joints/Elbow/crop")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    joints = {one["name"]: one for one in served.client.get("/v1/joints").json()["items"]}
    assert len(joints) == 13
    assert joints["Radius"]["last_grade"] == 14
    assert (joints["Ulna"]["stages"][0], joints["Ulna"]["stages"][-1]) == ("A", "H")
    drawing = served.client.get("/v1/joints/Radius/stages/14", params={"size": 64})
    assert Image.open(io.BytesIO(drawing.content)).size == (64, 64)
    beyond = served.client.get("/v1/joints/Radius/stages/15")
    assert (beyond.status_code, beyond.json()["code"]) == (422, "invalid_grade")


def test_maps_are_listed_and_given(served, record):
    place = f"/v1/assessments/{record['id']}/maps"
    (one,) = served.client.get(place).json()["items"]
    assert one == {
        "kind": "bone_age",
        "picture": "bone_age.png",
        "layer": "bone_age.layer.png",
        "array": "bone_age.npz",
    }
    array = np.load(io.BytesIO(served.client.get(f"{place}/{one['array']}").content), allow_pickle=False)
    assert array["values"].ndim == 2
    assert served.client.get(f"{place}/..%2f..%2fcapitate.db").status_code == 404
    bare = served.made("bare.png", maps="false")
    assert served.client.get(f"/v1/assessments/{bare['id']}/maps").json()["items"] == []


@pytest.mark.parametrize(
    ("form", "kind", "starts"),
    [
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("pdf", "application/pdf", b"%PDF-"),
        ("text", "text/plain; charset=utf-8", b"hand.png"),
        ("json", "application/json", b"{"),
        ("csv", "text/csv; charset=utf-8", b"path,sex,"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_reports_in_every_form(served, record, form, kind, starts, lang):
    report = served.client.get(f"/v1/assessments/{record['id']}/report", params={"format": form, "lang": lang})
    assert report.status_code == 200, report.text
    assert report.headers["content-type"] == kind
    assert starts.lower() in report.content[:200].lower()
    assert record["id"] in report.headers["content-disposition"]


def test_an_html_report_may_not_run_scripts(served, record):
    policy = served.client.get(f"/v1/assessments/{record['id']}/report").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy


def test_a_deleted_film_is_gone(served):
    unlike = Image.effect_noise((200, 300), 40)
    stream = io.BytesIO()
    unlike.save(stream, format="PNG")
    made = served.made("gone.png", film=stream.getvalue())
    path = served.service.store.films.path(made["film_sha256"])
    assert path.exists()
    place = f"/v1/assessments/{made['id']}"
    assert served.client.delete(place).status_code == 204
    assert not path.exists()
    for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/film"), ("GET", "/report"), ("GET", "/history")):
        answer = served.client.request(method, place + rest)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_was_done_is_in_the_audit_log_without_names(served):
    made = served.made("Jane Doe.png", child="child-77")
    served.client.get(f"/v1/assessments/{made['id']}/report", params={"format": "text"})
    served.client.patch(
        f"/v1/assessments/{made['id']}/grades", json={"grades": {"Radius": 5}}, headers={"If-Match": '"1"'}
    )
    entries = served.service.store.audit.list(assessment_id=made["id"])
    assert {entry.what.value for entry in entries} == {"create", "report", "correct"}
    assert {entry.who for entry in entries} == {"local"}
    told = json.dumps([dict(entry.detail) for entry in entries])
    assert "Jane" not in told
    assert "child-77" not in told
