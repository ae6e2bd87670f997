"""The one way in: what is kept, what is a duplicate, what is kept apart, what is refused."""

import threading
from pathlib import Path

import pytest
import zstandard
from sqlalchemy import select

from kernel.archive.records import Outcome
from kernel.archive.tables import conflict, instance, patient, quarantine, series, study, study_modality
from kernel.errors import (
    Busy,
    IdentityMismatch,
    InvalidIdentifier,
    MalformedInstance,
    MissingIdentifier,
    StorageFull,
)
from tests.archive.conftest import ON_DISK, Archive, an_origin, open_archive
from tests.support.builders import a_cr, a_ct, a_ct_series, as_dataset_bytes


def test_an_instance_is_indexed_under_its_patient_study_and_series(archive: Archive):
    ds = a_ct()

    (answer,) = archive.receives(ds, origin=an_origin(trace_id="ab" * 16))

    assert answer.outcome is Outcome.STORED
    assert answer.trace_id == "ab" * 16
    row = archive.row(select(instance))
    assert (row.site, row.sop_instance_uid, row.sop_class_uid) == ("BVA", ds.SOPInstanceUID, ds.SOPClassUID)
    assert (row.rows, row.columns, row.number_of_frames, row.bits_allocated) == (64, 64, 1, 16)
    assert archive.blobs.path(row.blob_key).stat().st_size == row.size_bytes
    archive.blobs.verify(row.blob_key, row.sha256, row.dataset_offset)
    assert b'"00080018":{"vr":"UI"' in zstandard.ZstdDecompressor().decompress(row.metadata)
    found = archive.row(select(study))
    assert (found.patient_name, found.name_fold) == ("Nguyễn^Thị Hương", "nguyen^thi huong")
    assert (found.number_of_series, found.number_of_instances, found.revision) == (1, 1, 1)
    assert (found.modalities, found.body_part, found.state) == ("CT", "HEAD", "receiving")
    assert found.size_bytes == row.size_bytes
    assert archive.row(select(series)).number_of_instances == 1
    assert archive.row(select(study_modality)).modality == "CT"
    assert archive.row(select(patient)).patient_id == ds.PatientID
    assert archive.events() == [
        ("InstanceReceived", {"sop_instance_uid": ds.SOPInstanceUID, "channel": "dimse", "peer": "CT1"})
    ]
    assert [stored.instance_pk for stored in archive.stored] == [row.pk]
    assert archive.files() == []


def test_a_study_counts_its_series_instances_and_modalities(archive: Archive):
    archive.receives(*a_ct_series(3, seed="a"))
    archive.receives(
        a_cr(seed="cr", StudyInstanceUID=a_ct(seed="a").StudyInstanceUID, PatientID=a_ct(seed="a").PatientID)
    )

    found = archive.row(select(study))

    assert (found.number_of_series, found.number_of_instances, found.revision) == (2, 4, 4)
    assert found.modalities == "CR\\CT"
    assert found.trace_id == archive.stored[0].ingested.trace_id == archive.stored[3].ingested.trace_id
    assert not found.patient_disputed
    assert [row.number_of_instances for row in archive.rows(select(series).order_by(series.c.pk))] == [3, 1]


def test_the_same_bytes_twice_are_a_duplicate_without_effect(archive: Archive):
    archive.receives(a_ct())
    before = archive.row(select(study))

    (again,) = archive.receives(a_ct())

    assert again.outcome is Outcome.DUPLICATE
    assert again.trace_id == before.trace_id
    assert archive.row(select(study)) == before
    assert archive.count(instance) == 1
    assert len(archive.events()) == 1
    assert len(archive.stored) == 1
    assert archive.files() == []


def test_the_same_bytes_from_many_threads_at_once_are_stored_once(archive: Archive):
    stages = [archive.stage(a_ct()) for _ in range(6)]
    start, outcomes = threading.Barrier(6), []

    def send(staged):
        start.wait()
        outcomes.append(archive.ingest.ingest(staged, an_origin()).outcome)

    threads = [threading.Thread(target=send, args=(staged,)) for staged in stages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [Outcome.DUPLICATE] * 5 + [Outcome.STORED]
    assert archive.row(select(study)).number_of_instances == 1
    assert archive.count(instance) == 1
    assert len(list(archive.blobs.walk())) == 1


def test_other_bytes_under_one_uid_are_kept_apart_and_reported(archive: Archive):
    first, other = a_ct(), a_ct(KVP="140")
    archive.receives(first)
    served = archive.row(select(instance))

    (answer,) = archive.receives(other, origin=an_origin(peer="CT2"))

    assert answer.outcome is Outcome.CONFLICT
    assert archive.row(select(instance)) == served, "the first is what is served"
    apart = archive.row(select(conflict))
    assert apart.first_instance_pk == served.pk
    assert archive.blobs.path(apart.blob_key).read_bytes().endswith(as_dataset_bytes(other))
    archive.blobs.verify(served.blob_key, served.sha256, served.dataset_offset)
    name, detail = archive.events()[-1]
    assert name == "InstanceConflict"
    assert detail == {
        "kind": "bytes",
        "sop_instance_uid": first.SOPInstanceUID,
        "conflict": apart.pk,
        "peer": "CT2",
    }
    assert archive.row(select(study)).number_of_instances == 1


def test_a_conflict_sent_again_has_no_further_effect(archive: Archive):
    archive.receives(a_ct(), a_ct(KVP="140"))
    events = archive.events()

    (again,) = archive.receives(a_ct(KVP="140"))

    assert again.outcome is Outcome.CONFLICT
    assert archive.count(conflict) == 1
    assert archive.events() == events


def test_a_uid_reused_in_another_study_makes_no_empty_study(archive: Archive):
    archive.receives(a_ct(seed="a"))

    (answer,) = archive.receives(a_ct(seed="b", SOPInstanceUID=a_ct(seed="a").SOPInstanceUID))

    assert answer.outcome is Outcome.CONFLICT
    assert archive.count(study) == archive.count(series) == archive.count(patient) == 1


def test_the_same_bytes_in_one_group_with_a_conflict_are_told_apart(archive: Archive):
    received = [
        archive.prepared(ds) for ds in (a_ct(), a_ct(), a_ct(KVP="140"), a_ct(seed="b"), a_ct(seed="b", KVP="140"))
    ]

    answers = archive.database.write(
        lambda connection: archive.committer._write_batch(connection, [(one, ON_DISK) for one in received])
    )

    assert [answer.outcome for answer in answers] == ["stored", "duplicate", "conflict", "stored", "conflict"]
    assert archive.count(instance) == 2
    assert archive.count(conflict) == 2


def test_two_sites_never_merge(archive: Archive):
    archive.receives(a_ct(), origin=an_origin("BVA"))

    (answer,) = archive.receives(a_ct(), origin=an_origin("BVB"))

    assert answer.outcome is Outcome.STORED
    assert [row.site for row in archive.rows(select(study).order_by(study.c.site))] == ["BVA", "BVB"]
    assert len({row.patient_pk for row in archive.rows(select(study))}) == 2
    assert archive.count(patient) == archive.count(instance) == 2
    assert len(list(archive.blobs.walk())) == 1, "equal bytes are kept once"


def test_other_bytes_at_another_site_are_no_conflict(archive: Archive):
    archive.receives(a_ct(), origin=an_origin("BVA"))

    (answer,) = archive.receives(a_ct(KVP="140"), origin=an_origin("BVB"))

    assert answer.outcome is Outcome.STORED
    assert archive.count(conflict) == 0


def test_one_patient_of_one_site_has_one_row_and_issuers_keep_patients_apart(archive: Archive):
    same = {"PatientID": "1"}
    archive.receives(a_ct(seed="a", **same), a_ct(seed="b", **same), a_ct(seed="c", IssuerOfPatientID="X", **same))

    assert archive.count(patient) == 2
    assert len({row.patient_pk for row in archive.rows(select(study))}) == 2


def test_without_a_patient_id_each_study_has_a_patient_of_its_own(archive: Archive):
    archive.receives(a_ct(seed="a", PatientID=""), a_ct(seed="b", PatientID=""))

    assert archive.count(patient) == 2


def test_an_instance_that_names_another_patient_marks_its_study_once(archive: Archive):
    archive.receives(a_ct(instance=1, PatientID="1"))

    answers = archive.receives(
        a_ct(instance=2, PatientID="2"),
        a_ct(instance=3, PatientID="2"),
        a_ct(instance=4, PatientID="2", SeriesInstanceUID="2.25.77"),
    )

    assert {answer.outcome for answer in answers} == {Outcome.STORED}
    found = archive.row(select(study))
    assert (found.patient_disputed, found.patient_id, found.number_of_instances) == (True, "1", 4)
    disputes = [detail for name, detail in archive.events() if name == "InstanceConflict"]
    assert disputes == [{"kind": "patient", "sop_instance_uid": a_ct(instance=2).SOPInstanceUID}]


REFUSED = {
    "no study": (lambda: a_ct(StudyInstanceUID=""), MissingIdentifier, "StudyInstanceUID is missing"),
    "no series": (lambda: a_ct(SeriesInstanceUID=""), MissingIdentifier, "SeriesInstanceUID is missing"),
    "not a UID": (lambda: a_ct(StudyInstanceUID="1.2.x"), InvalidIdentifier, "StudyInstanceUID is not a UID"),
    "html": (lambda: b"<html><body>404 Not Found</body></html>", MalformedInstance, "Not a readable DICOM data set"),
    "empty": (lambda: b"", MissingIdentifier, "is missing"),
    "truncated": (lambda: as_dataset_bytes(a_ct())[:-10], MalformedInstance, "Not a readable DICOM data set"),
    "cut in the header": (lambda: as_dataset_bytes(a_ct())[:301], MalformedInstance, "Not a readable DICOM data set"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_refused_and_kept_in_quarantine_with_the_reason(archive: Archive, name):
    make, error, message = REFUSED[name]
    content = make()
    staged = archive.stage(content)

    with pytest.raises(error, match=message):
        archive.ingest.ingest(staged, an_origin())

    row = archive.row(select(quarantine))
    assert (row.code, row.peer, row.session, row.site) == (error.__name__, "CT1", "s1", "BVA")
    assert message in row.reason
    archive.blobs.verify(row.blob_key, row.sha256, row.dataset_offset)
    sent = content if isinstance(content, bytes) else as_dataset_bytes(content)
    assert archive.blobs.path(row.blob_key).read_bytes()[row.dataset_offset :] == sent
    assert archive.count(instance) == archive.count(study) == 0
    assert archive.files() == []
    assert archive.events() == [
        ("InstanceQuarantined", {"quarantine": row.pk, "code": error.__name__, "sha256": row.sha256})
    ]


def test_the_declared_identifiers_must_be_those_of_the_data_set(archive: Archive):
    with pytest.raises(IdentityMismatch, match="SOPInstanceUID in the data set differs from what the sender declared"):
        archive.ingest.ingest(archive.stage(a_ct(), uid="2.25.9"), an_origin())
    with pytest.raises(IdentityMismatch, match="SOPClassUID in the data set differs"):
        archive.ingest.ingest(archive.stage(a_ct(), class_uid="1.2.840.10008.5.1.4.1.1.7"), an_origin())
    with pytest.raises(IdentityMismatch, match="StudyInstanceUID in the data set differs from the URL"):
        archive.ingest.ingest(archive.stage(a_ct()), an_origin(), study_instance_uid="2.25.9")

    assert [row.code for row in archive.rows(select(quarantine))] == ["IdentityMismatch"]
    assert archive.count(instance) == 0


def test_the_same_refused_bytes_again_are_kept_once(archive: Archive):
    for _ in range(3):
        with pytest.raises(MalformedInstance):
            archive.ingest.ingest(archive.stage(b"<html>"), an_origin())

    assert archive.count(quarantine) == 1
    assert len(archive.files("quarantine")) == 1


def test_a_full_quarantine_tells_the_sender_to_keep_the_instance(tmp_path: Path, database):
    archive = open_archive(tmp_path / "blobs", database, quarantine_bytes_max=150_000)
    for number in range(2):
        with pytest.raises(MalformedInstance):
            archive.ingest.ingest(archive.stage(b"<html>%d" % number), an_origin())

    with pytest.raises(StorageFull, match="65536 bytes needed, 18928 free"):
        archive.ingest.ingest(archive.stage(b"<html>3"), an_origin())
    with pytest.raises(MalformedInstance):
        archive.ingest.ingest(archive.stage(b"<html>1"), an_origin())

    assert archive.count(quarantine) == len(archive.files("quarantine")) == 2
    assert archive.files() == []


def test_a_failing_participant_leaves_no_row_and_the_instance_may_come_again(archive: Archive):
    def fail(connection, stored):
        raise Busy(what="the planted fault")

    archive.committer._participants = [fail]
    with pytest.raises(Busy, match="planted"):
        archive.receives(a_ct())
    assert archive.count(instance) == archive.count(study) == archive.count(patient) == 0
    assert archive.events() == []
    archive.committer._participants = []

    (answer,) = archive.receives(a_ct())

    assert answer.outcome is Outcome.STORED


def test_one_bad_instance_does_not_fail_its_group(archive: Archive):
    def fail(connection, stored):
        if any(one.received.attributes.instance_number == 2 for one in stored):
            raise Busy(what="the planted fault")

    received = [archive.prepared(ds) for ds in a_ct_series(5)]
    archive.committer._participants = [fail]
    hold = threading.Event()
    blocker = archive.database.submit(lambda _: hold.wait(30))
    futures = [archive.committer.submit(one, ON_DISK) for one in received]
    hold.set()
    blocker.result(30)

    outcomes = [future.exception(30) or future.result() for future in futures]

    assert [type(outcome).__name__ for outcome in outcomes] == ["Ingested", "Busy"] + ["Ingested"] * 3
    assert archive.count(instance) == archive.row(select(study)).number_of_instances == 4
    archive.committer._participants = []
    assert archive.receives(*a_ct_series(5))[1].outcome is Outcome.STORED
    assert archive.row(select(study)).number_of_instances == 5


def test_parents_made_by_an_undone_transaction_are_not_remembered(archive: Archive):
    (received,) = [archive.prepared(ds) for ds in a_ct_series(1)]

    def change(connection):
        archive.committer._write_batch(connection, [(received, ON_DISK)])
        raise Busy(what="the planted fault")

    with pytest.raises(Busy):
        archive.database.write(change)
    assert archive.committer._parents.get(("BVA", a_ct().StudyInstanceUID, a_ct().SeriesInstanceUID)) is None

    assert archive.committer.commit(received, ON_DISK).outcome is Outcome.STORED
    assert archive.row(select(study)).number_of_series == 1


def test_text_that_an_engine_cannot_take_does_not_lose_the_instance(archive: Archive):
    ds = a_ct(StudyDescription="CT\0 so nao", SeriesNumber="2147483647", AccessionNumber="A" * 5000)

    (answer,) = archive.receives(ds)

    assert answer.outcome is Outcome.STORED
    assert "\0" not in archive.row(select(study)).study_description


def test_remembered_parents_are_bounded(sqlite_archive: Archive):
    sqlite_archive.committer._parents._series_max = 2

    sqlite_archive.receives(*(a_ct(seed=str(number)) for number in range(4)))

    assert len(sqlite_archive.committer._parents._known) == 2
    assert sqlite_archive.receives(a_ct(seed="0", instance=2))[0].outcome is Outcome.STORED
    assert sqlite_archive.count(study) == 4
