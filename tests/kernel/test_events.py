"""Events: written with what they tell, read in order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kernel.database import Database
from kernel.events import DETAIL_BYTES_MAX, Event, EventName, of_study, record, record_many, since

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
STUDY = "1.2.840.1"


def received(number: int, **more: object) -> Event:
    return replace(
        Event(EventName.INSTANCE_RECEIVED, NOW, "HN-01", STUDY, "trace-1", {"sop_instance_uid": f"1.2.{number}"}),
        **more,
    )


def test_the_events_of_a_study_come_in_the_order_in_which_they_were_recorded(database: Database):
    told = [received(1), received(2), received(3, name=EventName.STUDY_COMPLETE, detail={"evidence": "send-now"})]

    database.write(lambda connection: record_many(connection, told))

    with database.read() as connection:
        assert of_study(connection, None, STUDY) == [replace(one, seq=seq) for seq, one in enumerate(told, start=1)]


def test_two_sites_with_one_uid_keep_their_events_apart(database: Database):
    database.write(lambda connection: record_many(connection, [received(1), received(2, site="DN-02")]))

    with database.read() as connection:
        assert [one.site for one in of_study(connection, "DN-02", STUDY)] == ["DN-02"]
        assert [one.site for one in of_study(connection, None, STUDY)] == ["HN-01", "DN-02"]


def test_an_event_of_an_undone_change_is_not_there(database: Database):
    def fail(connection):
        record(connection, received(1))
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        database.write(fail)
    database.write(lambda connection: record_many(connection, []))

    with database.read() as connection:
        assert since(connection, 0) == []


def test_a_follower_reads_on_from_where_it_was(database: Database):
    database.write(lambda connection: record_many(connection, [received(number) for number in range(5)]))

    with database.read() as connection:
        first = since(connection, 0, limit=2)
        rest = since(connection, first[-1].seq)

    assert [one.seq for one in first + rest] == [1, 2, 3, 4, 5]


def test_an_event_is_a_line_and_not_a_report(database: Database):
    with pytest.raises(AssertionError, match="an event is a line, not a report"):
        database.write(lambda connection: record(connection, received(1, detail={"x": "y" * DETAIL_BYTES_MAX})))
