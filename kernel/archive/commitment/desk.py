"""Storage commitment in the process that owns the database: takes requests, and looks for what they name, one by one.

Who tells the requester is not here: the association of the request, while it stands, and `gateway.dimse` after that.
"""

import struct
import threading
from typing import Final

import msgspec
from sqlalchemy import Connection

from kernel import telemetry
from kernel.archive.blobs.store import Blobs
from kernel.archive.commitment import requests as commitments
from kernel.archive.commitment.requests import Asked
from kernel.archive.owner.asking import LocalOwner, Owner
from kernel.clock import Clock
from kernel.database import Database, tx_notify
from kernel.errors import ExchangeError

ASK: Final = "commitment.ask"
TELL: Final = "commitment.tell"
TOPIC: Final = "commitments"
LOOK_EVERY_S: Final = 30.0  # beside wake-ups

_log = telemetry.get_logger("kernel.archive")
_KEY: Final = struct.Struct("<q")
_encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(Asked).decode


class CommitmentDesk:
    """Takes requests for commitment and decides them in a thread of its own."""

    def __init__(self, db: Database, blobs: Blobs, clock: Clock, *, digests: bool) -> None:
        """Keep where rows and blobs are; `digests` as in `commitments.check`."""
        self._db = db
        self._blobs = blobs
        self._clock = clock
        self._digests = digests
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._topic = db.topic(TOPIC)

    def ask(self, asked: Asked) -> int:
        """Take a request; durable on return. Returns the transaction's key."""

        def change(connection: Connection) -> int:
            pk = commitments.ask(connection, asked, self._clock.now())
            tx_notify(connection, TOPIC)
            return pk

        return self._db.write(change)

    def tell(self, pk: int) -> None:
        """Note that the requester took the report."""
        self._db.write(lambda connection: commitments.tell(connection, pk))

    def run_once(self) -> int:
        """Decide what is asked; return how many transactions were decided."""
        with self._db.read() as connection:
            asked = commitments.due(connection, "asked", self._clock.now())
        for one in asked:
            failures = commitments.check(self._db, self._blobs, one.asked, digests=self._digests)
            pk, now = one.pk, self._clock.now()
            self._db.write(
                lambda connection, pk=pk, failures=failures, now=now: commitments.decide(connection, pk, failures, now)
            )
            _log.info("commitment_decided", instances=len(one.asked.references), failed=len(failures))
        return len(asked)

    def start(self) -> None:
        """Begin, with what an earlier run left undone."""
        self._topic.event.set()
        self._thread = threading.Thread(target=self._run, name="commitments", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the transaction under way."""
        self._stopping.set()
        self._topic.event.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._clock.wait(self._topic.event, LOOK_EVERY_S)
            self._topic.clear()
            try:
                while not self._stopping.is_set() and self.run_once():
                    pass
                self._db.write(lambda connection: commitments.forget(connection, self._clock.now()))
            except ExchangeError as error:
                _log.warning("commitments_failed", error=error.code)
            except Exception as error:  # noqa: BLE001 (a thread's edge: who asks next must not wait for ever)
                _log.error("commitments_failed", exc_info=error)


class AskedCommitments:
    """`CommitmentDesk.ask` and `tell` as services have them, in whatever process."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def ask(self, asked: Asked) -> int:
        """Take a request; durable on return. Returns the transaction's key."""
        (pk,) = _KEY.unpack(self._owner.ask(ASK, _encode(asked)))
        return pk

    def tell(self, pk: int) -> None:
        """Note that the requester took the report."""
        self._owner.ask(TELL, _KEY.pack(pk))


def serve_commitments(owner: LocalOwner, desk: CommitmentDesk) -> None:
    """Answer the questions of `AskedCommitments`."""

    def tell(body: bytes) -> bytes:
        desk.tell(*_KEY.unpack(body))
        return b""

    owner.serve(ASK, lambda body: _KEY.pack(desk.ask(_asked(body))))
    owner.serve(TELL, tell)
