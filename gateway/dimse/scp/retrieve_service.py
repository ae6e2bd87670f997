"""What C-GET and C-MOVE have in common: the identifier is collected, read and looked up; then sub-operations run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final, Protocol

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.retrieve_find import find
from gateway.dimse.scp.retrieve_identifier import IDENTIFIER_BYTES_MAX, Root, read_wanted
from gateway.dimse.scp.retrieve_progress import CANCELLED, PENDING, PENDING_EVERY_S, Progress
from gateway.dimse.scp.services import Drain, PeerGone, Receiver, Response, Session, int_of, response
from gateway.dimse.upper_layer.indications import Command
from gateway.status import dimse_status
from kernel import telemetry
from kernel.archive.records import Located
from kernel.errors import ExchangeError, IdentifierMismatch

DRAINED_BYTES_MAX: Final = 8 * IDENTIFIER_BYTES_MAX
_log = telemetry.get_logger("gateway.dimse")

Store = Callable[[Located, Located | None], int | None]
"""Performs one sub-operation; returns its C-STORE status, or None when it could not be tried. Told the next one, too."""


class Performer(Protocol):
    """What differs between C-GET and C-MOVE: where the instances go."""

    def open(self, session: Session, message: Command, found: Sequence[Located]) -> tuple[Store, Callable[[], None]]:
        """Make ready; return how one instance is sent, and what ends it. Raises an error of ours to refuse."""
        ...


class RetrieveSCP:
    """Serves C-GET-RQ or C-MOVE-RQ of some information models."""

    def __init__(self, backing: Backing, models: Mapping[str, Root], performer: Performer) -> None:
        self.backing = backing
        self.models = models
        self.performer = performer

    def begin(self, session: Session, message: Command) -> Receiver:
        """Collect the identifier."""
        if not message.has_data_set:
            return refusal(session, message, IdentifierMismatch(reason="there is none"))
        retrieval = _Retrieval(self, session, message)
        return Gathered(retrieval.answer, retrieval.refuse, IDENTIFIER_BYTES_MAX)


def refusal(session: Session, message: Command, error: BaseException) -> Drain:
    """Answer with the error's status, once the data set was read over; PeerGone passes."""
    if isinstance(error, ExchangeError):
        _log.warning("retrieval_refused", session=session.identifier, error=error.code, reason=str(error))
    else:
        _log.error("retrieval_failed", session=session.identifier, exc_info=error)
    return Drain(response(message, dimse_status(error), error), DRAINED_BYTES_MAX)


class _Retrieval:
    """One request."""

    def __init__(self, scp: RetrieveSCP, session: Session, message: Command) -> None:
        self._scp = scp
        self._session = session
        self._message = message

    def refuse(self, error: BaseException) -> Iterable[Response]:
        return refusal(self._session, self._message, error).finish()

    def answer(self, identifier: bytes) -> Iterable[Response]:
        scp, session, message = self._scp, self._session, self._message
        context = message.context
        try:
            root = scp.models[context.abstract_syntax]
            wanted = read_wanted(identifier, context.transfer_syntax, root)
            found = find(scp.backing, session, wanted)
            store, close = scp.performer.open(session, message, found)
        except PeerGone:
            raise
        except Exception as error:  # noqa: BLE001 the edge: every error becomes a status
            return self.refuse(error)
        return self._run(found, store, close)

    def _run(self, found: Sequence[Located], store: Store, close: Callable[[], None]) -> Iterator[Response]:
        session, message, clock = self._session, self._message, self._scp.backing.clock
        number = int_of(message.command, "MessageID")
        progress, told_s = Progress(len(found)), clock.monotonic_s()
        status: int | None = None
        try:
            for located, following in zip_longest(found, found[1:]):
                if session.is_cancelled(number):
                    status = CANCELLED
                    break
                progress.count(located.sop_instance_uid, store(located, following))
                if progress.remaining and clock.monotonic_s() - told_s >= PENDING_EVERY_S:
                    told_s = clock.monotonic_s()
                    yield progress.answer(message, PENDING), None
        finally:
            close()
            _log.info(
                "retrieval_ended",
                session=session.identifier,
                completed=progress.completed,
                failed=progress.failed,
                warning=progress.warning,
                remaining=progress.remaining,
            )
        status = progress.status if status is None else status
        yield progress.answer(message, status), progress.failed_list(message.context.transfer_syntax)
