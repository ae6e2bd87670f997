"""Why a node cannot listen, and what its operator can do."""

import errno
import os

import pytest

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
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_what_hinders_listening_is_told_with_what_to_do(number, told):
    assert what_to_do(OSError(number, os.strerror(number)), "dimse.tls_port") == told


def test_a_host_that_has_no_address_is_told_as_the_system_says_it():
    error = cannot_listen("nowhere.invalid", 104, "dimse.port", OSError(-2, "Name or service not known"))

    assert str(error) == "dimse: nowhere.invalid:104: cannot listen there: Name or service not known"
