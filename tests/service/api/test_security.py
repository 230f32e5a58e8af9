"""Who may come in: loopback, tokens and roles, sessions, other sites, and how often."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from capitate.errors import UsageError
from capitate.service.api.rates import Rates
from capitate.service.api.tokens import Role, read_tokens
from capitate.service.settings import ServiceSettings

from .served import serving, settings_for

READER, WRITER = "reader-token", "writer-token"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture(scope="module")
def guarded(stand_ins, film, tmp_path_factory):
    """A service with two tokens, and room for one film to wait."""
    folder = tmp_path_factory.mktemp("guarded")
    lines = ["# name role sha256", f"desk read {digest(READER)}", "", f"ward write {digest(WRITER)}"]
    (folder / "tokens.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = settings_for(folder / "data", tokens=folder / "tokens.txt", queue=1)
    with serving(settings, film) as one:
        yield one


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_data_route_needs_a_token(guarded):
    document = guarded.client.get("/v1/openapi.json", headers=bearer(READER)).json()
    open_to_all = {"/health", "/ready", "/problems/{code}", "/v1/session"}
    for path, operations in document["paths"].items():
        for method in operations.keys() - {"parameters"}:
            if path in open_to_all:
                continue
            answer = guarded.client.request(method, path.replace("{", "").replace("}", ""))
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert guarded.client.get("/v1/assessments", headers=bearer("wrong")).status_code == 401


def test_a_token_that_reads_changes_nothing(guarded):
    assert guarded.client.get("/v1/assessments", headers=bearer(READER)).status_code == 200
    answer = guarded.send(headers=bearer(READER))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    made = guarded.send(headers=bearer(WRITER))
    assert (made.status_code, made.json()["client"]) == (201, "ward")
    place = f"/v1/assessments/{made.json()['id']}"
    assert guarded.client.delete(place, headers=bearer(READER)).status_code == 403
    entries = guarded.service.store.audit.list(assessment_id=made.json()["id"])
    assert [(entry.who, entry.what.value) for entry in entries] == [("ward", "create")]


def test_a_browser_signs_in_and_out(guarded):
    with httpx.Client(base_url=guarded.url) as browser:
        assert browser.get("/v1/session").status_code == 401
        assert browser.post("/v1/session", json={"token": "wrong"}).json()["code"] == "not_signed_in"
        signed = browser.post("/v1/session", json={"token": WRITER})
        assert (signed.status_code, signed.json()["role"]) == (201, "write")
        cookie = next(one for one in signed.headers.get_list("set-cookie") if one.startswith("capitate_session="))
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()
        assert browser.get("/v1/assessments").status_code == 200
        csrf = browser.get("/v1/session").json()["csrf"]
        unknown = "/v1/assessments/unknown"
        assert browser.delete(unknown).json()["code"] == "not_allowed"
        assert browser.delete(unknown, headers={"X-CSRF-Token": "x"}).json()["code"] == "not_allowed"
        assert browser.delete(unknown, headers={"X-CSRF-Token": csrf}).json()["code"] == "not_found"
        assert browser.delete("/v1/session").status_code == 204
        assert browser.get("/v1/assessments").status_code == 401


def test_more_films_than_may_wait_are_refused(guarded):
    slow = [guarded.send("slow.png", wait=False, headers=bearer(WRITER)) for _ in range(3)]
    assert [one.status_code for one in slow] == [202, 202, 503]
    assert slow[2].json()["code"] == "queue_full"
    assert int(slow[2].headers["retry-after"]) > 0
    assert guarded.client.get("/health").elapsed.total_seconds() < 1
    for one in slow[:2]:
        guarded.client.delete(f"/v1/assessments/{one.json()['id']}", headers=bearer(WRITER))


def test_a_client_that_asks_too_often_waits(guarded, monkeypatch):
    monkeypatch.setattr(guarded.service, "rates", Rates(6))
    answers = [guarded.client.get("/v1/joints", headers=bearer(READER)) for _ in range(20)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "too_many_requests"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert guarded.client.get("/health").status_code == 200
    assert guarded.client.get("/v1/joints", headers=bearer(WRITER)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "https://elsewhere.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_origin"),
        ({"Sec-Fetch-Site": "same-site"}, "foreign_origin"),
        ({"Host": "rebound.example"}, "foreign_host"),
    ],
)
def test_other_sites_change_nothing(served, headers, code):
    answer = served.client.post("/v1/assessments/unknown/cancel", headers=headers)
    assert answer.json()["code"] == code


def test_the_own_page_may_change_things(served):
    headers = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
    assert served.client.post("/v1/assessments/unknown/cancel", headers=headers).json()["code"] == "not_found"


def test_reading_under_a_foreign_name_is_refused(served):
    answer = served.client.get("/v1/assessments", headers={"Host": "rebound.example:80"})
    assert (answer.status_code, answer.json()["code"]) == (421, "foreign_host")
    assert served.client.get("/v1/assessments", headers={"Host": "localhost:1"}).status_code == 200


def test_answers_carry_the_headers_that_browsers_obey(served):
    for path in ("/health", "/v1/assessments", "/v1/assessments/unknown", "/nowhere"):
        headers = served.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


def test_rates_fill_again():
    now = [0.0]
    rates = Rates(60, clock=lambda: now[0])
    assert [rates.wait("a") for _ in range(15)] == [0] * 15
    assert rates.wait("a") == 1
    assert rates.wait("b") == 0
    now[0] = 2.0
    assert [rates.wait("a") for _ in range(3)] == [0, 0, 1]
    assert Rates(0).wait("a") == 0


@pytest.mark.parametrize("line", ["desk read", "desk admin " + "0" * 64, "desk read secret-token-in-clear"])
def test_a_line_that_is_no_token_is_refused_without_being_quoted(tmp_path, line):
    (tmp_path / "tokens.txt").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 1") as told:
        read_tokens(tmp_path / "tokens.txt")
    assert "secret" not in str(told.value)


def test_tokens_are_known_by_their_digest(tmp_path):
    (tmp_path / "tokens.txt").write_text(f"desk read {digest(READER).upper()}\n", encoding="utf-8")
    tokens = read_tokens(tmp_path / "tokens.txt")
    assert tokens.client(READER).role is Role.READ
    assert tokens.client(digest(READER)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_an_open_address_needs_tokens(host, tmp_path):
    with pytest.raises(UsageError, match="--tokens"):
        ServiceSettings(host=host, folder=tmp_path)
    assert ServiceSettings(host=host, folder=tmp_path, tokens=tmp_path / "tokens.txt").host == host
