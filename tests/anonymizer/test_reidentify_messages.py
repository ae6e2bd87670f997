"""FHIR resources and HL7 messages about a released study are led back as DICOM objects are."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.pseudonyms.identifiers import pseudonym, shift_date
from anonymizer.reidentify import fhir as reidentify_fhir
from anonymizer.reidentify import messages
from anonymizer.reidentify.fhir import fhir
from anonymizer.reidentify.hl7 import hl7
from anonymizer.reidentify.messages import named_in_message, pdfs_in, studies_in
from anonymizer.reidentify.pdf import uids_in
from anonymizer.reidentify.texts import text_led_back
from anonymizer.reidentify.way_back import WayBack
from kernel.errors import LimitExceeded, MalformedInstance
from tests.support.papers import a_typed_pdf, an_encrypted_pdf

TOKEN = pseudonym(b"k" * 32, "site", "BN1")
NEW, OLD = "2.25.4711", "1.2.840.1"
MOVED = shift_date(b"20261121", -400).decode()
WAY = WayBack(
    TOKEN,
    {"PatientName": "Nguyễn^Thị^Hương", "PatientID": "BN|1", "PatientBirthDate": "19700412", "PatientSex": "F"},
    {"StudyDate": "20261121"},
    {NEW: OLD},
    -400,
    date(2026, 11, 22),
)
BUNDLE = {
    "resourceType": "Bundle",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:vienanh", "value": TOKEN}],
                "name": [{"family": TOKEN}],
                "birthDate": "1969-03-08",
            }
        },
        {
            "resource": {
                "resourceType": "DiagnosticReport",
                "identifier": [{"value": "R-1"}],
                "issued": "2026-11-23T08:15:00+07:00",
                "effectiveDateTime": f"{MOVED[:4]}-{MOVED[4:6]}-{MOVED[6:]}",
                "conclusion": f"{TOKEN}: bình thường",
                "study": [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{NEW}"}}],
            }
        },
    ],
}
ORU = "\r".join(
    [
        "MSH|^~\\&|HUB|BVTW|LIS|BVH|20261123081500||ORU^R01|1|P|2.5",
        f"PID|1||{TOKEN}^^^SITE^MR||{TOKEN}||19690308|O",
        f"OBX|1|TX|59776-5^^LN||{TOKEN}: không thấy bất thường||||||F",
        f"OBX|2|HD|113014^^DCM||{NEW}||||||F",
    ]
)


def test_a_bundle_comes_home():
    home = json.loads(fhir(json.dumps(BUNDLE).encode(), WAY))

    patient, report = (entry["resource"] for entry in home["entry"])
    assert patient["identifier"][0] == {"system": "urn:vienanh", "value": "BN|1"}
    assert patient["name"] == [{"family": "Nguyễn", "given": ["Thị", "Hương"], "text": "Nguyễn Thị Hương"}]
    assert patient["birthDate"] == "1970-04-12"
    assert report["conclusion"] == "Nguyễn Thị Hương: bình thường"
    assert report["effectiveDateTime"] == "2026-11-21"
    assert report["issued"] == "2026-11-23T08:15:00+07:00"
    assert report["study"][0]["identifier"]["value"] == f"urn:oid:{OLD}"
    assert report["identifier"] == [{"value": "R-1"}]


def test_a_name_made_of_the_pseudonym_is_the_patients_name():
    resource = {"resourceType": "Patient", "name": [{"text": f"BN {TOKEN}", "use": "usual"}]}

    (name,) = json.loads(fhir(json.dumps(resource).encode(), WAY))["name"]

    assert name == {"use": "usual", "family": "Nguyễn", "given": ["Thị", "Hương"], "text": "Nguyễn Thị Hương"}


def test_a_result_message_comes_home_in_utf_8_with_its_marks_escaped():
    msh, pid, text, uid = hl7(ORU.encode(), WAY).decode().rstrip("\r").split("\r")

    assert msh.split("|")[17] == "UNICODE UTF-8"
    assert pid.split("|")[3] == "BN\\F\\1^^^SITE^MR"
    assert pid.split("|")[5:9] == ["Nguyễn^Thị^Hương", "", "19700412", "F"]
    assert text.split("|")[5] == "Nguyễn Thị Hương: không thấy bất thường"
    assert uid.split("|")[5] == OLD


def test_dates_of_orders_and_observations_are_led_back_and_those_of_the_answer_stay():
    lines = [
        *ORU.split("\r")[:2],
        f"OBR|1|||36554-4|||{MOVED}081500+0700|||||||{MOVED}||||||||20261123081400",
        f"OBX|1|DT|111060^^DCM||{MOVED}|||||||||{MOVED}0815",
        f"OBX|2|NM|121||{MOVED}",
    ]

    order, result, number = hl7("\r".join(lines).encode(), WAY).decode().rstrip("\r").split("\r")[2:]

    assert [order.split("|")[at] for at in (7, 14, 22)] == ["20261121081500+0700", "20261121", "20261123081400"]
    assert [result.split("|")[at] for at in (5, 14)] == ["20261121", "202611210815"]
    assert number.split("|")[5] == MOVED  # a number that looks like a date


def test_words_of_a_message_say_the_day_of_the_study():
    said, told = f"CT {MOVED[6:]}/{MOVED[4:6]}/{MOVED[:4]}", f"{MOVED[:4]}-{MOVED[4:6]}-{MOVED[6:]}"
    resource = {"resourceType": "DiagnosticReport", "effectiveDateTime": told, "conclusion": said}
    message = f"{ORU}\rOBR|1|||||{MOVED}\rOBX|3|TX|||{said}"

    led = json.loads(fhir(json.dumps(resource).encode(), WAY))
    text = hl7(message.encode(), WAY).decode().rstrip("\r").split("\r")[-1]

    assert led["conclusion"] == "CT 21/11/2026"
    assert text.split("|")[5] == "CT 21/11/2026"


def test_without_the_study_date_nothing_says_that_dates_were_moved():
    order = hl7(f"{ORU}\rOBR|1|||||20240101|20240101".encode(), WAY).decode().rstrip("\r").split("\r")[-1]

    assert order == "OBR|1|||||20240101|20240101"


def test_where_an_id_belongs_there_is_the_patient_id():
    message = f"MSH|^~\\&|\rPID|1|{TOKEN}|{TOKEN}^^^A~{TOKEN}^^^B|{TOKEN}||||||||||||||{TOKEN}\rMRG|{TOKEN}"

    _, pid, merged = hl7(message.encode(), WAY).decode().rstrip("\r").split("\r")

    assert [pid.split("|")[at] for at in (2, 3, 4, 18)] == [
        "BN\\F\\1",
        "BN\\F\\1^^^A~BN\\F\\1^^^B",
        "BN\\F\\1",
        "BN\\F\\1",
    ]
    assert merged == "MRG|BN\\F\\1"


A_PDF = (
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/V(" + TOKEN.encode() + b")>>\nendobj\n"
    b"xref\n0 1\ntrailer\n<</Root 1 0 R/Size 2>>\nstartxref\n9\n%%EOF\n"
)


def test_documents_within_messages_are_filled_in_and_what_is_said_of_them_stays_true():
    packed = base64.b64encode(A_PDF).decode()
    form = {"contentType": "application/pdf", "data": packed, "size": len(A_PDF), "hash": "of the old one"}
    note = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(TOKEN.encode()).decode()}
    other = {"contentType": "image/png", "data": base64.b64encode(TOKEN.encode()).decode()}
    resource = {"resourceType": "DiagnosticReport", "presentedForm": [form, note, other]}

    led, words, picture = json.loads(fhir(json.dumps(resource).encode(), WAY))["presentedForm"]
    result = hl7(f"MSH|^~\\&|\rOBX|1|ED|PDF||^application^pdf^Base64^{packed}".encode(), WAY).decode().split("\r")[1]

    document = base64.b64decode(led["data"])
    assert TOKEN.encode() in A_PDF
    assert document.startswith(A_PDF)  # an update is appended
    assert "Nguyễn Thị Hương".encode("utf-16-be").hex().encode() in document[len(A_PDF) :]
    assert led["size"] == len(document)
    assert led["hash"] == base64.b64encode(hashlib.sha1(document, usedforsecurity=False).digest()).decode()
    assert base64.b64decode(words["data"]).decode() == "Nguyễn Thị Hương"
    assert picture == other
    assert result.split("^")[4] == led["data"]


A_CDA = (
    f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="{NEW}"/><effectiveTime value="{MOVED}0815"/>'
    f'<time value="20261123"/><value value="{MOVED}"/><name>{TOKEN}</name></ClinicalDocument>'
)
A_CDA_HERE = (
    f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="{OLD}"/><effectiveTime value="202611210815"/>'
    f'<time value="20261123"/><value value="{MOVED}"/><name>A&amp;B C</name></ClinicalDocument>'
)
MARKS = replace(WAY, identity={**WAY.identity, "PatientName": "A&B^C"})


@pytest.mark.parametrize("kind", ["text/xml", "application/xml", "application/hl7-cda+xml", "application/octet-stream"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_clinical_document_within_a_resource_comes_home_with_its_times_and_stays_xml(kind, encoding):
    packed = base64.b64encode(A_CDA.encode(encoding)).decode()
    resource = {"resourceType": "Binary", "contentType": kind, "data": packed}

    home = base64.b64decode(json.loads(fhir(json.dumps(resource).encode(), MARKS))["data"])

    assert named_in_message(json.dumps(resource).encode()).uids == {NEW}
    assert home.decode(encoding) == A_CDA_HERE


def test_a_clinical_document_within_a_result_comes_home_from_base64_and_hexadecimal():
    packed = {"Base64": base64.b64encode(A_CDA.encode()).decode(), "Hex": A_CDA.encode().hex()}
    message = "MSH|^~\\&|" + "".join(f"\rOBX|1|ED|CDA||^application^cda^{how}^{data}" for how, data in packed.items())

    _, whole, digits = hl7(message.encode(), MARKS).decode().rstrip("\r").split("\r")

    assert base64.b64decode(whole.split("^")[4]).decode() == A_CDA_HERE
    assert bytes.fromhex(digits.split("^")[4]).decode() == A_CDA_HERE
    assert named_in_message(f"MSH|^~\\&|\rOBX|1|ED|CDA||^text^xml^Hex^{packed['Hex']}".encode()).uids == {NEW}


def test_a_name_is_written_as_the_kind_of_a_text_wants_it():
    way = replace(WAY, identity={"PatientName": 'Nguyễn "Tý"'})

    assert text_led_back(f'{{"x": "{TOKEN}"}}'.encode(), way).decode() == '{"x": "Nguyễn \\"Tý\\""}'
    assert text_led_back(f"{{\\rtf1 {TOKEN}}}".encode(), way) == b'{\\rtf1 Nguy\\u7877?n "T\\u253?"}'
    assert text_led_back(b"\xe9 " + TOKEN.encode(), way) == b"\xe9 " + 'Nguyễn "Tý"'.encode()


@given(st.binary(max_size=64), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"<", b"{"]))
def test_bytes_that_are_no_text_stay_as_they_are(content, start):
    assert text_led_back(start + content, WAY) == start + content


def test_a_uid_within_a_picture_counts_as_named():
    picture = base64.b64encode(b"\x89PNG\xff " + NEW.encode()).decode()

    assert named_in_message(json.dumps({"contentType": "image/png", "data": picture}).encode()).uids == {NEW}


def test_what_stands_in_base64_is_unpacked_once(monkeypatch):
    unpack, seen = messages._unpacked, []
    monkeypatch.setattr(messages, "_unpacked", lambda encoded: seen.append(encoded) or unpack(encoded))
    packed = base64.b64encode(a_typed_pdf([f"Study {NEW}"])).decode()

    named = named_in_message(json.dumps({"data": packed}).encode())

    assert (named.uids, seen) == ({NEW}, [packed])


def attached(document: bytes) -> bytes:
    part = {"contentType": "application/pdf", "data": base64.b64encode(document).decode()}
    return json.dumps({"resourceType": "DiagnosticReport", "presentedForm": [part], "conclusion": TOKEN}).encode()


def test_a_uid_in_a_pdf_within_a_message_counts_as_named_and_is_put_back():
    message = attached(a_typed_pdf([f"Study {NEW}"]))

    (form,) = json.loads(fhir(message, WAY))["presentedForm"]

    assert named_in_message(message).uids == {NEW}
    assert uids_in(base64.b64decode(form["data"])) == frozenset()


def test_a_message_with_a_pdf_in_which_a_uid_cannot_be_put_back_is_refused():
    hidden = a_typed_pdf([f"{NEW[:6]})-20({NEW[6:]}"]).replace(b"Tj", b"TJ")

    assert NEW in named_in_message(attached(hidden)).uids
    with pytest.raises(MalformedInstance, match="it cannot be put back"):
        fhir(attached(hidden), WAY)


HIDDEN = a_typed_pdf([f"{NEW[:6]})-20({NEW[6:]}"]).replace(b"Tj", b"TJ")


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "application/pdf; x=y"])
def test_a_pdf_within_a_message_is_known_by_its_bytes(kind):
    part = {"contentType": kind, "data": base64.b64encode(A_PDF).decode()}
    resource = {"resourceType": "Binary"} | {key: value for key, value in part.items() if value}

    document = base64.b64decode(json.loads(fhir(json.dumps(resource).encode(), WAY))["data"])

    assert TOKEN.encode() in A_PDF
    assert "Nguyễn Thị Hương".encode("utf-16-be").hex().encode() in document[len(A_PDF) :]


def parted(encoded: str, by: str) -> str:
    return by.join(encoded[at : at + 76] for at in range(0, len(encoded), 76))


@pytest.mark.parametrize(
    "write",
    [
        lambda packed: attached_as(packed).replace(b"/", b"\\/"),
        lambda packed: attached_as(parted(packed, "\r\n")),
        lambda packed: attached_as(packed.rstrip("=")),
        lambda packed: (
            f"MSH|^~\\&|\rOBX|1|ED|PDF||^application^pdf^Base64^{parted(packed, chr(92) + '.br' + chr(92))}".encode()
        ),
        lambda packed: f"MSH|^~\\&|\rOBX|1|ED|PDF||^^^Base64^{parted(packed, chr(92) + 'X0D0A' + chr(92))}".encode(),
    ],
)
def test_a_pdf_within_a_message_is_read_however_its_base64_is_written(write):
    message = write(base64.b64encode(HIDDEN).decode())
    lead_back = hl7 if message.startswith(b"MSH") else fhir

    assert list(pdfs_in(message)) == [HIDDEN]
    assert NEW in named_in_message(message).uids
    with pytest.raises(MalformedInstance, match="it cannot be put back"):
        lead_back(message, WAY)


def attached_as(packed: str) -> bytes:
    return json.dumps({"resourceType": "Binary", "contentType": "application/pdf", "data": packed}).encode()


def test_a_message_with_an_encrypted_pdf_is_refused():
    packed = base64.b64encode(an_encrypted_pdf(TOKEN)).decode()

    with pytest.raises(MalformedInstance, match="is encrypted"):
        fhir(attached_as(packed), WAY)
    with pytest.raises(MalformedInstance, match="is encrypted"):
        hl7(f"MSH|^~\\&|\rOBX|1|ED|PDF||^application^pdf^Base64^{packed}".encode(), WAY)


def test_links_within_a_bundle_stay_and_say_whose_they_are():
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": f"https://hub.example/Patient/{TOKEN}", "resource": {"resourceType": "Patient", "id": TOKEN}},
            {"resource": {"resourceType": "Observation", "subject": {"reference": f"Patient/{TOKEN}"}}},
        ],
    }

    patient, observation = json.loads(fhir(json.dumps(bundle).encode(), WAY))["entry"]

    assert patient["fullUrl"] == f"https://hub.example/Patient/{TOKEN}"
    assert (patient["resource"]["id"], patient["resource"]["gender"]) == (TOKEN, "female")
    assert observation["resource"]["subject"] == {
        "reference": f"Patient/{TOKEN}",
        "identifier": {"value": "BN|1"},
        "display": "Nguyễn Thị Hương",
    }


def test_no_address_says_a_name():
    request = {"method": "PUT", "url": f"Patient?identifier={TOKEN}", "ifNoneExist": f"identifier={TOKEN}"}
    form = {"contentType": "application/dicom", "url": f"https://hub.example/{TOKEN}", "title": TOKEN}
    resource = {"presentedForm": [form], "meta": {"source": f"urn:x:{TOKEN}"}, "conclusion": f"BN:{TOKEN}"}
    bundle = {"resourceType": "Bundle", "entry": [{"request": request, "resource": resource}]}

    (entry,) = json.loads(fhir(json.dumps(bundle).encode(), WAY))["entry"]

    assert entry["request"] == request
    assert entry["resource"] == {
        "presentedForm": [form | {"title": "Nguyễn Thị Hương"}],
        "meta": {"source": f"urn:x:{TOKEN}"},
        "conclusion": "BN:Nguyễn Thị Hương",
    }


def test_a_name_with_marks_of_markup_breaks_no_narrative():
    way = replace(WAY, identity={"PatientName": "A&B<C"})
    resource = {"resourceType": "Basic", "text": {"status": "generated", "div": f"<div>{TOKEN}</div>"}}

    assert json.loads(fhir(json.dumps(resource).encode(), way))["text"]["div"] == "<div>A&amp;B&lt;C</div>"


def test_a_message_names_its_pseudonym_and_its_studies():
    named = studies_in(named_in_message(ORU.encode()), [NEW, "2.25.1"])

    assert (named.patient_id, named.study_instance_uid, named.uids) == (TOKEN, NEW, {NEW})


def test_what_a_document_within_a_message_names_counts_as_named():
    other = pseudonym(b"k" * 32, "site", "BN2")

    def with_note(note: str) -> bytes:
        packed = base64.b64encode(note.encode()).decode()
        return f"{ORU}\rOBX|3|ED|TXT||^text^plain^Base64^{packed}".encode()

    assert named_in_message(with_note("xem 2.25.99 và 2.25.100")).uids == {NEW, "2.25.99", "2.25.100"}
    assert named_in_message(with_note(f"như {TOKEN}")).patient_id == TOKEN
    assert named_in_message(with_note(f"như {other}")).patient_id == ""


def test_a_uid_within_a_longer_one_is_no_uid_of_ours():
    assert named_in_message(b"1.2.2.25.99 2.25.98.1 2.25.97").uids == {"2.25.97"}


def test_a_message_about_two_patients_names_none():
    other = pseudonym(b"k" * 32, "site", "BN2")

    assert named_in_message((ORU + other).encode()).patient_id == ""


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_what_is_neither_is_refused(content):
    with pytest.raises(MalformedInstance, match="it is not JSON"):
        fhir(content, WAY)
    with pytest.raises(MalformedInstance, match="MSH"):
        hl7(content, WAY)


def test_messages_have_bounds(monkeypatch):
    deep = json.dumps(BUNDLE)
    for _ in range(reidentify_fhir.DEPTH_MAX + 1):
        deep = f"[{deep}]"
    with pytest.raises(LimitExceeded, match="DEPTH_MAX"):
        fhir(deep.encode(), WAY)
    monkeypatch.setattr(messages, "MESSAGE_BYTES_MAX", 10)
    with pytest.raises(LimitExceeded, match="MESSAGE_BYTES_MAX"):
        named_in_message(ORU.encode())


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_names_nobody_stays_as_it_is(document):
    assert json.loads(fhir(json.dumps(document).encode(), WAY)) == document
