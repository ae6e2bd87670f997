"""Parcels: the bytes that leave are the bytes that were promised, in bounded pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.transport import Cause, Parcel, Receipt, ReceiptState, failed
from tests.support.receiver import InMemory, Receiver

CONTENT = bytes(range(256)) * 8


def a_parcel(path, *, head: int = 0, before: int = 0, offset: int = 300, uid: str = "1.2.3") -> Parcel:
    path.write_bytes(b"x" * before + CONTENT[head:])
    return Parcel(
        sop_class_uid="1.2",
        sop_instance_uid=uid,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        study_instance_uid="1.2.9",
        sha256="",
        size_bytes=len(CONTENT),
        dataset_offset=offset,
        path=path,
        tail_offset=before,
        tail_bytes=len(CONTENT) - head,
        trace_id="",
        priority="routine",
        head=CONTENT[:head],
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("parcels") / "blob"


@given(
    head=st.integers(0, len(CONTENT)),
    before=st.integers(0, 50),
    start=st.integers(0, len(CONTENT)),
    chunk=st.integers(1, 700),
)
def test_the_chunks_of_a_parcel_are_its_file_from_any_byte_on(path, head, before, start, chunk):
    parcel = a_parcel(path, head=head, before=before)

    chunks = [bytes(piece) for piece in parcel.chunks(start, chunk)]

    assert b"".join(chunks) == CONTENT[start:]
    assert all(0 < len(piece) <= chunk for piece in chunks)


def test_a_blob_that_became_shorter_is_an_error_of_ours(path):
    parcel = a_parcel(path)
    path.write_bytes(CONTENT[:-1])

    with pytest.raises(OSError, match="the blob is shorter than its parcel says"):
        list(parcel.chunks())


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        (Cause.LINK, ReceiptState.RETRY),
        (Cause.FULL, ReceiptState.RETRY),
        (Cause.AUTHENTICATION, ReceiptState.RETRY),
        (Cause.POISON, ReceiptState.REFUSED),
        (Cause.CONFLICT, ReceiptState.REFUSED),
    ],
)
def test_a_batch_that_failed_as_a_whole_has_a_receipt_for_each(path, cause, state):
    parcels = [a_parcel(path, uid="1.1"), a_parcel(path, uid="1.2")]

    assert failed(parcels, cause, "503", "full") == [
        Receipt("1.1", state, cause, "503", "full"),
        Receipt("1.2", state, cause, "503", "full"),
    ]
    assert not any(receipt.is_success for receipt in failed(parcels, cause, "", ""))


def test_the_receiver_in_memory_takes_head_and_tail(path):
    receiver = Receiver()

    (receipt,) = InMemory(receiver).deliver([a_parcel(path, head=500, before=9)])

    assert receipt.is_success
    assert receiver.contents == {"1.2.3": CONTENT[300:]}
