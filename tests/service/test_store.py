"""The store: what is put in comes out, on both databases, and every step that must not happen is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from capitate.errors import (
    RecordNotFoundError,
    RevisionConflictError,
    StatusConflictError,
    StoreReadOnlyError,
    UsageError,
)
from capitate.service.store import AuditAction, ClaimState, Found, NewAssessment, Order, Search, Status, Store
from capitate.types import Interval, Sex

from .stored import LIMIT, answer, done, queued, refusal

EVIL = "../../etc/Ä\x00\ud800" + "n" * 4000 + ".png"


def test_an_assessment_is_what_was_asked_for_and_answered(store):
    film = store.films.put(b"bytes of a film", limit=LIMIT)
    new = NewAssessment(
        film,
        "hand.dcm",
        Sex.FEMALE,
        date(2010, 1, 2),
        date(2020, 3, 4),
        121.5,
        "C-7",
        maps=False,
        screen=True,
        client="a",
    )
    record = store.assessments.create(new)
    assert record == store.assessments.get(record.id)
    assert (record.status, record.revision, record.assessment) == (Status.QUEUED, 0, None)
    assert (record.film_sha256, record.film_size, record.film_name) == (film.sha256, 15, "hand.dcm")
    assert (record.sex, record.birth_date, record.study_date) == (Sex.FEMALE, date(2010, 1, 2), date(2020, 3, 4))
    assert (record.age_months, record.child, record.maps, record.screen) == (121.5, "C-7", False, True)
    assert record.client == "a"
    assert abs(datetime.now(UTC) - record.created_at) < timedelta(minutes=1)

    assert store.assessments.start(record.id).status is Status.RUNNING
    assert store.assessments.progress(record.id, "joints").progress == "joints"
    finished = store.assessments.finish(record.id, answer(months=130.25))
    assert finished == store.assessments.get(record.id)
    assert (finished.status, finished.revision, finished.progress) == (Status.DONE, 1, None)
    assert finished.bone_age_months == 130.25
    assert finished.assessment == answer(months=130.25)
    assert isinstance(finished.interval, Interval)
    assert finished.updated_at >= finished.created_at


def test_a_refused_film_says_why(store):
    record = store.assessments.start(queued(store).id)
    refused = store.assessments.finish(record.id, refusal())
    assert refused.status is Status.REFUSED
    assert (refused.error_code, refused.error_message) == tuple(refusal()["error"].values())
    with pytest.raises(StatusConflictError, match="is refused, so that it cannot be changed"):
        store.assessments.revise(record.id, expected_revision=1, assessment=answer(), by="reader", change={})


def test_a_failed_one_says_why(store):
    failed = store.assessments.fail(queued(store).id, code="worker_died", message="The worker ended. \x00")
    assert (failed.status, failed.error_code) == (Status.FAILED, "worker_died")
    assert failed.error_message == "The worker ended. \ufffd"


def test_what_the_film_says_fills_only_what_nobody_typed(store):
    found = Found(child="from film", birth_date=date(2001, 1, 1), study_date=date(2011, 1, 1))
    typed = queued(store, child="typed", birth_date=date(2002, 2, 2))
    silent = queued(store)
    broken = queued(store)
    for record in (typed, silent, broken):
        store.assessments.start(record.id)
    assert store.assessments.finish(typed.id, answer(), found=found).child == "typed"
    after = store.assessments.finish(silent.id, answer(), found=found)
    assert (after.child, after.birth_date, after.study_date) == ("from film", date(2001, 1, 1), date(2011, 1, 1))
    assert store.assessments.search(Search(text="FROM fi")).records == (replace(after, assessment=None),)
    assert store.assessments.get(typed.id).birth_date == date(2002, 2, 2)
    assert store.assessments.finish(broken.id, answer(), found=Found(child="x" * 65)).child is None


@pytest.mark.parametrize(
    "unknown", ["", "nothing", "0" * 26, "../../etc/passwd", "\x00", "\ud800", "ä" * 26, "0" * 5000]
)
def test_an_unknown_identifier_is_not_found(store, unknown):
    with pytest.raises(RecordNotFoundError, match="there is no assessment"):
        store.assessments.get(unknown)
    with pytest.raises(RecordNotFoundError):
        store.assessments.delete(unknown, by="reader")
    with pytest.raises(RecordNotFoundError):
        store.artifacts.get(unknown, "map.png")


def test_steps_that_must_not_happen_are_refused(store):
    record = done(store)
    with pytest.raises(StatusConflictError, match="is done, so that it cannot be started") as refused:
        store.assessments.start(record.id)
    assert refused.value.current == record
    for step in (
        lambda: store.assessments.cancel(record.id),
        lambda: store.assessments.fail(record.id, code="late", message="late"),
        lambda: store.assessments.finish(record.id, answer()),
    ):
        with pytest.raises(StatusConflictError):
            step()
    assert store.assessments.get(record.id) == record


def test_a_cancelled_one_stays_cancelled_whatever_its_worker_says(store):
    record = store.assessments.start(queued(store).id)
    assert store.assessments.cancel(record.id).status is Status.CANCELLED
    assert store.assessments.cancel(record.id).status is Status.CANCELLED
    assert store.assessments.progress(record.id, "joints").progress is None
    with pytest.raises(StatusConflictError):
        store.assessments.finish(record.id, answer())
    assert store.assessments.get(record.id).status is Status.CANCELLED


def test_what_ran_when_the_service_ended_is_queued_again(store):
    first, second, third = (queued(store) for _ in range(3))
    store.assessments.start(second.id)
    store.assessments.start(first.id)
    assert store.assessments.requeue_interrupted() == [first.id, second.id]
    assert store.assessments.queued() == [first.id, second.id, third.id]


def test_corrections_are_revisions_and_undo_goes_back_one_by_one(store):
    record = done(store, months=100)
    for number, months in ((1, 101), (2, 102)):
        changed = answer(months=months, by="reader")
        record = store.assessments.revise(
            record.id, expected_revision=number, assessment=changed, by="Dr. X", change={"Radius": months}
        )
    assert (record.revision, record.bone_age_months, record.corrected) == (3, 102, True)
    undone = store.assessments.undo(record.id, expected_revision=3, by="Dr. X")
    assert (undone.revision, undone.bone_age_months) == (4, 101)
    undone = store.assessments.undo(record.id, expected_revision=4, by="Dr. X")
    assert (undone.revision, undone.bone_age_months, undone.corrected) == (5, 100, False)
    with pytest.raises(StatusConflictError, match="nothing can be undone"):
        store.assessments.undo(record.id, expected_revision=5, by="Dr. X")
    told = [(one.number, one.by, one.change, one.restores) for one in store.assessments.history(record.id)]
    assert told == [
        (1, "machine", {}, None),
        (2, "Dr. X", {"Radius": 101}, None),
        (3, "Dr. X", {"Radius": 102}, None),
        (4, "Dr. X", {}, 2),
        (5, "Dr. X", {}, 1),
    ]
    again = store.assessments.revise(record.id, expected_revision=5, assessment=answer(months=9), by="x", change={})
    assert store.assessments.undo(again.id, expected_revision=6, by="x").bone_age_months == 100


def test_of_two_people_who_change_at_once_one_is_told(store):
    record = done(store)

    def change(number: int) -> float | RevisionConflictError:
        try:
            changed = answer(months=200 + number)
            return store.assessments.revise(
                record.id, expected_revision=1, assessment=changed, by=f"reader {number}", change={}
            ).bone_age_months
        except RevisionConflictError as conflict:
            return conflict

    with ThreadPoolExecutor(8) as several:
        outcomes = list(several.map(change, range(8)))
    won = [one for one in outcomes if not isinstance(one, RevisionConflictError)]
    assert len(won) == 1
    assert store.assessments.get(record.id).bone_age_months == won[0]
    assert {one.current.revision for one in outcomes if isinstance(one, RevisionConflictError)} == {2}
    assert len(store.assessments.history(record.id)) == 2


def test_a_change_needs_a_name_and_an_assessment(store):
    record = done(store)
    with pytest.raises(UsageError, match="says who made it"):
        store.assessments.revise(record.id, expected_revision=1, assessment=answer(), by=" ", change={})
    with pytest.raises(UsageError, match=r"capitate\.assessment/1"):
        store.assessments.revise(record.id, expected_revision=1, assessment={}, by="x", change={})
    with pytest.raises(UsageError, match="cannot refuse the film"):
        store.assessments.revise(record.id, expected_revision=1, assessment=refusal(), by="x", change={})
    assert store.assessments.get(record.id) == record


def test_names_from_outside_are_made_safe(store):
    record = queued(store, name=EVIL)
    assert record.film_name.startswith("Ä\ufffd\ufffdnnn")
    assert record.film_name.endswith("nnn.png")
    assert len(record.film_name) <= 255
    assert queued(store, name="C:\\films\\Käthe.dcm").film_name == "Käthe.dcm"
    assert queued(store, name="手骨龄.png").film_name == "手骨龄.png"
    assert queued(store, name="/").film_name == "film"


@pytest.mark.parametrize("child", ["x" * 65, "a\x00b", "a\ud800", "a\nb"])
def test_an_identifier_that_cannot_be_kept_as_it_is_is_refused(store, child):
    with pytest.raises(UsageError, match="the child's identifier"):
        queued(store, child=child)
    assert store.assessments.search(Search()).records == ()


def test_text_in_an_assessment_comes_back_as_it_was(store):
    record = store.assessments.start(queued(store).id)
    odd = answer()
    odd["source"]["name"] = "NUL \x00, half \ud800, 手, \U0001f9b4"
    store.assessments.finish(record.id, odd)
    assert store.assessments.get(record.id).assessment == odd


def test_a_number_that_is_none_is_not_stored(store):
    record = store.assessments.start(queued(store).id)
    broken = answer()
    broken["reference"] = {"z": float("nan")}
    with pytest.raises(UsageError, match="Out of range"):
        store.assessments.finish(record.id, broken)
    assert store.assessments.get(record.id).status is Status.RUNNING


def found(store: Store, **wanted: object) -> list[str]:
    return [one.film_name for one in store.assessments.search(Search(order=Order.OLDEST, **wanted)).records]


def test_search_finds_by_everything_given(store):
    done(store, name="Käthe 1.png", child="A-1", sex=Sex.FEMALE)
    queued(store, name="boy_100%.png", child="B-1", sex=Sex.MALE)
    last = queued(store, name="手.png", sex=Sex.MALE)
    store.assessments.cancel(last.id)
    assert found(store) == ["Käthe 1.png", "boy_100%.png", "手.png"]
    assert found(store, text="KÄTHE") == ["Käthe 1.png"]
    assert found(store, text="KA\u0308THE png") == ["Käthe 1.png"]
    assert found(store, text="%") == ["boy_100%.png"]
    assert found(store, text="_") == ["boy_100%.png"]
    assert found(store, text="手") == ["手.png"]
    assert found(store, text="b-1") == ["boy_100%.png"]
    assert found(store, text=last.id.lower()) == ["手.png"]
    assert found(store, text="nothing \x00 \ud800 '; DROP TABLE films; --") == []
    assert found(store, child="A-1") == ["Käthe 1.png"]
    assert found(store, child="A-\x00") == []
    assert found(store, sex=Sex.MALE) == ["boy_100%.png", "手.png"]
    assert found(store, status=frozenset({Status.QUEUED, Status.CANCELLED})) == ["boy_100%.png", "手.png"]
    assert found(store, sex=Sex.MALE, status=frozenset({Status.QUEUED})) == ["boy_100%.png"]
    assert found(store, since=last.created_at) == ["手.png"]
    assert found(store, until=last.created_at) == ["Käthe 1.png", "boy_100%.png"]
    zone = last.created_at.astimezone().replace(microsecond=0) + timedelta(seconds=1)
    assert len(found(store, until=zone)) == 3


@pytest.mark.parametrize("order", Order)
def test_pages_go_on_where_they_ended_whatever_comes_and_goes(store, order):
    ids = [queued(store, name=f"{number}.png").id for number in range(7)]
    expected = ids if order is Order.OLDEST else ids[::-1]
    first = store.assessments.search(Search(limit=3, order=order))
    assert [one.id for one in first.records] == expected[:3]
    store.assessments.delete(expected[2], by="reader")
    store.assessments.delete(expected[3], by="reader")
    rest = store.assessments.search(Search(limit=3, order=order, cursor=first.next_cursor))
    assert [one.id for one in rest.records] == expected[4:]
    assert rest.next_cursor is None


@pytest.mark.parametrize(
    "wanted",
    [
        Search(limit=0),
        Search(limit=201),
        Search(cursor="x"),
        Search(cursor="\x00" * 26),
        Search(since=datetime(2020, 1, 1)),
    ],
)
def test_a_search_that_is_none_is_refused(store, wanted):
    with pytest.raises(UsageError):
        store.assessments.search(wanted)


def test_identifiers_sort_by_time(store):
    ids = [queued(store).id for _ in range(30)]
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}


def test_artifacts_belong_to_their_assessment(store):
    one, two = done(store), done(store)
    store.artifacts.put(one.id, "map.png", b"picture")
    store.artifacts.put(one.id, "map.npz", b"array")
    store.artifacts.put(two.id, "map.png", b"other")
    store.artifacts.put(two.id, "map.png", b"newer")
    assert store.artifacts.names(one.id) == ("map.npz", "map.png")
    assert (store.artifacts.get(one.id, "map.png"), store.artifacts.get(two.id, "map.png")) == (b"picture", b"newer")
    store.assessments.delete(one.id, by="reader")
    with pytest.raises(RecordNotFoundError):
        store.artifacts.get(one.id, "map.png")
    assert not (store.folder / "artifacts" / one.id).exists()
    assert store.artifacts.get(two.id, "map.png") == b"newer"


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "a\x00", "ä", "x" * 101])
def test_an_artifact_with_a_name_that_is_none_is_refused(store, name):
    record = done(store)
    for step in (lambda: store.artifacts.put(record.id, name, b"x"), lambda: store.artifacts.get(record.id, name)):
        with pytest.raises(UsageError, match="an artifact is named"):
            step()


def test_an_artifact_needs_its_assessment(store):
    with pytest.raises(RecordNotFoundError):
        store.artifacts.put("0" * 26, "map.png", b"x")
    assert not list((store.folder / "artifacts").rglob("*"))
    with pytest.raises(RecordNotFoundError, match="it has map.png"):
        record = done(store)
        store.artifacts.put(record.id, "map.png", b"x")
        store.artifacts.get(record.id, "other.png")


def test_a_repeated_request_is_answered_again(store):
    keys = store.idempotency
    assert keys.claim("a", "key", "d1").state is ClaimState.NEW
    assert keys.claim("a", "key", "d1").state is ClaimState.IN_PROGRESS
    assert keys.claim("a", "key", "d2").state is ClaimState.MISMATCH
    assert keys.claim("b", "key", "d2").state is ClaimState.NEW
    keys.complete("a", "key", status=201, headers={"Location": "/v1/x"}, body=b'{"a": "\x00"}')
    claim = keys.claim("a", "key", "d1")
    assert (claim.state, claim.status, claim.headers) == (ClaimState.REPLAY, 201, {"Location": "/v1/x"})
    assert claim.body == b'{"a": "\x00"}'
    assert keys.claim("a", "key", "d2").state is ClaimState.MISMATCH
    keys.release("a", "key")
    assert keys.claim("a", "key", "d1").state is ClaimState.REPLAY
    keys.release("b", "key")
    assert keys.claim("b", "key", "d3").state is ClaimState.NEW


@pytest.mark.parametrize("key", ["", "  ", "k" * 256, "a\x00", "a\ud800"])
def test_a_key_that_is_none_is_refused(store, key):
    with pytest.raises(UsageError, match="idempotency key"):
        store.idempotency.claim("a", key, "d")


def test_of_many_requests_with_one_key_one_goes_on(store):
    with ThreadPoolExecutor(8) as several:
        claims = list(several.map(lambda _: store.idempotency.claim("a", "key", "d").state, range(8)))
    assert sorted(claims) == [ClaimState.IN_PROGRESS] * 7 + [ClaimState.NEW]


def test_an_answer_is_forgotten_with_its_assessment(store):
    record = done(store)
    store.idempotency.claim("a", "key", "d")
    store.idempotency.complete("a", "key", status=201, headers={}, body=b"child", assessment_ids=[record.id])
    store.assessments.delete(record.id, by="reader")
    assert store.idempotency.claim("a", "key", "d").state is ClaimState.NEW


def test_the_audit_tells_who_did_what_and_outlives_it(store):
    record = done(store)
    store.audit.write("reader", AuditAction.REPORT, assessment_id=record.id, detail={"format": "pdf"})
    store.audit.write("x\x00\ud800" * 50, AuditAction.DENIED, assessment_id="../\x00")
    store.assessments.delete(record.id, by="admin")
    told = [(one.who, one.what, one.assessment_id, one.detail) for one in store.audit.list()]
    assert told[0] == ("admin", AuditAction.DELETE, record.id, {})
    assert told[1][1:] == (AuditAction.DENIED, None, {})
    assert told[2] == ("reader", AuditAction.REPORT, record.id, {"format": "pdf"})
    assert len(store.audit.list(assessment_id=record.id)) == 2
    assert [one.what for one in store.audit.list(limit=2, before=store.audit.list()[0].id)] == [
        AuditAction.DENIED,
        AuditAction.REPORT,
    ]


@pytest.mark.parametrize("key", ["child", "film_name", "birth_date", "patient_id"])
def test_the_audit_takes_no_names(store, key):
    with pytest.raises(UsageError, match="names no child"):
        store.audit.write("reader", AuditAction.READ, detail={key: "Anna"})


def test_ready_says_when_the_folder_may_not_be_written(store, monkeypatch):
    store.ready()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreReadOnlyError, match="check the rights"):
        store.ready()


@pytest.mark.parametrize(
    "address", ["", "sqlite://", "mysql://u:secret@h/x", "sqlite:///:memory:", "postgresql://u:secret@h:x/y"]
)
def test_an_address_that_is_none_is_refused_without_its_password(address, tmp_path):
    with pytest.raises(UsageError, match="give sqlite:///PATH or postgresql://") as refused:
        Store.open(address, folder=tmp_path / "store")
    assert "secret" not in str(refused.value)
