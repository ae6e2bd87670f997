"""From a prepared instance to committed rows: index, event and whatever takes part, in one transaction.

Whatever arrived while the last commit ran shares the next one (kernel.database) and is written together (batch.py).

Listener processes use `RemoteCommitter` (commit_socket.py), which hands the same values to the process that owns the
database.
"""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Protocol

from sqlalchemy import Connection

from kernel.archive.blobs.durable import Flush
from kernel.archive.ingest import complete
from kernel.archive.ingest.batch import Batch
from kernel.archive.ingest.parents import Family, Parents
from kernel.archive.ingest.quarantine import write_refusal
from kernel.archive.ingest.sessions import Sessions
from kernel.archive.records import Completed, Ingested, Received, Refusal, Stored
from kernel.clock import Clock
from kernel.database import Database
from kernel.database.topics import tx_after_commit

Participant = Callable[[Connection, Sequence[Stored]], None]
"""Called with the new instances of a group inside their transaction; it may run twice, so it only writes rows."""
CompletionParticipant = Callable[[Connection, Sequence[Completed]], None]
"""Called with the studies that became complete, inside the transaction that says so."""


class Durability(Protocol):
    """What a blob's rows wait for before they are committed."""

    def wait(self) -> None:
        """Return when the blob is durable, or raise why it is not; called once or more, by whoever writes the rows."""
        ...


_Item = tuple[Received, Durability]


class Committer(Protocol):
    """What ingest and the listeners ask of the index."""

    def commit(self, received: Received, blob: Durability) -> Ingested:
        """Index an instance whose blob is, or is being made, durable; both are durable on return."""
        ...

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance; durable on return."""
        ...

    def end_session(self, site: str, session: str, evidence: str | None) -> None:
        """Say that an association or request ended; with evidence, its studies count as complete."""
        ...


class LocalCommitter:
    """The committer of the process that owns the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        participants: Sequence[Participant] = (),
        completion_participants: Sequence[CompletionParticipant] = (),
        quarantine_bytes_max: int,
        new_trace_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._database = database
        self._clock = clock
        self._participants = participants
        self._completion_participants = completion_participants
        self._write_refusal = write_refusal(quarantine_bytes_max)
        self._new_trace_id = new_trace_id
        self._parents = Parents()
        self._sessions = Sessions()

    def submit(self, received: Received, flush: Flush) -> Future[Ingested]:
        """Queue an instance; its rows are written at once and committed when `flush` is done.

        The answer is done when the rows are durable or the instance has failed; it fails when `flush` does.
        """
        return self._database.submit_batch(self._write_batch, (received, flush))

    def submit_all(self, items: Sequence[tuple[Received, Durability]]) -> list[Future[Ingested]]:
        """Queue some instances, all or none, that shall share a commit; the answers are done as those of `submit`.

        Raises
        ------
        Busy, ShuttingDown
            Nothing was queued.
        """
        return self._database.submit_batches(self._write_batch, items)

    def commit(self, received: Received, blob: Durability) -> Ingested:
        """Index an instance; its rows are written at once and committed when its blob is durable. Durable on return.

        Raises
        ------
        Busy, ShuttingDown, DatabaseUnavailable
            Nothing was promised.
        """
        return self._database.write_batch(self._write_batch, (received, blob))

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance; durable on return.

        Raises
        ------
        StorageFull
            The quarantine is full.
        """
        self._database.write(lambda connection: self._write_refusal(connection, refusal))

    def submit_refusal(self, refusal: Refusal) -> Future[None]:
        """Queue the row of a refused instance."""
        return self._database.submit(lambda connection: self._write_refusal(connection, refusal))

    def end_session(self, site: str, session: str, evidence: str | None) -> None:
        """Forget a session; with evidence, the studies that it touched count as complete."""
        self.submit_end(site, session, evidence).result()

    def submit_end(self, site: str, session: str, evidence: str | None) -> Future[None]:
        """Queue the end of a session; one without evidence writes nothing and waits for nobody's commit."""
        if evidence is None:
            self._sessions.end(site, session)
            ended: Future[None] = Future()
            ended.set_result(None)
            return ended

        def change(connection: Connection) -> None:
            touched = self._sessions.touched(site, session)
            if touched:
                self.complete(connection, sorted(touched), evidence)
            tx_after_commit(connection, lambda: self._sessions.forget(site, session))

        return self._database.submit(change)

    def write_manifest(self, site: str, said: complete.Manifest) -> None:
        """Keep what another exchange says of a study; durable on return."""

        def change(connection: Connection) -> None:
            promised = complete.write_manifest(connection, site, said, self._clock.now())
            self.complete(connection, promised, complete.MANIFEST)

        self._database.write(change)

    def settle_quiet(self, quiet_s: float) -> int:
        """Complete the studies of which nothing came for `quiet_s`; return how many. The last resort."""
        now, quiet = self._clock.now(), timedelta(seconds=quiet_s)
        since = now - quiet
        with self._database.read() as connection:
            if not complete.quiet_studies(connection, since) and not complete.is_ahead(connection, now + quiet):
                return 0

        def change(connection: Connection) -> int:
            complete.begin_anew(connection, now + quiet, now)
            return len(self.complete(connection, complete.quiet_studies(connection, since), complete.QUIET))

        return self._database.write(change)

    def send_now(self, study_pk: int) -> bool:
        """Complete a study because a person said so; return whether that changed it."""
        return self._database.write(lambda connection: bool(self.complete(connection, [study_pk], complete.SEND_NOW)))

    def forget(self, study_pk: int) -> None:
        """Forget rows that the running transaction deletes; called inside it, and after it."""
        self._parents.forget()
        self._sessions.drop(study_pk)

    def complete(self, connection: Connection, study_pks: Sequence[int], evidence: str) -> list[Completed]:
        """Mark studies complete inside a transaction, tell those who take part, and return which ones changed."""
        completed = complete.mark(connection, study_pks, evidence, self._clock.now())
        if completed:
            for participant in self._completion_participants:
                participant(connection, completed)
        return completed

    def _write_batch(self, connection: Connection, group: list[_Item]) -> list[Ingested | Exception]:
        """Write one group. May run twice: everything but rows happens after the commit."""
        try:
            family = Family(connection, self._parents, self._new_trace_id)
            batch = Batch(connection, [one for one, _ in group], family)
            answers = batch.write()
            for participant in self._participants if batch.stored else ():
                participant(connection, batch.stored)
            self.complete(connection, batch.promised, complete.MANIFEST)
            for _, blob in group:
                blob.wait()
        except BaseException:
            self._parents.forget()
            raise

        def remember() -> None:
            self._parents.remember(batch.family.found)
            for received, study_pk in batch.touched:
                self._sessions.touch(received.origin.site, received.origin.session, study_pk)

        tx_after_commit(connection, remember)
        return answers
