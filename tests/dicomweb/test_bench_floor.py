"""The least of a STOW-RS receiver, which others are measured by: it takes a body, and ends with its sender."""

import socket
import threading
from pathlib import Path

import pytest

from bench.floor_stow import OK, Connection
from bench.promise import new_folder

BODY = b"--cut\r\nContent-Type: application/dicom\r\n\r\nan instance\r\n--cut--"
HEAD = b'POST /studies HTTP/1.1\r\nContent-Type: multipart/related; boundary="cut"\r\nContent-Length: %d\r\n\r\n'


def told(folder: Path, said: bytes) -> tuple[bytes, list]:
    """Say something and go; return what is answered, and the rows that were committed."""
    new_folder(folder)
    ours, theirs = socket.socketpair()
    rows = []
    with ours:
        ours.sendall(said)
        ours.shutdown(socket.SHUT_WR)
        receiving = threading.Thread(
            target=Connection(theirs, folder, rows.extend, safe=False).run, daemon=True, name="floor"
        )
        receiving.start()
        receiving.join(10)
        assert not receiving.is_alive()
        return ours.recv(1000), rows


def test_a_body_is_taken_and_answered(tmp_path):
    answered, rows = told(tmp_path / "floor", HEAD % len(BODY) + BODY)

    assert answered == OK
    assert [size for _, size, _ in rows] == [len(b"an instance")]


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (len(BODY), BODY[:-20]),
        (len(BODY) + 9, BODY),
        (len(BODY) - 20, BODY[:-20]),
    ],
    ids=["cut off", "cut off behind its last delimiter", "without its last delimiter"],
)
def test_a_sender_that_goes_within_a_body_is_waited_for_no_more(tmp_path, length, body):
    assert told(tmp_path / "floor", HEAD % length + body) == (b"", [])
