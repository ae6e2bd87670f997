"""The form of a study's request and report keeps every state; a reader's validation is on file, or the reader is told."""

from collections.abc import Iterator

import httpx
import pytest

from consult.pathology.form import COUNT_MAX, FIELDS, LINE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, checked
from consult.pathology.tables import pathology_form
from consult.pathology.validation import CASES_WANTED, Standing
from exchange.node.assemble import deletions_of
from kernel import audit
from kernel.access import NewAccount
from kernel.archive.deletion.deletion import Wish
from kernel.archive.deletion.removal import Target
from kernel.errors import InvalidRequest
from tests.server.conftest import PASSWORD, taking_in
from tests.server.test_slides import SLIDE, STUDY, takes
from tests.wsi.dicom_builders import a_volume

FORM = f"/api/studies/{STUDY}/pathology"
FILLED = {
    "specimen_site": "Đại tràng sigma",
    "sampled_on": "2026-11-20",
    "blocks": "2",
    "stains": "HE, PAS",
    "microscopic": "Tuyến không điển hình.\nXâm nhập lớp cơ.",
    "histological_diagnosis": "Ung thư biểu mô tuyến",
}


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    takes(room, a_volume())
    with room.signed_in() as signed:
        yield signed


def a_case(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "number": f"K26-{number}",
        "glassDiagnosis": "Polyp tuyến",
        "digitalDiagnosis": "Polyp tuyến",
        "glassOn": "2026-10-01",
        "digitalOn": "2026-10-15",
        "isConcordant": True,
    } | changes


def test_the_form_has_the_fields_of_form_25_bv2(client):
    fields = client.get("/api/pathology/fields").raise_for_status().json()

    assert [one["vi"] for one in fields if one["part"] == "report"] == [
        "Nhận xét đại thể", "Nhận xét vi thể", "Chẩn đoán mô bệnh học", "Chẩn đoán tế bào học", "Bàn luận"
    ]  # fmt: skip
    assert {"Vị trí lấy mẫu", "Ngày lấy mẫu", "Người pha bệnh phẩm", "Số block", "Phương pháp nhuộm"} <= {
        one["vi"] for one in fields
    }


def test_what_was_filled_in_is_there_again_with_its_purpose_and_author(client):
    assert client.get(FORM).json() == {"revision": 0, "purpose": "formal", "values": {}, "author": "", "at": None}

    saved = client.put(FORM, json={"base": 0, "purpose": "informal", "values": {**FILLED, "gross": "  "}})

    assert saved.status_code == 200, saved.text
    opened = client.get(FORM).json()
    assert (opened["revision"], opened["purpose"], opened["author"]) == (1, "informal", "BS Lan")
    assert opened["values"] == FILLED


def test_a_form_that_somebody_else_saved_meanwhile_is_not_overwritten_and_every_state_stays(room, client):
    def save(base: int, word: str) -> httpx.Response:
        return client.put(FORM, json={"base": base, "purpose": "formal", "values": {"gross": word}})

    assert [save(0, "a").status_code, save(1, "b").status_code] == [200, 200]
    refused = save(1, "c")

    assert (refused.status_code, refused.json()["code"]) == (409, "FormChanged")
    assert "is 2" in refused.json()["detail"]
    assert client.get(FORM).json()["values"] == {"gross": "b"}
    with room.stores.db.read() as connection:
        assert len(connection.execute(pathology_form.select()).all()) == 2
        lines = [dict(one.detail) for one in audit.of_study(connection, STUDY)]
    assert [one["revision"] for one in lines if one.get("what") == "pathology form"] == [2, 1]  # newest first
    assert "'a'" not in str(lines)


@pytest.mark.parametrize(
    "values",
    [
        {"unknown": "x"},
        {"sampled_on": "20/11/2026"},
        {"sampled_on": "2026-02-30"},
        {"blocks": "-1"},
        {"blocks": str(COUNT_MAX + 1)},
        {"blocks": "²"},
        {"stains": "x" * (LINE_CHARACTERS_MAX + 1)},
        {"stains": "a\nb"},
        {"gross": "x" * (TEXT_CHARACTERS_MAX + 1)},
        {"gross": "a\x00"},
    ],
)
def test_what_is_not_of_its_field_is_refused_and_not_repeated(values):
    with pytest.raises(InvalidRequest) as refused:
        checked(values)

    assert not any(value in str(refused.value) for value in values.values())


def test_each_kind_of_field_takes_its_most():
    most = {"line": "x" * LINE_CHARACTERS_MAX, "text": "x" * TEXT_CHARACTERS_MAX, "date": "2026-11-22"}
    values = {one.name: most.get(one.kind, str(COUNT_MAX)) for one in FIELDS}

    assert checked(values) == values


def test_another_site_s_form_is_not_there(room, client):
    with room.signed_in("bot") as stranger:
        assert stranger.get(FORM).status_code == 404
        assert stranger.put(FORM, json={"base": 0, "purpose": "formal", "values": {}}).status_code in (403, 404)


def test_a_form_goes_with_its_study_and_not_with_a_part_of_it(room, client):
    takes(room, a_volume(150, 100))
    client.put(FORM, json={"base": 0, "purpose": "formal", "values": FILLED}).raise_for_status()
    committer, _ = taking_in(room.stores)
    deletions = deletions_of(room.stores, committer)

    def forms() -> int:
        with room.stores.db.read() as connection:
            return len(connection.execute(pathology_form.select()).all())

    def delete(*uids: str) -> None:
        target = Target("LOCAL", STUDY, *uids)
        deletions.delete(Wish(target, "chief", "", "127.0.0.1", "test-data", is_admin=True, is_forced=True))

    delete("1.2.3.1.1", "1.2.3.1.1.150")
    assert forms() == 1
    delete()

    assert forms() == 0


def test_a_reader_without_a_record_is_told_and_one_with_enough_is_not(room, client):
    assert client.get(SLIDE).json()["validation"] == "none"

    for number in range(CASES_WANTED):
        record = client.post("/api/validation/cases", json=a_case(number, isConcordant=number >= 3))
        assert record.status_code == 200, record.text
        if number == 0:
            assert client.get(SLIDE).json()["validation"] == "begun"

    told = client.get("/api/validation").json()
    assert (told["standing"], told["counted"], told["concordant"], told["concordance"]) == ("complete", 60, 57, 0.95)
    assert (told["casesWanted"], told["washoutDays"], len(told["cases"])) == (60, 14, 60)
    assert client.get(SLIDE).json()["validation"] == "complete"


def test_a_case_read_again_too_soon_does_not_count_and_too_many_differences_are_not_enough(client):
    soon = client.post("/api/validation/cases", json=a_case(digitalOn="2026-10-14")).json()

    assert (soon["counted"], soon["concordance"], soon["standing"]) == (0, None, "begun")


def test_a_case_is_put_on_file_once_and_never_replaced(client):
    client.post("/api/validation/cases", json=a_case()).raise_for_status()

    again = client.post("/api/validation/cases", json=a_case(isConcordant=False))

    assert (again.status_code, again.json()["code"]) == (409, "CaseKnown")
    assert client.get("/api/validation").json()["cases"] == [a_case()]


def test_another_reader_s_record_is_an_administrator_s_to_keep(room, client):
    room.stores.access.accounts.create(NewAccount("chief", ["admin"]), PASSWORD, by="test")

    assert client.get("/api/validation", params={"account": "chief"}).status_code == 403
    assert client.post("/api/validation/cases", json=a_case(account="chief")).status_code == 403
    with room.signed_in("chief") as chief:
        assert chief.post("/api/validation/cases", json=a_case(account="lan")).json()["account"] == "lan"
        assert chief.get("/api/validation", params={"account": "lan"}).json()["standing"] == Standing.BEGUN
    with room.stores.db.read() as connection:
        lines = connection.execute(audit.audit.select()).all()
    (line,) = [line for line in lines if "validation case" in line.detail]
    assert (line.who, "lan" in line.detail) == ("chief", True)
