"""Child processes: what ends, hangs, swells or lies there costs one answer, and the next question gets another process."""

import io
import os

import pytest

from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.processes.program import read_message
from kernel.errors import Busy


def children(processes: int = 1) -> Children[str]:
    return Children("tests.dicom.echo_process", "saying it again", str, processes=processes, wait_seconds_max=0.01)


@pytest.fixture(scope="module")
def echo():
    made = children()
    yield made
    made.close()


@pytest.mark.parametrize("trouble", ["end", "lie", "swell"])
def test_a_question_without_a_sensible_answer_is_told_and_the_next_is_answered(echo, trouble):
    with pytest.raises(ChildEndedError) as caught:
        echo.ask(trouble, 1000, 60.0)

    assert not caught.value.was_late
    assert echo.ask("well?", 1000, 60.0) == "well?"


def test_a_process_that_answers_too_late_is_ended(echo):
    echo.ask("begun", 1000, 60.0)

    with pytest.raises(ChildEndedError) as caught:
        echo.ask("hang", 1000, 0.05)

    assert caught.value.was_late


def test_an_answer_and_a_question_have_a_bound(echo):
    assert echo.ask("x" * 100, 1000, 60.0) == "x" * 100
    with pytest.raises(ChildEndedError):
        echo.ask("x" * 100, 99, 60.0)
    with pytest.raises(ChildEndedError):
        echo.ask("x" * 1001, 10_000, 60.0)


def test_when_all_are_busy_so_is_the_caller():
    with pytest.raises(Busy, match="saying it again"):
        children(processes=0).ask("anybody?", 1000, 60.0)


def test_a_message_longer_than_it_may_be_is_not_read():
    stream = io.BytesIO((1000).to_bytes(8, "big") + b"x" * 1000)

    assert read_message(stream, 999) is None
    assert read_message(io.BytesIO(b"\0\0"), 999) is None


def test_what_is_shared_is_made_once_in_a_process_and_again_in_a_forked_one(monkeypatch):
    shared = OfThisProcess(children)

    first = shared()
    assert shared() is first

    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert shared() is not first
