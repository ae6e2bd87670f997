"""Why a node cannot listen, and what its operator can do."""

import errno
import os
import socket

import pytest

from exchange.node.machine import taken_addresses
from exchange.node.supervise import _bound
from gateway.dimse.listening.ports import Ports
from kernel.config import DimseConfig, HttpConfig
from kernel.errors import InvalidConfiguration
from kernel.listening import cannot_listen, what_to_do

PRIVILEGED = "ports below 1024 want root or AmbientCapabilities=CAP_NET_BIND_SERVICE of the service; or set another dimse.tls_port"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (
            errno.EADDRINUSE,
            "another program listens there (`ss -ltnp` names it): end it, or set another dimse.tls_port",
        ),
        (errno.EACCES, PRIVILEGED),
        (errno.EADDRNOTAVAIL, "no address of this machine (`ip address` lists them): set dimse.host"),
        (errno.EAFNOSUPPORT, "this machine has no IPv6: set dimse.host"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_what_hinders_listening_is_told_with_what_to_do(number, told):
    assert what_to_do(OSError(number, os.strerror(number)), "dimse.tls_port") == told


def test_a_host_that_has_no_address_is_told_as_the_system_says_it():
    error = cannot_listen("nowhere.invalid", 104, "dimse.port", OSError(-2, "Name or service not known"))

    assert str(error) == "dimse: nowhere.invalid:104: cannot listen there: Name or service not known"


@pytest.fixture
def without_ipv6(monkeypatch):
    class Without(socket.socket):
        def __init__(self, family: int = -1, *rest: int, **named: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            super().__init__(family, *rest, **named)

    monkeypatch.setattr(socket, "socket", Without)


def test_a_machine_without_ipv6_is_told_by_every_port_and_by_the_doctor(without_ipv6):
    with pytest.raises(InvalidConfiguration, match=r"^dimse: ::1:0: cannot listen there: .+ no IPv6: set dimse\.host$"):
        Ports(DimseConfig(host="::1", port=0))
    with pytest.raises(InvalidConfiguration, match=r"^http: ::1:0: cannot listen there: .+ no IPv6: set http\.host$"):
        _bound(HttpConfig(host="::1", port=0))

    (told,) = taken_addresses([("HTTP", "::1", 0, "http.port"), ("DIMSE", "127.0.0.1", 0, "dimse.port")])

    assert told == "HTTP cannot listen on ::1:0: this machine has no IPv6: set http.host"
