"""The manifest header and JSON between two exchanges, and the trace header."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dicomweb.http import tracing
from gateway.dicomweb.store import manifest as manifests
from gateway.dicomweb.store.manifest import from_header, from_json, to_header
from kernel.errors import ExchangeError, InvalidRequest, MissingIdentifier
from routing.transport import Manifest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

some_manifests = st.builds(
    Manifest,
    study_instance_uid=st.from_regex(r"[12](\.[1-9][0-9]{0,5}){1,6}", fullmatch=True),
    version=st.integers(0, manifests.COUNT_MAX),
    instances=st.integers(0, manifests.COUNT_MAX),
    complete=st.none() | st.sampled_from(["association-released", "send-now", "quiet"]),
    priority=st.sampled_from(manifests.PRIORITIES),
    trace_id=st.just(TRACE),
)


@given(some_manifests)
def test_a_manifest_is_read_as_it_was_written(manifest):
    assert from_header(to_header(manifest), TRACE) == manifest


def test_the_header_is_that_of_the_documentation():
    manifest = Manifest("1.2.3", 5, 60, "association-released", "stat", TRACE)

    assert to_header(manifest) == "study=1.2.3; version=5; instances=60; complete=association-released; priority=stat"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study=1.2.3; version=5; instances=60; name=x", "has the keys study, version"),
        ("study=1.2.3; study=1.2.3", "key twice"),
        ("study=1.2.3; version=-1; instances=60", "version of a manifest is a whole number"),
        ("study=1.2.3; version=1; instances=99999999999", "instances of a manifest is a whole number"),
        ("study=1.2.3; version=1; instances=²", "instances of a manifest is a whole number"),
        ("study=1.2.3; version=1; instances=1; priority=now", "one of stat, urgent, routine"),
        ("study=1.2.3; version=1; instances=1; complete=Nguyễn", "a word such as"),
        ("x" * 1025, "longer than 1024"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(text, message):
    with pytest.raises(InvalidRequest, match=message):
        from_header(text, TRACE)


def test_a_manifest_of_no_study_is_refused():
    with pytest.raises(MissingIdentifier, match="StudyInstanceUID is missing"):
        from_header("version=1; instances=1", TRACE)


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"[" * 1000, b'"study"', b"{" + b" " * 1024 + b"}"])
def test_a_body_that_is_no_manifest_is_refused(body):
    with pytest.raises(InvalidRequest, match="manifest"):
        from_json(body, TRACE)


@given(st.text(max_size=60) | st.text(st.sampled_from("study=1.;version instances")))
def test_no_text_makes_it_raise_anything_but_our_errors(text):
    with suppress(ExchangeError):
        from_header(text, TRACE)


def test_the_trace_goes_into_the_header_and_comes_back():
    header = tracing.traceparent(TRACE, "00f067aa0ba902b7")

    assert header == f"00-{TRACE}-00f067aa0ba902b7-01"
    assert tracing.trace_of(header) == TRACE


@pytest.mark.parametrize(
    "header", ["", "00", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01", "x" * 99]
)
def test_what_is_no_trace_is_ignored(header):
    assert tracing.trace_of(header) is None


def test_a_trace_that_the_header_cannot_carry_is_left_out():
    assert tracing.traceparent("not-hexadecimal", "00f067aa0ba902b7") is None
