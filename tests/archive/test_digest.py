"""The digest of an instance is that of its bytes, whichever thread hashed them and however they came."""

import hashlib
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.archive import digest as digests
from kernel.archive.digest import WAITING_BYTES_MAX, WORTH_BYTES, Digest
from tests.support.nodes import wait_until

KINDS = (bytes, bytearray, memoryview, lambda content: memoryview(bytearray(content)), lambda content: content[:])


def digest_of(*pieces: bytes | bytearray | memoryview) -> str:
    digest = Digest()
    for piece in pieces:
        digest.add(piece)
    return digest.hexdigest()


@pytest.fixture(autouse=True)
def a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instances that other tests left half-received do not count here."""
    monkeypatch.setattr(digests, "_threads", {})


@pytest.fixture
def busy() -> Iterator[threading.Event]:
    """The thread beside, busy with somebody else until this is set."""
    begun, free = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        free.wait(60)

    digests._of_this_process().do(wait)
    assert begun.wait(60)
    yield free
    free.set()


@given(st.lists(st.tuples(st.sampled_from(range(len(KINDS))), st.integers(0, 3 * WORTH_BYTES)), max_size=12))
def test_any_pieces_of_any_kind_have_the_digest_of_all_bytes(pieces: list[tuple[int, int]]):
    content = [random.Random(number).randbytes(size) for number, (_, size) in enumerate(pieces)]

    digest = Digest()
    for (kind, _), piece in zip(pieces, content, strict=True):
        digest.add(KINDS[kind](piece))

    assert digest.hexdigest() == digest.hexdigest() == hashlib.sha256(b"".join(content)).hexdigest()


def test_large_pieces_are_hashed_beside_and_their_order_stays():
    content = os.urandom(9 * WORTH_BYTES)
    pieces = [memoryview(content)[start : start + WORTH_BYTES] for start in range(0, len(content), WORTH_BYTES)]
    wait_until(lambda: digests._of_this_process().is_idle_for_one())

    digest = Digest()
    for piece in pieces:
        digest.add(piece)

    assert digest._added > 0
    assert digest.hexdigest() == hashlib.sha256(content).hexdigest()


def test_a_buffer_may_be_used_again_at_once():
    buffer, expected, digest = bytearray(2 * WORTH_BYTES), hashlib.sha256(), Digest()
    for number in range(20):
        buffer[:] = bytes([number]) * len(buffer)
        expected.update(buffer)
        digest.add(memoryview(buffer) if number % 2 else buffer)
        buffer[:] = bytes(len(buffer))

    assert digest.hexdigest() == expected.hexdigest()


def test_instances_of_many_threads_at_once_have_their_own_digests():
    def one(number: int) -> bool:
        content = random.Random(number).randbytes(300_000)
        pieces = [content[start : start + 100_000] for start in range(0, len(content), 100_000)]
        return digest_of(*pieces) == hashlib.sha256(content).hexdigest()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(one, range(400)))


def test_nobody_waits_for_a_thread_that_hashes_for_somebody_else(busy: threading.Event):
    content = os.urandom(4 * WORTH_BYTES)

    assert digest_of(content, content) == hashlib.sha256(content * 2).hexdigest()


def test_while_several_instances_come_each_is_hashed_where_it_is_received():
    content = os.urandom(WORTH_BYTES)
    wait_until(lambda: digests._of_this_process().is_idle_for_one())

    one, other = Digest(), Digest()
    for digest in (one, other):
        digest.add(content)
        assert digest._added == 0
    other.hexdigest()
    one.add(content)
    assert one._added == 1
    del other
    given_up = Digest()
    del given_up

    assert one.hexdigest() == hashlib.sha256(content * 2).hexdigest()
    assert not digests._of_this_process().making


def test_of_one_instance_only_so_many_bytes_wait():
    content = os.urandom(WAITING_BYTES_MAX // 4)
    wait_until(lambda: digests._of_this_process().is_idle_for_one())
    free, added, digest = threading.Event(), list[int](), Digest()
    real = digest._hash

    class Slow:
        def update(self, piece: bytes) -> None:
            free.wait(60)
            real.update(piece)

        def hexdigest(self) -> str:
            return real.hexdigest()

    digest._hash = Slow()

    def add() -> None:
        for number in range(10):
            digest.add(content)
            added.append(number)

    thread = threading.Thread(target=add)
    thread.start()
    wait_until(lambda: len(added) == 4)
    thread.join(0.2)
    assert (thread.is_alive(), len(added)) == (True, 4)
    free.set()
    thread.join(60)

    assert digest.hexdigest() == hashlib.sha256(content * 10).hexdigest()


def test_what_goes_wrong_beside_is_told_to_who_asks():
    wait_until(lambda: digests._of_this_process().is_idle_for_one())
    digest = Digest()

    class Broken:
        def update(self, piece: bytes) -> None:
            raise MemoryError

    digest._hash = Broken()
    digest.add(bytes(WORTH_BYTES))

    for _ in range(2):
        with pytest.raises(MemoryError):
            digest.hexdigest()
    assert digest_of(bytes(WORTH_BYTES)) == hashlib.sha256(bytes(WORTH_BYTES)).hexdigest()


def test_a_forked_process_has_a_thread_of_its_own():
    content = os.urandom(WORTH_BYTES)
    expected = hashlib.sha256(content * 3).hexdigest()
    assert digest_of(content, content, content) == expected

    child = os.fork()
    if not child:
        os._exit(0 if digest_of(content, content, content) == expected else 1)

    assert os.waitpid(child, 0)[1] == 0
