"""The response data set of STOW-RS, and the client that reads such answers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dicomweb.client.receipts import read_results
from gateway.dicomweb.store.results import Failed, Stored, data_set, headers_of, status_of
from kernel.errors import InstanceConflict, MalformedInstance, MissingIdentifier, StorageFull
from routing.transport import Cause, Parcel, ReceiptState

STORED = Stored("1.2", "1.2.3", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4")
CONFLICT = Failed(InstanceConflict(sop_instance_uid="1.2.3.5"), "1.2.840.10008.5.1.4.1.1.2", "1.2.3.5")
HTML = Failed(MalformedInstance(reason="no DICM prefix"))
FULL = Failed(StorageFull(needed_bytes=1, free_bytes=0), "1.2.840.10008.5.1.4.1.1.2", "1.2.3.6")


def parcel(uid):
    return Parcel("1.2", uid, "1.2.840.10008.1.2.1", "1.2", "", 1, 0, Path("none"), 0, 1, "", "routine")


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([STORED], 200),
        ([STORED, HTML], 202),
        ([STORED, FULL], 202),
        ([CONFLICT, HTML], 409),
        ([FULL, HTML], 409),
        ([FULL, FULL], 503),
    ],
)
def test_the_status_says_all_some_or_none(results, status):
    assert status_of(results) == status


def test_the_response_data_set_is_that_of_ps3_18():
    content = json.loads(data_set([STORED, CONFLICT, HTML], "https://hub.example/dicom-web"))

    assert content == {
        "00081190": {"vr": "UR", "Value": ["https://hub.example/dicom-web/studies/1.2"]},
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3.5"]},
                    "00081197": {"vr": "US", "Value": [0x0111]},
                }
            ],
        },
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3.4"]},
                    "00081190": {
                        "vr": "UR",
                        "Value": ["https://hub.example/dicom-web/studies/1.2/series/1.2.3/instances/1.2.3.4"],
                    },
                }
            ],
        },
        "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xC000]}}]},
    }


def test_the_warning_header_says_each_reason_once_and_never_breaks_the_header():
    quoted = Failed(MalformedInstance(reason='a "quoted" lý do \\'))

    warning = headers_of([STORED, HTML, HTML, quoted], 202)["Warning"]

    assert warning == (
        '299 vienanh "3 of 4 instances were not stored: Not a readable DICOM data set: no DICM prefix. Check the file '
        "at the sender. Not a readable DICOM data set: a 'quoted' l? do /. Check the file at the sender.\""
    )


def test_a_full_disk_asks_to_come_back():
    assert headers_of([FULL], 503)["Retry-After"] == "10"


def test_the_client_reads_what_the_server_wrote():
    missing = Failed(MissingIdentifier(keyword="StudyInstanceUID"), "1.2.840.10008.5.1.4.1.1.2", "1.2.3.7")
    body = data_set([STORED, CONFLICT, FULL, missing], "http://hub/dicom-web")

    receipts = read_results([parcel(f"1.2.3.{n}") for n in (4, 5, 6, 7, 8)], 202, body)

    assert [(r.state, r.cause, r.status) for r in receipts] == [
        (ReceiptState.DELIVERED, None, "202"),
        (ReceiptState.REFUSED, Cause.CONFLICT, "202/0111"),
        (ReceiptState.RETRY, Cause.FULL, "202/A700"),
        (ReceiptState.REFUSED, Cause.POISON, "202/A900"),
        (ReceiptState.RETRY, Cause.LINK, "202"),
    ]
    assert [r.detail for r in receipts][1:3] == [
        "the destination failed it with reason 0111: it has another instance under this SOP Instance UID",
        "the destination failed it with reason A700: it has no room now; look at its disk",
    ]


def test_an_instance_that_is_failed_without_a_reason_says_so():
    body = json.dumps({"00081198": {"Value": [{"00081155": {"Value": ["1.2.3.4"]}}]}}).encode()

    (receipt,) = read_results([parcel("1.2.3.4")], 409, body)

    assert (receipt.status, receipt.detail) == ("409/no reason", "the destination failed it, and gave no reason")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["00081199", "00081198", "00081155", "00081197", "Value"]), inner, max_size=4)
    ),
)


@given(content=json_values, status=st.sampled_from([200, 202, 409]))
def test_no_answer_makes_the_client_believe_in_a_delivery_or_fail(content, status):
    body = json.dumps(content).encode()

    (receipt,) = read_results([parcel("1.2.3.4")], status, body)

    assert not receipt.is_success or b'"Value": ["1.2.3.4"' in body


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"null"])
def test_an_answer_without_results_is_no_word_about_any_instance(body):
    (receipt,) = read_results([parcel("1.2.3.4")], 200, body)

    assert (receipt.state, receipt.cause) == (ReceiptState.RETRY, Cause.LINK)
