"""UPS-RS over HTTP: what the standard says of work items, their lock and their end (PS3.18 11)."""

from typing import Any

import httpx
import pytest

from consult import workitem_model
from gateway.dicomweb.ups import ups_body
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.models.xml_reader import from_xml
from tests.dicomweb.conftest import TOKEN, Node
from tests.support.workitems import LOCK, OTHER_LOCK, UID, a_state, a_workitem, what_was_performed

JSON = {"Content-Type": "application/dicom+json"}
ITEM = f"/dicom-web/workitems/{UID}"


def posts(node: Node, path: str, body: Any = None, method: str = "POST", token: str = TOKEN) -> httpx.Response:
    with node.http(token) as client:
        return client.request(method, path, json=body, headers=JSON)


def creates(node: Node, uid: str = UID, token: str = TOKEN, **changes: str | None) -> httpx.Response:
    return posts(node, f"/dicom-web/workitems?{uid}", a_workitem(**changes), token=token)


def asks(node: Node, state: str, lock: dict[str, Any] = LOCK) -> httpx.Response:
    return posts(node, ITEM + "/state", a_state(state, lock), "PUT")


def the_item(node: Node) -> dict[str, Any]:
    (model,) = node.get(ITEM).json()
    return model


def state(node: Node) -> str:
    return the_item(node)["00741000"]["Value"][0]


def test_a_work_item_is_created_retrieved_taken_and_completed(node: Node):
    created = creates(node)
    taken = asks(node, "IN PROGRESS")
    updated = posts(node, f"{ITEM}?transaction-uid=2.25.1", what_was_performed())
    completed = asks(node, "COMPLETED")

    assert created.status_code == 201
    assert created.headers["Location"] == f"{node.url}{ITEM}"
    assert [answer.status_code for answer in (taken, updated, completed)] == [200, 200, 200]
    model = the_item(node)
    assert model["00741000"]["Value"] == ["COMPLETED"]
    assert model["00100010"]["Value"] == [{"Alphabetic": "NGUYỄN^THỊ HƯƠNG"}]
    assert model["00080018"]["Value"] == [UID]
    assert "00081195" not in model


@pytest.mark.parametrize("query", [f"?{UID}", f"?workitem={UID}"])
def test_the_uid_is_the_query_or_its_parameter(node: Node, query: str):
    assert posts(node, "/dicom-web/workitems" + query, [a_workitem()]).headers["Location"].endswith(UID)


def test_a_work_item_without_a_uid_is_given_one(node: Node):
    location = posts(node, "/dicom-web/workitems", a_workitem()).headers["Location"]

    assert node.get(location.removeprefix(node.url)).json()[0]["00080018"]["Value"] == [location.rsplit("/", 1)[1]]


def test_a_second_work_item_of_one_uid_is_a_conflict(node: Node):
    assert [creates(node).status_code, creates(node).status_code] == [201, 409]


def test_what_the_creator_leaves_out_is_added_and_told(node: Node):
    answer = creates(node, WorklistLabel=None)

    assert answer.headers["Warning"] == f'299 {node.url}/dicom-web "The Workitem was created with modifications."'


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"ProcedureStepLabel": None}, "ProcedureStepLabel is missing"),
        ({"ScheduledProcedureStepPriority": "NOW"}, "must be one of HIGH, LOW, MEDIUM"),
        ({"ProcedureStepState": "IN PROGRESS"}, "ProcedureStepState must be one of SCHEDULED"),
        ({"InputReadinessState": None}, "InputReadinessState must be one of INCOMPLETE"),
        ({"ScheduledProcedureStepStartDateTime": None}, "ScheduledProcedureStepStartDateTime is missing"),
    ],
    ids=str,
)
def test_a_work_item_that_lacks_something_is_refused_and_the_attribute_named(node: Node, change, detail):
    answer = creates(node, **change)

    assert (answer.status_code, detail in answer.json()["detail"]) == (400, True)
    assert "NGUY" not in answer.text


def test_a_work_item_cannot_be_created_with_a_lock_or_with_work_done(node: Node):
    locked = posts(node, f"/dicom-web/workitems?{UID}", a_workitem() | LOCK)
    done = posts(node, f"/dicom-web/workitems?{UID}", a_workitem() | what_was_performed())

    assert (locked.status_code, done.status_code) == (400, 400)
    assert node.get(ITEM).status_code == 404


# --- the lock ---------------------------------------------------------------------------------------------------------


def warned(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("Warning", "").partition('"')[2].rstrip('"')


INCONSISTENT = (409, "The submitted request is inconsistent with the state of the UPS Instance.")


def test_two_readers_cannot_take_one_work_item(node: Node):
    creates(node)

    assert asks(node, "IN PROGRESS").status_code == 200
    assert warned(asks(node, "IN PROGRESS", OTHER_LOCK)) == INCONSISTENT


def test_only_who_has_taken_it_may_change_it(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")
    label = {"00741204": {"vr": "LO", "Value": ["Khác"]}}

    assert warned(posts(node, ITEM, label)) == (400, "The Transaction UID is missing.")
    assert warned(posts(node, f"{ITEM}?transaction-uid=2.25.9", label)) == (400, "The Transaction UID is incorrect.")
    assert warned(asks(node, "CANCELED", OTHER_LOCK)) == (400, "The Transaction UID is incorrect.")
    assert warned(asks(node, "CANCELED", {})) == (400, "The Transaction UID is missing.")
    assert posts(node, ITEM, label | LOCK).status_code == 200
    assert the_item(node)["00741204"]["Value"] == ["Khác"]


def test_a_work_item_that_nobody_has_taken_is_changed_without_a_lock(node: Node):
    creates(node)
    label = {"00741204": {"vr": "LO", "Value": ["Khác"]}}

    assert posts(node, ITEM, label).status_code == 200
    assert warned(posts(node, f"{ITEM}?transaction-uid=2.25.1", label)) == (
        409,
        "The target URI did not reference a claimed Workitem.",
    )


def test_update_changes_neither_the_state_nor_the_patient(node: Node):
    creates(node)

    changed = posts(node, ITEM, {"00741000": {"vr": "CS", "Value": ["COMPLETED"]}})
    patient = posts(node, ITEM, {"00100020": {"vr": "LO", "Value": ["BN2"]}})

    assert (changed.status_code, patient.status_code) == (400, 400)
    assert "PatientID may not be updated" in patient.json()["detail"]


def test_what_has_ended_stays_as_it_is(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")
    asks(node, "CANCELED")

    assert warned(asks(node, "CANCELED")) == (200, "The UPS is already in the requested state of CANCELED.")
    assert warned(asks(node, "COMPLETED")) == INCONSISTENT
    assert posts(node, ITEM, LOCK).status_code == 409
    assert the_item(node)["00741002"]["Value"][0]["00404052"]["Value"]


def test_a_work_item_is_not_completed_before_it_says_what_was_performed(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")

    assert warned(asks(node, "COMPLETED")) == INCONSISTENT
    assert state(node) == "IN PROGRESS"


def test_a_work_item_is_not_completed_before_it_is_taken(node: Node):
    creates(node)

    assert warned(asks(node, "COMPLETED")) == INCONSISTENT


# --- cancellation -----------------------------------------------------------------------------------------------------


def test_a_work_item_that_nobody_has_taken_is_canceled_on_request(node: Node):
    creates(node)
    why = {"00741238": {"vr": "LT", "Value": ["Bệnh nhân về"]}}

    first = posts(node, ITEM + "/cancelrequest", why)
    again = posts(node, ITEM + "/cancelrequest", why)

    assert first.status_code == 202
    assert warned(again) == (202, "The UPS is already in the requested state of CANCELED.")
    assert the_item(node)["00741002"]["Value"][0]["00741238"]["Value"] == ["Bệnh nhân về"]


def test_a_request_that_nobody_would_hear_is_a_conflict(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")

    with node.http() as client:
        assert client.post(ITEM + "/cancelrequest").status_code == 409
    posts(node, ITEM + "/subscribers/READER1")
    with node.http() as client:
        assert client.post(ITEM + "/cancelrequest").status_code == 202
    assert state(node) == "IN PROGRESS"


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1.2.1", "1.2.2", "1.2.3"]),
        ("PatientName=nguyen*", ["1.2.1", "1.2.3"]),
        ("00100020=BN2", ["1.2.2"]),
        ("ProcedureStepState=SCHEDULED&WorklistLabel=Đọc phim", ["1.2.1", "1.2.2", "1.2.3"]),
        ("ScheduledProcedureStepStartDateTime=20261123-", ["1.2.3"]),
        ("ScheduledProcedureStepPriority=LOW", ["1.2.3"]),
        ("limit=1&offset=1", ["1.2.2"]),
        ("PatientName=huong&fuzzymatching=true", ["1.2.1", "1.2.3"]),
    ],
)
def test_work_items_are_found_by_any_attribute(node: Node, query: str, expected: list[str]):
    creates(node, "1.2.1")
    creates(node, "1.2.2", PatientID="BN2", PatientName="LÊ^VĂN BÌNH")
    creates(node, "1.2.3", ScheduledProcedureStepStartDateTime="20261124", ScheduledProcedureStepPriority="LOW")

    found = node.get(f"/dicom-web/workitems?{query}")

    assert found.status_code == 200
    assert [item["00080018"]["Value"][0] for item in found.json()] == expected


def test_nothing_found_is_an_empty_list_and_a_lock_is_nobodys_to_ask_for(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")

    nobody = node.get("/dicom-web/workitems?PatientID=NOBODY")
    assert (nobody.status_code, nobody.json()) == (200, [])
    assert node.get("/dicom-web/workitems?TransactionUID=2.25.1").status_code == 400
    assert "2.25.1" not in node.get("/dicom-web/workitems?includefield=all").text


# --- XML, bounds, and who may -----------------------------------------------------------------------------------------


def test_xml_in_and_out_says_the_same(node: Node):
    with node.http() as client:
        body, kind = to_xml(a_workitem()), {"Content-Type": "application/dicom+xml"}
        created = client.post(f"/dicom-web/workitems?{UID}", content=body, headers=kind)
    answer = node.get(ITEM, Accept="application/dicom+xml")

    assert created.status_code == 201
    assert answer.headers["Content-Type"] == "application/dicom+xml"
    assert from_xml(answer.content) == the_item(node)
    assert (
        b"NativeDicomModel"
        in node.get("/dicom-web/workitems", Accept='multipart/related; type="application/dicom+xml"').content
    )


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/dicom+json", 400),
        (b"[1]", "application/dicom+json", 400),
        (b"[]", "application/dicom+json", 400),
        (b'{"00741000": {"vr": "CS", "Value": "SCHEDULED"}}', "application/dicom+json", 400),
        (b'{"x": {}}', "application/dicom+json", 400),
        (b"<a/>", "application/dicom+xml", 400),
        (b"{}", "text/plain", 415),
        (b"[" * 100_000, "application/dicom+json", 400),
        (b" " * (ups_body.BODY_BYTES_MAX + 1), "application/dicom+json", 413),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_a_body_that_is_none_is_refused(node: Node, content: bytes, kind: str, status: int):
    with node.http() as client:
        assert (
            client.post("/dicom-web/workitems", content=content, headers={"Content-Type": kind}).status_code == status
        )


def test_a_body_too_deep_or_too_many_is_refused(node: Node):
    deep: dict[str, Any] = {}
    for _ in range(workitem_model.DEPTH_MAX + 2):
        deep = {"00404021": {"vr": "SQ", "Value": [deep]}}
    many = {f"0040{number:04X}": {"vr": "SQ", "Value": [{}] * 2} for number in range(workitem_model.ELEMENTS_MAX + 1)}

    assert posts(node, "/dicom-web/workitems", deep).status_code == 400
    assert posts(node, "/dicom-web/workitems", many).status_code in (400, 413)


def test_work_items_need_their_own_rights_and_stay_at_their_site(node: Node):
    images, reader = node.a_token("dicomweb:read", "dicomweb:store"), node.a_token("worklist:read")
    other = node.a_token("worklist:read", "worklist:write", site="BV2")
    creates(node)

    assert node.get(ITEM, images).status_code == 403
    assert node.get(ITEM, reader).status_code == 200
    assert creates(node, "1.2.9", token=reader).status_code == 403
    assert node.get(ITEM, other).status_code == 404
    assert node.get("/dicom-web/workitems", other).json() == []
    assert node.get(f"/sites/BV1{ITEM}", other).status_code == 404
    assert posts(node, f"/sites/BV1{ITEM}", {}, token=other).status_code == 403
    assert creates(node, token=other).status_code == 201
    assert len(node.get("/dicom-web/workitems").json()) == 2


def test_who_took_a_work_item_is_in_the_audit_and_the_patient_is_not(node: Node):
    creates(node)
    asks(node, "IN PROGRESS")
    node.get("/dicom-web/workitems?PatientName=ng*")

    assert '{"keys": "PatientName", "of": "work items"}' in [line.detail for line in node.audited()]
    lines = [line.detail for line in node.audited() if line.action == "Procedure Record"]
    assert lines == [
        f'{{"state": "SCHEDULED", "workitem": "{UID}"}}',
        f'{{"state": "IN PROGRESS", "workitem": "{UID}"}}',
    ]


@pytest.mark.parametrize(
    ("key", "element"),
    [
        ("00404021", {"vr": "LO", "Value": ["a sequence that is none"]}),
        ("00100020", {"vr": "SQ", "Value": [{}]}),
        ("00100010", {"vr": "PN", "Value": [{"Alphabetic": 7}]}),
        ("00100010", {"vr": "PN", "Value": ["NGUYEN^A"]}),
        ("00741204", {"vr": "LO", "Value": [{"Alphabetic": "x"}]}),
        ("00741204", {"vr": 'LO" tag="', "Value": ["x"]}),
        ("00741204", {"vr": "UN", "InlineBinary": "</InlineBinary>"}),
    ],
)
def test_a_value_that_would_break_who_searches_or_reads_xml_is_refused(node: Node, key: str, element: dict[str, Any]):
    assert posts(node, f"/dicom-web/workitems?{UID}", {**a_workitem(), key: element}).status_code == 400
    assert node.get("/dicom-web/workitems?InputInformationSequence.StudyInstanceUID=1.2&PatientName=A*").json() == []
