"""The socket of an association, against a peer that writes its messages in two parts (RFC 896, RFC 1122 4.2.3.2)."""

import socket
from collections.abc import Iterator

import pytest

from gateway.dimse.listening.connection import Connection
from gateway.dimse.upper_layer import wire
from gateway.dimse.upper_layer.sockets import Link
from tests.dimse import scripts

BUFFER = memoryview(bytearray(4096))


class Told(socket.socket):
    """A socket that notes when it is told to acknowledge at once."""

    times = 0

    def setsockopt(self, level, name, *value):
        self.times += (level, name, *value) == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        super().setsockopt(level, name, *value)


@pytest.fixture
def ends() -> Iterator[tuple[Told, socket.socket]]:
    """Our end of a TCP connection, and the peer's."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as peer:
        ours, _ = server.accept()
        with Told(fileno=ours.detach()) as told:
            yield told, peer


@pytest.mark.parametrize(("first", "amid", "times"), [(b"x", True, 1), (b"x" * 2048, True, 0), (b"x", False, 0)])
def test_what_a_peer_holds_back_is_asked_for_by_acknowledging_its_few_bytes(ends, first, amid, times):
    ours, peer = ends
    link = Link(ours)
    peer.sendall(first)
    assert link.receive(BUFFER) == len(first)
    peer.sendall(b"rest")

    assert link.receive(BUFFER, amid=amid) == 4

    assert ours.times == times


def test_an_association_asks_for_the_rest_of_a_message_and_not_for_the_next_one(ends):
    ours, peer = ends
    connection = Connection(ours)
    request = wire.encode(scripts.an_associate_request())
    counts = []

    for part in (request[:6], request[6:20], request[20:]):
        peer.sendall(part)
        assert connection.receive() == len(part)
        while connection.event() is not None and connection.upper.busy:
            pass
        counts.append(ours.times)

    assert counts == [0, 1, 2]
    assert not connection.upper.busy


def test_a_connection_that_is_gone_is_noticed_by_receiving(ends):
    ours, peer = ends
    link = Link(ours)
    peer.sendall(b"x")
    link.receive(BUFFER)
    peer.close()
    ours.shutdown(socket.SHUT_RDWR)

    assert link.receive(BUFFER, amid=True) == 0
