"""Logs and metrics: what they tell, and what they never tell."""

import errno
import io
import json
import logging
import warnings
from typing import Any

import pytest

from kernel.config import LogConfig
from kernel.errors import StorageFull
from kernel.telemetry import LOG_LOST, TEXT_MAX, bound, configure, exposition, get_logger, stage

log = get_logger("archive")


def fill_up() -> None:
    raise StorageFull(needed_bytes=10, free_bytes=1)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_event_and_fields_with_room_level_and_time(logged: io.StringIO):
    log.info("instance_stored", sop_instance_uid="1.2.3", size_bytes=7)

    (line,) = lines(logged)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "instance_stored",
        "level": "info",
        "room": "archive",
        "sop_instance_uid": "1.2.3",
        "size_bytes": 7,
    }


def test_lines_below_the_level_are_not_written(logged: io.StringIO):
    log.debug("detail")

    assert lines(logged) == []


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), ValueError("closed file")])
def test_a_line_that_cannot_be_written_is_counted_and_hurts_nobody(logged: io.StringIO, monkeypatch, failure):
    before = LOG_LOST.collect()[0].samples[0].value

    def fail(_: str) -> int:
        raise failure

    with monkeypatch.context() as full:
        full.setattr(logged, "write", fail)
        log.info("lost")
    log.info("written")

    assert [line["event"] for line in lines(logged)] == ["written"]
    assert LOG_LOST.collect()[0].samples[0].value == before + 1


def test_bound_fields_are_on_every_line_of_the_block(logged: io.StringIO):
    with bound(trace_id="t-1"):
        log.info("inside")
    log.info("outside")

    assert [line.get("trace_id") for line in lines(logged)] == ["t-1", None]


def test_secrets_bytes_and_long_texts_are_not_written(logged: io.StringIO):
    log.info(
        "signed_in",
        password="p",
        bearer_token="vat_1_2",
        headers={"Authorization": "Bearer x", "Accept": "y", "inner": {"Cookie": "v1.a.b"}},
        body=b"NGUYEN",
        text="x" * (TEXT_MAX + 1),
    )

    (line,) = lines(logged)
    assert line["password"] == line["bearer_token"] == "(hidden)"
    assert line["headers"] == {"Authorization": "(hidden)", "Accept": "y", "inner": {"Cookie": "(hidden)"}}
    assert line["body"] == "(6 bytes)"
    assert line["text"] == "x" * TEXT_MAX + "..."


def test_an_error_of_ours_is_told_whole_and_a_foreign_one_without_its_text(logged: io.StringIO):
    try:
        fill_up()
    except StorageFull:
        log.exception("refused")
    try:
        int("NGUYEN^VAN A")
    except ValueError as error:
        log.warning("odd", exc_info=error)

    ours, foreign = lines(logged)
    assert ours["error"] == "StorageFull: Not enough storage: 10 bytes needed, 1 free above the reserve."
    assert "test_telemetry.py" in ours["where"]
    assert foreign["error"] == "ValueError"
    assert "NGUYEN" not in logged.getvalue()


def test_libraries_are_told_in_our_form_and_the_talkative_ones_not_at_all(logged: io.StringIO):
    logging.getLogger("uvicorn.error").warning("listening %s", "again")
    logging.getLogger("uvicorn.access").error("GET /studies?PatientName=NGUYEN")
    logging.getLogger("pydicom.values").critical("NGUYEN")
    try:
        int("NGUYEN^VAN A")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")

    first, second = lines(logged)
    assert (first["event"], first["room"], first["level"]) == ("listening again", "uvicorn.error", "warning")
    assert second["error"] == "ValueError"
    assert "NGUYEN" not in logged.getvalue()


def test_warnings_of_pydicom_that_quote_values_are_silent(recwarn: pytest.WarningsRecorder, logged: io.StringIO):
    warnings.warn_explicit("Invalid value of a name: NGUYEN", UserWarning, "valuerep.py", 1, module="pydicom.valuerep")

    assert list(recwarn) == []


def test_people_get_lines_that_read(logged: io.StringIO):
    stream = io.StringIO()
    configure(LogConfig(format="console"), stream)

    log.warning("space_is_short", free_bytes=5)

    assert "space_is_short" in stream.getvalue()
    assert "free_bytes=5" in stream.getvalue()


def test_a_stage_is_timed_also_when_it_fails():
    def count() -> str:
        (line,) = [line for line in exposition().decode().splitlines() if 'seconds_count{stage="test"}' in line]
        return line.rpartition(" ")[2]

    with stage("test"):
        pass
    with pytest.raises(ValueError, match="no"), stage("test"):
        raise ValueError("no")

    assert count() == "2.0"
