"""What waits for a person: identity that the search found, pixels that want a look, bytes that nobody understands."""

import struct
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from anonymizer import release as releasing
from anonymizer.pseudonyms.vault import VaultKind
from anonymizer.residue.search import Finding
from kernel import audit
from kernel.archive.tables import instance
from kernel.dicom.scanning.part10 import open_dataset
from kernel.errors import StorageFull, VaultDamaged
from kernel.events import EventName
from routing import status, vault
from routing.jobs import JobState
from routing.local import ATTEMPTS_MAX
from routing.tables import derived, job, vault_entry
from routing.vault import Asker
from tests.support.builders import a_ct, a_ct_series, an_us_cine

CREATOR, PRIVATE = 0x00290010, 0x00291010
PIXEL_DATA = b"\xe0\x7f\x10\x00"


def with_private_text(ds, text: str):
    ds.add_new(CREATOR, "LO", "PRETEND SAFE")
    ds.add_new(PRIVATE, "LO", text)
    return ds


@pytest.fixture
def keeps_private_tags(monkeypatch):
    """An engine that lets the private tag through, as a profile with safe private attributes would."""
    deidentify = releasing.deidentify

    def careless(content, **how):
        made, header = deidentify(content, **how), how["header"]
        elements = [header.get(tag) for tag in (CREATOR, PRIVATE)]
        if None in elements:
            return made
        kept = b"".join(_encoded(element.tag, header.value(element)) for element in elements)
        place = made.head.rindex(PIXEL_DATA)
        return replace(made, head=made.head[:place] + kept + made.head[place:])

    monkeypatch.setattr(releasing, "deidentify", careless)


def _encoded(tag: int, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"LO", len(value)) + value


def test_a_study_with_a_name_left_in_a_private_tag_is_held_and_not_sent(hospital, keeps_private_tags):
    ct = with_private_text(a_ct(PatientName="Meyer^Anna"), "ANNA MEYER")

    hospital.receives(ct)
    hospital.settles()

    (held,) = hospital.details(EventName.STUDY_HELD)
    assert (held["because"], held["in_tag"], held["kind"]) == ("residue", "(0029,1010)", "name")
    assert hospital.hub.batches == []
    assert "MEYER" not in str(hospital.events()).upper()
    assert hospital.count(derived) == 0


def test_a_held_instance_does_not_block_the_others(hospital, keeps_private_tags):
    slices = list(a_ct_series(4, PatientName="Meyer^Anna"))
    with_private_text(slices[0], "ANNA MEYER")
    with_private_text(slices[1], "Meyer, Anna")

    hospital.receives(*slices)
    hospital.settles()

    assert len(hospital.hub.instances) == 2
    assert len(hospital.events(EventName.STUDY_HELD)) == 1  # for one reason, once
    assert {one.sop_instance_uid for one in held_jobs(hospital)} == {one.SOPInstanceUID for one in slices[:2]}
    assert hospital.events(EventName.STUDY_DELIVERED) == []


def test_a_person_cannot_wave_residue_through(hospital, keeps_private_tags):
    hospital.receives(with_private_text(a_ct(PatientName="Meyer^Anna"), "ANNA MEYER"))
    hospital.settles()

    assert release(hospital) == 1
    hospital.settles()

    assert hospital.hub.batches == []
    assert len(held_jobs(hospital)) == 1


def test_what_was_held_goes_once_the_engine_does_better(hospital, keeps_private_tags, monkeypatch):
    hospital.receives(with_private_text(a_ct(PatientName="Meyer^Anna"), "ANNA MEYER"))
    hospital.settles()
    monkeypatch.undo()

    release(hospital)
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert len(hospital.events(EventName.STUDY_DELIVERED)) == 1


def test_the_real_engine_leaves_nothing_in_the_private_tag(hospital):
    hospital.receives(with_private_text(a_ct(PatientName="Meyer^Anna"), "ANNA MEYER"))

    hospital.settles()

    (content,) = hospital.hub.contents.values()
    assert b"MEYER" not in content.upper()


def test_an_ultrasound_waits_for_a_look_at_its_pixels_when_a_rule_says_so(hospital):
    hospital.with_rules({"to": "hub", "hold": "pixel-review"})

    hospital.receives(an_us_cine(), a_ct())
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    (held,) = hospital.details(EventName.STUDY_HELD)
    assert (held["because"], held["kind"], held["destination"]) == ("pixel-review", "ultrasound", "hub")

    released = release(hospital, an_us_cine().StudyInstanceUID)
    hospital.settles()

    assert released == 1
    assert len(hospital.hub.instances) == 2


def test_a_rule_can_hold_everything(hospital):
    hospital.with_rules({"to": ["hub", "pacs"], "hold": "review"})

    hospital.receives(*a_ct_series(3))
    hospital.settles()

    assert (hospital.hub.batches, hospital.pacs.batches) == ([], [])
    assert len(held_jobs(hospital)) == 6
    assert len(hospital.events(EventName.STUDY_HELD)) == 2  # one for each destination


def test_a_release_leaves_an_audit_line(hospital):
    hospital.with_rules({"to": "hub", "hold": "review"})
    hospital.receives(a_ct())
    hospital.settles()

    release(hospital)

    with hospital.database.read() as connection:
        (line,) = audit.of_study(connection, a_ct().StudyInstanceUID)
    assert (line.who, line.detail) == ("chi.lan", {"released": 1})


def test_an_instance_that_makes_the_anonymizer_fail_is_held_and_the_others_go_on(hospital, monkeypatch):
    deidentify, culprit = releasing.deidentify, a_ct(instance=2).SOPInstanceUID.encode()

    def fails(content, **how):
        if culprit in content[:]:
            raise ZeroDivisionError
        return deidentify(content, **how)

    monkeypatch.setattr(releasing, "deidentify", fails)
    hospital.receives(*a_ct_series(3))

    hospital.settles()

    assert len(hospital.hub.instances) == 2
    (held,) = held_jobs(hospital)
    assert (held.cause, held.detail) == ("failed", "ZeroDivisionError")


def test_an_instance_whose_pixels_took_long_is_told_when_it_was_ready_not_when_it_was_begun(
    hospital, clock, monkeypatch
):
    derive = hospital.deidentifier.derive

    def slowly(job):
        clock.advance(90)
        return derive(job)

    monkeypatch.setattr(hospital.deidentifier, "derive", slowly)
    received_at = clock.now()
    hospital.receives(a_ct())
    hospital.settles()

    (made,) = hospital.events(EventName.INSTANCE_DEIDENTIFIED)
    assert (made.at - received_at).total_seconds() == 90


def test_an_instance_that_keeps_ending_its_worker_is_held(hospital, clock):
    hospital.receives(a_ct(), released=False)
    # As after so many restarts in the middle of the step.
    hospital.database.write(lambda connection: connection.execute(update(job).values(attempts=ATTEMPTS_MAX)) and None)

    hospital.settles()

    (held,) = held_jobs(hospital)
    assert held.cause == "ended-its-worker"


def test_a_result_that_keeps_a_uid_of_its_origin_is_held(hospital, monkeypatch):
    deidentify = releasing.deidentify

    def keeps_the_study(content, **how):
        made = deidentify(content, **how)
        return replace(made, identity=replace(made.identity, study_instance_uid=a_ct().StudyInstanceUID))

    monkeypatch.setattr(releasing, "deidentify", keeps_the_study)
    hospital.receives(a_ct())

    hospital.settles()

    (held,) = hospital.details(EventName.STUDY_HELD)
    assert (held["because"], held["in_tag"]) == ("uid-kept", "(0020,000D)")
    assert hospital.hub.batches == []


def test_only_tags_of_findings_are_told_and_not_too_many(hospital, monkeypatch):
    many = tuple(Finding(f"(0029,10{number:02X})", "name") for number in range(20))
    monkeypatch.setattr(releasing.residue, "find", lambda *_: many)
    hospital.receives(a_ct())

    hospital.settles()

    (held,) = hospital.details(EventName.STUDY_HELD)
    assert len(held["in_tag"].split()) == 5


def test_a_full_disk_makes_the_step_wait_and_holds_nothing(hospital, clock, monkeypatch):
    def full(*_, **__):
        raise StorageFull(needed_bytes=1, free_bytes=0)

    hospital.receives(*a_ct_series(2))
    with monkeypatch.context() as patch:
        patch.setattr(hospital.blobs, "stage", full)
        hospital.settles()
    assert hospital.hub.batches == []

    clock.advance(300)
    hospital.settles()

    assert len(hospital.hub.instances) == 2
    assert hospital.events(EventName.STUDY_HELD) == []


def test_an_instance_whose_bytes_are_gone_is_reported_and_the_others_go_on(hospital):
    hospital.receives(*a_ct_series(3))
    (key, *_) = hospital.rows(select(instance.c.blob_key))
    hospital.blobs.path(key.blob_key).unlink()

    hospital.settles()

    assert len(hospital.hub.instances) == 2
    with hospital.database.read() as connection:
        (dead,) = status.stopped_jobs(connection, JobState.DEAD)
    assert (dead.kind, dead.cause) == ("deidentify", "damaged")
    assert len(hospital.events(EventName.DELIVERY_FAILED)) == 1


# --- the vault --------------------------------------------------------------------------------------------------------


ASKER = Asker("bs.minh", "requester", "10.0.0.9", "report")


def test_the_vault_leads_back_from_the_pseudonym_and_writes_down_who_asked(hospital):
    ct = a_ct()
    hospital.receives(ct)
    hospital.settles()
    pseudonym = pseudonym_at(hospital)

    entry = reveal(hospital, VaultKind.PATIENT, pseudonym)

    assert entry.identity["PatientID"] == ct.PatientID
    (line,) = lines(hospital)
    assert (line.who, line.outcome, line.detail["token"]) == ("bs.minh", "success", pseudonym)
    assert ct.PatientID not in str(line)


def test_an_unknown_token_is_written_down_without_the_token(hospital):
    assert reveal(hospital, VaultKind.PATIENT, "Nguyễn Thị Hương") is None

    (line,) = lines(hospital)
    assert line.outcome == "minor failure"
    assert "Hương" not in str(line)


def test_another_sites_keys_open_nothing(hospital):
    hospital.receives(a_ct())
    hospital.settles()
    with hospital.database.read() as connection:
        (row, *_) = connection.execute(select(vault_entry)).all()
    assert row.site == "BVA"
    hospital.database.write(
        lambda connection: connection.execute(update(vault_entry).values(ciphertext=b"\0" * 64)) and None
    )

    with pytest.raises(VaultDamaged, match="cannot be opened with key"):
        reveal(hospital, VaultKind.PATIENT, pseudonym_at(hospital))


def test_nothing_readable_of_the_patient_is_in_routings_tables(hospital):
    hospital.receives(a_ct(PatientName="Meyer^Anna", PatientID="MRN-778899"))
    hospital.settles()

    with hospital.database.read() as connection:
        rows = [str(row) for table in (derived, vault_entry, job) for row in connection.execute(select(table))]
    text = " ".join(rows).upper()
    assert "MEYER" not in text
    assert "778899" not in text


def pseudonym_at(hospital) -> str:
    (blob_key,) = {row.blob_key for row in hospital.rows(select(derived.c.blob_key))}
    return open_dataset(hospital.blobs.path(blob_key)).PatientID


def reveal(hospital, kind, token):
    return vault.reveal(hospital.database, hospital.keys, kind, token, ASKER, now=hospital.clock.now())


def lines(hospital):
    with hospital.database.read() as connection:
        return audit.of_study(connection, "")


def held_jobs(hospital):
    with hospital.database.read() as connection:
        return status.stopped_jobs(connection, JobState.HELD)


def release(hospital, uid: str | None = None) -> int:
    uid = uid or a_ct().StudyInstanceUID
    return hospital.database.write(lambda connection: status.release(connection, uid, "chi.lan", hospital.clock.now()))
