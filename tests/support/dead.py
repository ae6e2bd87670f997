"""A peer that is not there: a port that nobody else is given meanwhile, and at which every connection is refused."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def nobody_listening() -> Iterator[int]:
    """Hold a port of 127.0.0.1 without listening: a port that is only free may be another test's server by then."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port at which nobody is during the test."""
    with nobody_listening() as port:
        yield port
