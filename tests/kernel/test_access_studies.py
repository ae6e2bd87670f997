"""The only way to a study: who may, who is told that it is not there, and the line that says who did."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from kernel.access import Access, Action, Principal, Role, Scope, system
from kernel.access import studies as studies_module
from kernel.archive.search.search import StudyQuery
from kernel.archive.tables import patient, study
from kernel.audit import audit
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.dicom.queries.matching import Exact
from kernel.errors import AmbiguousStudy, DatabaseUnavailable, Forbidden, NotFound
from kernel.events import EventName, of_study
from tests.support.access import HOME, audited

STUDY = "1.2.840.1"
READ = frozenset({Scope.DICOMWEB_READ, Scope.API_READ})
OPENED = ("bs.huong", "success", "")


def reader(*sites: str, scopes: frozenset[Scope] = READ, **more: Any) -> Principal:
    return Principal("bs.huong", "account", frozenset({Role.READER}), scopes, frozenset(sites) or None, **more)


def has(database: Database, site: str, uid: str = STUDY, **more: Any) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def change(connection: Connection) -> None:
        (patient_pk,) = connection.execute(patient.insert(), {"site": site, "only_in_study": uid}).inserted_primary_key
        values = {
            "site": site,
            "study_instance_uid": uid,
            "patient_pk": patient_pk,
            "first_received_at": now,
            "last_received_at": now,
            "worklist_rank": 0,
            "trace_id": f"trace-{site}",
        }
        connection.execute(study.insert(), {**values, **more})

    database.write(change)


def opens(access: Access, principal: Principal, uid: str = STUDY, **more: Any) -> str:
    return access.open_study(principal, uid, Action.INSTANCES_ACCESSED, HOME, **more).site


def test_a_study_is_handed_out_with_a_line_and_an_event_that_say_to_whom(access: Access, database: Database):
    has(database, "HN-01")

    grant = access.open_study(reader(), STUDY, Action.INSTANCES_ACCESSED, HOME)

    assert (grant.site, grant.study_instance_uid, grant.trace_id) == ("HN-01", STUDY, "trace-HN-01")
    assert grant.holder == "bs.huong"
    with database.read() as connection:
        (line,) = connection.execute(audit.select()).all()
        (event,) = of_study(connection, "HN-01", STUDY)
    assert (line.who, line.role, line.site, line.study_uid) == ("bs.huong", "reader", "HN-01", STUDY)
    assert (line.action, line.address) == ("DICOM Instances Accessed", HOME)
    assert (event.name, event.trace_id) == (EventName.STUDY_OPENED, "trace-HN-01")


def test_one_line_is_enough_for_ten_minutes_of_looking(access: Access, database: Database, clock: ManualClock):
    has(database, "HN-01")

    for _ in range(10):
        opens(access, reader())
        clock.advance(59)
    assert audited(database) == [OPENED]

    clock.advance(10)
    opens(access, reader())
    assert audited(database) == [OPENED] * 2


def test_another_action_address_or_person_has_a_line_of_its_own(access: Access, database: Database):
    has(database, "HN-01")
    another = Principal("bs.an", "account", frozenset(), READ)

    access.open_study(reader(), STUDY, Action.INSTANCES_ACCESSED, HOME)
    access.open_study(reader(), STUDY, Action.EXPORT, HOME)
    access.open_study(reader(), STUDY, Action.INSTANCES_ACCESSED, "10.0.0.8")
    access.open_study(another, STUDY, Action.INSTANCES_ACCESSED, HOME)

    assert [who for who, _, _ in audited(database)] == ["bs.huong"] * 3 + ["bs.an"]


def test_a_system_leaves_a_line_but_opens_nothing(access: Access, database: Database):
    has(database, "HN-01")

    access.open_study(system("delivery"), STUDY, Action.INSTANCES_TRANSFERRED, HOME)
    access.open_study(system("delivery"), STUDY, Action.INSTANCES_ACCESSED, HOME)

    assert len(audited(database)) == 2
    with database.read() as connection:
        assert of_study(connection, None, STUDY) == []


def test_frames_after_the_first_do_not_ask_the_database(
    access: Access, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    has(database, "HN-01")
    opens(access, reader())
    with monkeypatch.context() as without:
        without.setattr(database, "read", None)
        without.setattr(database, "submit", None)
        assert opens(access, reader()) == "HN-01"

    database.write(lambda connection: connection.execute(study.delete()) and None)
    clock.advance(5)

    with pytest.raises(NotFound):
        opens(access, reader())


def test_a_study_of_another_site_is_not_there_and_the_attempt_is_written_down(access: Access, database: Database):
    has(database, "DN-02")

    for _ in range(3):
        with pytest.raises(NotFound, match="There is no such study"):
            opens(access, reader("HN-01"))
    assert audited(database) == [("bs.huong", "serious failure", "")]

    with pytest.raises(NotFound, match="There is no such study"):
        opens(access, reader("HN-01"), site="DN-02")
    assert audited(database) == [("bs.huong", "serious failure", "")]


def test_a_study_that_is_nowhere_gets_the_same_answer_and_no_line(access: Access, database: Database):
    with pytest.raises(NotFound, match="There is no such study"):
        opens(access, reader("HN-01"), "1.2.3")

    assert audited(database) == []


def test_who_may_not_read_is_refused_and_written_down(access: Access, database: Database):
    for uid in (STUDY, STUDY, "NGUYEN^VAN A"):
        with pytest.raises(Forbidden, match="may not read studies"):
            opens(access, reader(scopes=frozenset({Scope.DICOMWEB_STORE})), uid)

    with database.read() as connection:
        lines = connection.execute(audit.select().order_by(audit.c.seq)).all()
    assert [(line.outcome, line.study_uid) for line in lines] == [("serious failure", STUDY), ("serious failure", "")]


def test_one_uid_at_two_sites_must_be_named_with_its_site(access: Access, database: Database):
    has(database, "HN-01")
    has(database, "DN-02")

    with pytest.raises(AmbiguousStudy, match=f"Study {STUDY} is here from more than one site"):
        opens(access, reader())

    assert opens(access, reader(), site="DN-02") == "DN-02"
    assert opens(access, reader("HN-01")) == "HN-01"


def test_a_study_is_not_handed_out_when_the_line_cannot_be_written(
    access: Access, database: Database, monkeypatch: pytest.MonkeyPatch
):
    has(database, "HN-01")

    def fail(*_: object) -> None:
        raise DatabaseUnavailable(reason="database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(studies_module, "append", fail)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="disk is full"):
                opens(access, reader())

    assert opens(access, reader()) == "HN-01"
    assert audited(database) == [OPENED]


def test_many_frames_at_once_wait_for_one_line(access: Access, database: Database):
    has(database, "HN-01")
    seen: list[int] = []

    def frame() -> None:
        opens(access, reader())
        seen.append(len(audited(database)))

    threads = [threading.Thread(target=frame) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert seen == [1] * 8
    assert audited(database) == [OPENED]


def test_what_is_remembered_of_lines_is_bounded(access: Access):
    assert access._studies._told._most == studies_module.AUDITED_MAX
    assert access._studies._grants._most == studies_module.GRANTS_MAX


def found(access: Access, principal: Principal, query: StudyQuery) -> list[str]:
    return [row.site for row in access.search_studies(principal, query, HOME).rows]


def test_a_search_finds_what_the_caller_may_see_and_not_what_else_is_asked_for(access: Access, database: Database):
    has(database, "HN-01", study_date="20261121")
    has(database, "DN-02", study_date="20261122")

    assert found(access, reader(), StudyQuery()) == ["DN-02", "HN-01"]
    assert found(access, reader("HN-01"), StudyQuery()) == ["HN-01"]
    assert found(access, reader(), StudyQuery(sites=frozenset({"DN-02"}))) == ["DN-02"]
    assert found(access, reader("HN-01"), StudyQuery(sites=frozenset({"HN-01", "DN-02"}))) == ["HN-01"]
    assert found(access, reader("HN-01"), StudyQuery(sites=frozenset({"DN-02"}))) == []
    with pytest.raises(Forbidden, match="may not read studies"):
        found(access, reader(scopes=frozenset()), StudyQuery())


def test_the_line_of_a_search_names_its_keys_and_not_the_patient(access: Access, database: Database):
    found(access, reader(), StudyQuery(matches={"PatientID": Exact("NGUYEN 7")}, text="nguyen"))

    assert audited(database) == [("bs.huong", "success", '{"keys": "PatientID,text"}')]


def test_searching_below_the_study_names_the_sites_and_writes_the_keys_alone(access: Access, database: Database):
    assert access.may_search(reader("HN-01"), ["PatientName", "Modality"], HOME) == {"HN-01"}
    assert access.may_search(reader("HN-01"), ["PatientName", "Modality"], HOME) == {"HN-01"}
    assert access.may_search(reader(), [], HOME) is None
    access.may_search(reader(), [f"x{number:03}" for number in range(1000)], HOME)

    named, empty, many = audited(database, Action.QUERY)
    assert named == ("bs.huong", "success", '{"keys": "Modality,PatientName"}')
    assert empty == ("bs.huong", "success", '{"keys": ""}')
    assert many[2].count("x") == studies_module.KEYS_MAX
    with pytest.raises(Forbidden, match="may not read studies"):
        access.may_search(reader(scopes=frozenset()), [], HOME)
