"""The worklist and what a study consists of, for those who may see it."""

from kernel import audit
from kernel.access import NewAccount
from tests.server.conftest import PASSWORD


def test_the_worklist_shows_a_study_and_what_is_known_of_it(room):
    uid = room.add_study(seed="one")

    with room.signed_in() as client:
        (study,) = client.get("/api/worklist").json()["studies"]

    assert (study["studyInstanceUID"], study["have"], study["expected"], study["state"]) == (uid, 2, None, "receiving")
    assert (study["modalities"], study["bodyPart"], study["priority"]) == (["CT"], "HEAD", "routine")


def test_a_name_is_found_without_accents_and_in_any_order(room):
    room.add_study(seed="huong", PatientName="Nguyễn^Thị Hương")
    room.add_study(seed="duc", PatientName="Trần^Văn Đức")

    with room.signed_in() as client:
        for words in ("huong", "HUONG NGUYEN", "thi hương", "Nguyễn"):
            found = client.get("/api/worklist", params={"q": words}).json()["studies"]
            assert [study["patientName"] for study in found] == ["Nguyễn^Thị Hương"], words
        assert [s["patientName"] for s in client.get("/api/worklist", params={"q": "duc"}).json()["studies"]] == [
            "Trần^Văn Đức"
        ]


def test_the_worklist_is_filtered_by_modality_and_by_when_the_study_arrived(room):
    room.add_study(seed="ct", StudyDate="19990101")

    with room.signed_in() as client:

        def count(**params: str) -> int:
            return len(client.get("/api/worklist", params=params).raise_for_status().json()["studies"])

        assert count(modality="CT", received_from="2026-01-01T00:00:00Z") == 1
        assert count(modality="MR") == 0
        assert count(received_before="2026-01-01T00:00:00+07:00") == 0
        assert count(received_from="2999-01-01T00:00:00Z") == 0
        assert client.get("/api/worklist", params={"received_from": "yesterday"}).status_code == 400


def test_a_quiet_worklist_is_answered_with_304_until_something_arrives(room):
    room.add_study(seed="first")
    with room.signed_in() as client:
        etag = client.get("/api/worklist").headers["ETag"]

        assert client.get("/api/worklist", headers={"If-None-Match": etag}).status_code == 304
        room.add_study(seed="second")
        assert client.get("/api/worklist", headers={"If-None-Match": etag}).status_code == 200


def test_a_study_s_series_and_trace_are_told_and_the_opening_is_audited(room):
    uid = room.add_study(seed="trace")

    with room.signed_in() as client:
        (series,) = client.get(f"/api/studies/{uid}/series").json()
        events = [event["name"] for event in client.get(f"/api/studies/{uid}/trace").json()]
        one = client.get(f"/api/studies/{uid}").json()

    assert (series["modality"], series["instances"], one["have"]) == ("CT", 2, 2)
    assert events[:2] == ["InstanceReceived", "InstanceReceived"]
    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, uid)
    assert [(line.who, line.action, line.outcome) for line in lines] == [("lan", "DICOM Instances Accessed", "success")]


def test_studies_of_another_site_are_neither_listed_nor_told(room):
    uid = room.add_study(seed="here")

    with room.signed_in("bot") as client:
        assert client.get("/api/worklist").json()["studies"] == []
        assert client.get(f"/api/studies/{uid}/series").status_code == 404


def test_nobody_reads_without_signing_in(room):
    uid = room.add_study(seed="closed")

    with room.client() as client:
        for path in ("/api/worklist", f"/api/studies/{uid}", f"/api/studies/{uid}/series", f"/api/studies/{uid}/trace"):
            assert client.get(path).status_code == 401, path
        assert client.get("/api/node").json()["site"] == "LOCAL"


def test_priors_are_the_other_studies_of_the_same_person_at_the_same_site_newest_first(room):
    now = room.add_study(seed="now", PatientID="77", StudyDate="20261122")
    older = room.add_study(seed="older", PatientID="77", StudyDate="20240105")
    newer = room.add_study(seed="newer", PatientID="77", StudyDate="20251231")
    room.add_study(seed="another", PatientID="770")
    room.add_study(seed="issued elsewhere", PatientID="77", IssuerOfPatientID="BV2")

    with room.signed_in() as client:
        found = client.get(f"/api/studies/{now}/priors").raise_for_status().json()

    assert [study["studyInstanceUID"] for study in found] == [newer, older]


def test_priors_come_from_other_sites_where_the_issuer_is_shared_and_the_reader_may_see_them(room):
    shared = {"PatientID": "DN4790000000001", "IssuerOfPatientID": "BHYT"}
    here = room.add_study(seed="here", **shared)
    there = room.add_study(seed="there", site="BV2", **shared)
    room.add_study(seed="a number of its own", site="BV2", PatientID=shared["PatientID"], IssuerOfPatientID="BV2")
    own = room.add_study(seed="own", PatientID="5", IssuerOfPatientID="BV1")
    room.add_study(seed="own there", site="BV2", PatientID="5", IssuerOfPatientID="BV1")
    room.stores.access.accounts.create(NewAccount("minh", ["reader"], ["LOCAL"]), PASSWORD, by="test")

    with room.signed_in() as client:
        found = client.get(f"/api/studies/{here}/priors").raise_for_status().json()
        of_one_site = client.get(f"/api/studies/{own}/priors").raise_for_status().json()
    with room.signed_in("minh") as client:
        denied = client.get(f"/api/studies/{here}/priors").raise_for_status().json()

    assert [(study["site"], study["studyInstanceUID"]) for study in found] == [("BV2", there)]
    assert of_one_site == denied == []


def test_newer_studies_of_others_with_the_same_number_displace_no_priors(room, monkeypatch):
    monkeypatch.setattr("viewer.server.reading.PRIORS_MAX", 2)
    here, prior = (
        room.add_study(seed=seed, PatientID="5", IssuerOfPatientID="BHYT", StudyDate=date)
        for seed, date in (("here", "20260102"), ("prior", "20250101"))
    )
    for number in range(2):
        room.add_study(seed=f"{number}", site="BV2", PatientID="5", IssuerOfPatientID="BV2", StudyDate="20260103")

    with room.signed_in() as client:
        found = client.get(f"/api/studies/{here}/priors").raise_for_status().json()

    assert [study["studyInstanceUID"] for study in found] == [prior]


def test_a_number_with_a_wildcard_and_a_missing_number_have_no_priors_of_others(room):
    starred = room.add_study(seed="starred", PatientID="7*")
    room.add_study(seed="seventy", PatientID="70")
    unnamed = room.add_study(seed="unnamed", PatientID="")
    room.add_study(seed="unnamed too", PatientID="")

    with room.signed_in() as client:
        for uid in (starred, unnamed):
            assert client.get(f"/api/studies/{uid}/priors").json() == []
        assert client.get("/api/studies/1.2.3/priors").status_code == 404
