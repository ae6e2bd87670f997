"""HL7 orders become scheduled steps, are answered once they are durable, and are done once."""

import unicodedata

import pytest

from consult.order_rows import STEPS_PER_ORDER_MAX, OrderNumbers
from consult.orders import set_status
from consult.steps import Status, step_of
from gateway.hl7 import message as reader
from gateway.hl7 import orders
from kernel.clock import ManualClock
from tests.hl7.conftest import Hospital, a_hospital, an_orm


def test_an_orm_order_becomes_a_scheduled_step_at_the_only_station_of_its_modality(hospital: Hospital):
    answer = hospital.says(an_orm())

    assert answer[0][8:10] == ["ACK^O01^ACK", "ACK1"]
    assert answer[1][:3] == ["MSA", "AA", "MSG0001"]
    step = hospital.step()
    assert (step.accession_number, step.step_id, step.study_instance_uid) == ("ACC2611220001", "SPS1", "1.2.840.99.1")
    assert (step.patient_id, step.issuer, step.patient_name) == ("BN0001234", "BVMK", "Nguyễn^Thị^Hương")
    assert (step.patient_birth_date, step.patient_sex) == ("19700412", "F")
    assert (step.modality, step.station_ae_title, step.station_name) == ("CT", "CT1", "CT phòng 2")
    assert (step.start_date, step.start_time, step.priority) == ("20261122", "083000", "ROUTINE")
    assert (step.procedure_code, step.procedure_description) == ("CTHEAD", "CT sọ não")
    assert (step.requested_procedure_id, step.step_description) == ("RP1", "CT sọ não")
    assert (step.referring_physician_name, step.requesting_physician_name) == ("Lê^Văn^Bình", "Lê^Văn^Bình")
    assert (step.placer_order_number, step.filler_order_number) == ("PL77", "FI88")


def test_an_omi_order_has_a_step_for_each_of_its_ipc_segments(hospital: Hospital):
    segments = [
        "MSH|^~\\&|HIS|BVMK|VIENANH|MK01|20261122080000||OMI^O23^OMI_O23|7|P|2.5.1||||||UNICODE UTF-8",
        "PID|1||BN7^^^BVMK||Trần^Văn^Đức||19600101|M",
        "ORC|NW|PL1|FI1",
        "TQ1|1||||||20261123093000+0700||S",
        "OBR|1|PL1|FI1|MRKNEE^MRI khớp gối^LOCAL",
        "IPC|ACC7|RP7|1.2.3.7|A|MR|PROT^Thường quy^LOCAL|MRI 1||MR1",
        "IPC|ACC7|RP7|1.2.3.7|B|DX|PROT^Thẳng nghiêng^LOCAL|||DX1",
    ]

    assert hospital.answers("\r".join(segments)) == "AA"

    steps = [one.step for one in hospital.steps()]
    assert [(one.step_id, one.modality, one.station_ae_title) for one in steps] == [
        ("A", "MR", "MR1"),
        ("B", "DX", "DX1"),
    ]
    assert {one.study_instance_uid for one in steps} == {"1.2.3.7"}
    assert {(one.start_date, one.start_time, one.priority) for one in steps} == {("20261123", "093000", "STAT")}
    assert [one.step_description for one in steps] == ["Thường quy", "Thẳng nghiêng"]


def test_the_same_message_again_is_answered_the_same_and_changes_nothing(hospital: Hospital):
    first = hospital.answers(an_orm())
    hospital.answers(an_orm("CA", control_id="MSG0002"))

    again = hospital.answers(an_orm())

    assert (first, again) == ("AA", "AA")
    assert [one.status for one in hospital.steps()] == [Status.CANCELED]


def test_another_message_under_a_control_id_that_was_used_is_done(hospital: Hospital):
    hospital.answers(an_orm())

    assert hospital.answers(an_orm(accession="ACC2", study="1.2.2")) == "AA"

    assert [one.step.accession_number for one in hospital.steps()] == ["ACC2611220001", "ACC2"]


def test_an_order_is_changed_and_taken_back_by_its_numbers(hospital: Hospital):
    hospital.answers(an_orm())
    hospital.answers(an_orm("XO", control_id="2", start="202611231000", priority="S"))
    changed = hospital.step()

    assert hospital.answers(an_orm("CA", control_id="3", accession="")) == "AA"

    assert (changed.start_date, changed.start_time, changed.priority) == ("20261123", "1000", "STAT")
    assert [one.status for one in hospital.steps()] == [Status.CANCELED]


def test_taking_back_what_was_never_ordered_is_an_application_error(hospital: Hospital):
    answer = hospital.says(an_orm("CA"))

    assert answer[1][1] == "AE"
    assert answer[2][:4] == ["ERR", "", "", "204^^HL70357"]
    assert answer[1][3] == "There is no such order."


def test_an_adt_update_puts_the_patient_of_open_steps_right(hospital: Hospital):
    hospital.answers(an_orm())

    assert hospital.answers(an_orm(kind="ADT^A08", control_id="9", name="Nguyễn^Thị^Hường")) == "AA"

    assert hospital.step().patient_name == "Nguyễn^Thị^Hường"


def test_a_merge_gives_the_steps_of_the_old_id_to_the_new_one(hospital: Hospital):
    hospital.answers(an_orm())
    merge = an_orm(kind="ADT^A40", control_id="9", pid3="BN9^^^BVMK") + "MRG|BN0001234^^^BVMK\r"

    assert hospital.answers(merge) == "AA"

    assert hospital.step().patient_id == "BN9"


@pytest.mark.parametrize(
    ("charset", "encoding", "fallback"),
    [
        ("UNICODE UTF-8", "utf-8", None),
        ("", "utf-8", None),
        ("8859/1", "utf-8", None),
        ("ASCII", "utf-8", "cp1258"),
        ("", "cp1258", "cp1258"),
        ("CP1258", "cp1258", None),
    ],
)
def test_vietnamese_names_are_read_in_every_way_they_are_sent(database, charset: str, encoding: str, fallback):
    name = "Lê^Thị^Hà"
    sent = an_orm(charset=charset, name=name).replace("Nguyễn", "Le").replace("sọ não", "so nao")
    if encoding == "cp1258":
        sent = "".join(_decomposed(character) for character in sent)
    hospital = a_hospital(database, fallback)

    assert hospital.answers(sent, encoding) == "AA"

    assert unicodedata.normalize("NFC", hospital.step().patient_name) == name


def _decomposed(character: str) -> str:
    """Return what windows-1258 has for a letter: a base letter and a combining tone where it has no single byte."""
    try:
        character.encode("cp1258")
    except UnicodeEncodeError:
        base, *marks = unicodedata.normalize("NFD", character)
        joined = unicodedata.normalize("NFC", base + "".join(marks[:-1]))
        return joined + marks[-1] if len(marks) > 1 else base + marks[-1]
    return character


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (an_orm(name=""), "AE", "patient_name is missing"),
        (an_orm(modality=""), "AE", "modality is missing"),
        (an_orm(study="1.2.x"), "AE", "study_instance_uid is not a UID"),
        (an_orm(accession="A" * 17), "AE", "accession_number more than 16 characters"),
        (an_orm("ZZ"), "AE", "ORC-1 is not an order control code"),
        (an_orm(kind="ORU^R01"), "AR", "a message type that is not taken here"),
        (an_orm(charset="UNICODE UTF-16"), "AR", "the character set of MSH-18 is not known here"),
        (an_orm(control_id=""), "AR", "MSH-10 is missing"),
        ("MSH|^~\\&|A\r" + "NTE|x\r" * reader.SEGMENTS_MAX, "AR", "hl7.segments exceeded"),
        (an_orm() + "NTE" + "|" * reader.FIELDS_MAX, "AR", "hl7.fields exceeded"),
        ("MSH|^^^^|A", "AR", "MSH-1 and MSH-2 are no delimiters"),
        (b"PID|1", "AR", "does not begin with MSH"),
        (an_orm().encode("utf-8").replace("ễ".encode(), b"\xff"), "AR", "bytes that the character set"),
    ],
    ids=lambda value: None if isinstance(value, str | bytes) and len(value) > 60 else str(value),
)
def test_what_cannot_be_taken_is_refused_with_a_reason_that_names_no_patient(hospital, message, code, text):
    answer = hospital.says(message)

    assert answer[1][1] == code
    assert text in "|".join(answer[1])
    assert "Nguy" not in str(answer)
    assert hospital.steps() == []


def test_an_order_for_a_step_that_was_performed_comes_too_late(hospital: Hospital, database):
    hospital.answers(an_orm())
    numbers = OrderNumbers(accession_number="ACC2611220001")
    database.write(lambda c: set_status(c, "MK01", numbers, Status.COMPLETED, at=ManualClock().now()))

    answer = hospital.says(an_orm("XO", control_id="2"))

    assert answer[1][1] == "AE"
    assert "COMPLETED and may not be changed" in answer[1][3]


def test_one_bad_step_undoes_the_whole_message(hospital: Hospital):
    hospital.answers(an_orm())
    two = an_orm("XO", control_id="2", start="202612010000") + "ORC|CA|NO|NO\rOBR|2|NO|NO\r"

    assert hospital.answers(two) == "AE"

    assert hospital.step().start_date == "20261122"


def test_a_description_longer_than_an_attribute_may_be_is_cut_and_not_refused(hospital: Hospital):
    assert hospital.answers(an_orm().replace("CT sọ não", "CT sọ não " * 20)) == "AA"

    assert len(hospital.step().procedure_description) <= 64


def test_escapes_and_repetitions_are_read_as_the_encoding_characters_say(hospital: Hospital):
    message = an_orm(name=r"O\T\Brien^Ann\S\ee", pid3="X1^^^A^PI~BN5^^^B^MR")

    hospital.answers(message)

    step = hospital.step()
    assert step.patient_name == "O&Brien^Ann^ee"
    assert (step.patient_id, step.issuer) == ("BN5", "B")


def test_a_message_of_far_too_many_orders_is_not_read_to_its_end(hospital: Hospital, monkeypatch):
    read: list[object] = []
    monkeypatch.setattr(orders, "step_of", lambda values: read.append(values) or step_of(values))
    head, pid, visit, orc, obr, *_ = an_orm().split("\r")

    assert hospital.answers("\r".join([head, pid, visit, *[orc, obr] * 900])) == "AR"

    assert len(read) == STEPS_PER_ORDER_MAX + 1
    assert hospital.steps() == []
