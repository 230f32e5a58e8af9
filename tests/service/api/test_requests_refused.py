"""Bad requests: each is answered with a problem document that says what to do, and nothing is stored."""

from __future__ import annotations

import io
import json
import socket
import time
import zipfile
from urllib.parse import urlsplit

import pytest

from capitate.service.problems import PROBLEMS, ProblemCode

UNKNOWN = "/v1/assessments/01ARZ3NDEKTSV4RRFFQ69G5FAV"
LARGE = b"\x89PNG" + bytes(3_000_000)
HALF = b'--b\r\nContent-Disposition: form-data; name="film"; filename="a.png"\r\n\r\nhalf a film'
FORM = "multipart/form-data; boundary=b"


def problem(answer, status: int, code: str) -> dict:
    """The problem document of an answer, checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["code"], told["type"]) == (status, code, f"/problems/{code}")
    assert told["title"]
    assert len(told["detail"]) > 20
    assert told["instance"] == answer.request.url.path
    return told


@pytest.fixture
def stored(served):
    """How many assessments there are."""

    def count() -> int:
        return len(served.client.get("/v1/assessments", params={"limit": 200}).json()["items"])

    return count


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"content": b"film", "headers": {"Content-Type": "image/png"}}, 415, "unsupported_media_type"),
        ({"json": {"film": "hand.png"}}, 415, "unsupported_media_type"),
        ({"content": b"", "headers": {"Content-Type": FORM}}, 400, "invalid_upload"),
        ({"content": b"--b\r\nnonsense", "headers": {"Content-Type": FORM}}, 400, "invalid_upload"),
        ({"content": HALF, "headers": {"Content-Type": FORM}}, 400, "invalid_upload"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "invalid_upload"),
        ({"files": {"picture": ("a.png", b"x")}}, 422, "invalid_request"),
        ({"data": {"film": "text"}, "files": {"other": ("a", b"x")}}, 422, "invalid_request"),
        ({"files": {"film": ("a.png", b"x")}, "data": {"sex": "girl"}}, 422, "invalid_request"),
        ({"files": {"film": ("a.png", b"x")}, "data": {"birth_date": "yesterday"}}, 422, "invalid_request"),
        ({"files": {"film": ("a.png", b"x")}, "data": {"age_years": "nan"}}, 422, "invalid_request"),
        ({"files": {"film": ("a.png", b"x")}, "data": {"patient": "Jane"}}, 422, "invalid_request"),
        ({"files": {"film": ("a.png", LARGE)}}, 413, "too_large"),
        ({"files": {"film": ("a.png", b"x")}, "headers": {"Idempotency-Key": "k" * 300}}, 422, "invalid_request"),
    ],
)
def test_uploads(served, stored, given, status, code):
    before = stored()
    told = problem(served.client.post("/v1/assessments", **given), status, code)
    assert "Jane" not in told["detail"]
    assert stored() == before


def test_dates_out_of_order(served):
    told = problem(served.send(birth_date="2020-01-01", study_date="2019-01-01"), 422, "invalid_request")
    assert "before the birth date" in told["detail"]


def test_a_film_without_end_is_refused_while_it_comes(served, stored):
    """Nothing announces the length, so that bytes have to be counted."""
    before = stored()

    def body():
        yield b'--b\r\nContent-Disposition: form-data; name="film"; filename="a.png"\r\n\r\n'
        for _ in range(400):
            yield bytes(10_000)

    answer = served.client.post("/v1/assessments", content=body(), headers={"Content-Type": FORM})
    problem(answer, 413, "too_large")
    assert stored() == before


def test_an_upload_that_breaks_off_leaves_nothing(served, stored, log):
    before, lines = stored(), len(log.lines)
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port)) as line:
        head = f"POST /v1/assessments HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: {FORM}\r\nContent-Length: 90000"
        part = '--b\r\nContent-Disposition: form-data; name="film"; filename="a.png"\r\n\r\n'
        line.sendall(f"{head}\r\n\r\n{part}".encode() + bytes(40_000))
    deadline = time.monotonic() + 30
    while not any("broke off" in one for one in log.lines[lines:]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert stored() == before
    assert not [one for one in log.lines[lines:] if one.startswith(("ERROR", "WARNING"))]
    assert not [path for path in (served.service.settings.folder / "incoming").glob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""), ("DELETE", ""), ("GET", "/history"), ("GET", "/film"), ("GET", "/film/pixels"),
        ("GET", "/film/preview"), ("GET", "/report"), ("GET", "/maps"), ("GET", "/maps/bone_age.png"),
        ("GET", "/joints/Radius/crop"), ("POST", "/cancel"), ("POST", "/reassess"), ("POST", "/undo"),
        ("PATCH", "/grades"),
    ],
)  # fmt: skip
def test_an_unknown_id(served, method, rest):
    body = {"grades": {"Radius": 3}} if method == "PATCH" else {} if method == "POST" else None
    problem(served.client.request(method, UNKNOWN + rest, json=body, headers={"If-Match": '"1"'}), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"grades": {"Radius": 15}}, {"If-Match": '"1"'}, 422, "invalid_grade"),
        ({"grades": {"Radius": -1}}, {"If-Match": '"1"'}, 422, "invalid_grade"),
        ({"grades": {"Elbow": 3}}, {"If-Match": '"1"'}, 422, "invalid_grade"),
        ({"clear": ["Radius"]}, {"If-Match": '"1"'}, 422, "invalid_grade"),
        ({"grades": {"Radius": 3}, "clear": ["Radius"]}, {"If-Match": '"1"'}, 422, "invalid_request"),
        ({"grades": {"Radius": 2.5}}, {"If-Match": '"1"'}, 422, "invalid_request"),
        ({"grades": {"Radius": 3}, "by": " "}, {"If-Match": '"1"'}, 422, "invalid_request"),
        ({"grade": {"Radius": 3}}, {"If-Match": '"1"'}, 422, "invalid_request"),
        ({}, {"If-Match": '"1"'}, 422, "invalid_request"),
        ({"grades": {"Radius": 3}}, {}, 428, "revision_needed"),
        ({"grades": {"Radius": 3}}, {"If-Match": "now"}, 422, "invalid_request"),
        ({"grades": {"Radius": 3}}, {"If-Match": '"7"'}, 412, "changed_meanwhile"),
    ],
)
def test_corrections(served, made, body, headers, status, code):
    answer = served.client.patch(f"/v1/assessments/{made['id']}/grades", json=body, headers=headers)
    problem(answer, status, code)
    assert served.client.get(f"/v1/assessments/{made['id']}").json()["revision"] == 1


def test_nothing_to_undo(served, made):
    problem(
        served.client.post(f"/v1/assessments/{made['id']}/undo", headers={"If-Match": '"1"'}), 409, "not_correctable"
    )


@pytest.fixture(scope="module")
def made(served):
    return served.made("refused.png")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/assessments", 404, "not_found"),
        ("PUT", "/v1/assessments", 405, "method_not_allowed"),
        ("GET", "/v1/assessments?status=perhaps", 422, "invalid_request"),
        ("GET", "/v1/assessments?cursor=nonsense", 422, "invalid_request"),
        ("GET", "/v1/assessments?limit=0", 422, "invalid_request"),
        ("GET", "/v1/assessments?since=yesterday", 422, "invalid_request"),
        ("GET", "/problems/none", 404, "not_found"),
        ("GET", "/v1/joints/Elbow/stages/1", 422, "invalid_grade"),
    ],
)
def test_addresses_and_questions(served, method, path, status, code):
    problem(served.client.request(method, path), status, code)


def test_a_body_that_is_no_json(served, made):
    headers = {"If-Match": '"1"', "Content-Type": "application/json"}
    problem(
        served.client.patch(f"/v1/assessments/{made['id']}/grades", content=b"{", headers=headers),
        422,
        "invalid_request",
    )


@pytest.mark.parametrize(
    "path", ["/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/assessments/..%2f..%2fx"]
)
def test_paths_lead_nowhere_else(served, path):
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer


def test_every_problem_has_a_page(served):
    for code in ProblemCode:
        page = served.client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert str(PROBLEMS[code].status) in page.text


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__dot__", "."), content)
    return stream.getvalue()


def send_archive(served, content: bytes):
    return served.client.post("/v1/archives", files={"archive": ("films.zip", content)}, data={"child": "c-zip"})


def test_an_archive_of_films(served):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.png", served.film)
        archive.writestr("../../etc/two.png", served.film)
        archive.writestr("__MACOSX/._one.png", b"x")
        archive.writestr(".DS_Store", b"x")
        archive.writestr("inner.zip", zipped(a=b"x"))
        archive.writestr("bomb.png", bytes(1_900_000))
    answer = send_archive(served, stream.getvalue())
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert [one["film_name"] for one in told["assessments"]] == ["one.png", "two.png"]
    assert {(one["name"], one["code"]) for one in told["refused"]} == {
        ("inner.zip", "nested_archive"),
        ("bomb.png", "implausible"),
    }
    for one in told["assessments"]:
        done = served.until(one["id"], lambda found: found["status"] == "done")
        assert done["child"] == "c-zip"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"no zip", 422, "invalid_archive"),
        (zipped(), 422, "invalid_archive"),
        (zipped(**{f"{number}.png": b"x" for number in range(6)}), 422, "invalid_archive"),
        (zipped(a=bytes(5_000_000)), 413, "too_large"),
    ],
    ids=["no-zip", "empty", "too-many", "bomb"],
)
def test_archives(served, stored, content, status, code):
    before = stored()
    problem(send_archive(served, content), status, code)
    assert stored() == before


def test_no_line_of_the_log_names_film_child_or_dates(served, log):
    begin = len(log.lines)
    made = served.made("Zaphod Beeblebrox.png", child="zaphod-1", birth_date="2011-02-03", study_date="2020-03-04")
    served.client.get("/v1/assessments", params={"text": "Zaphod", "child": "zaphod-1"})
    served.client.get(f"/v1/assessments/{made['id']}/report")
    served.made("faulty Zaphod.png")
    served.send("x.png", child="zaphod" * 100)
    ours = [one for one in log.lines[begin:] if "HTTP Request" not in one]
    assert len(ours) >= 5
    text = json.dumps(ours).casefold()
    assert [word for word in ("zaphod", "2011-02-03", "2020-03-04", "jane") if word in text] == []
