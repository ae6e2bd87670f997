"""C-STORE SCP: stream to the stage, ingest, answer (PS3.7 9.1.1, PS3.4 B.2).

Success is sent when `ingest` returned, which is when the instance is durable and indexed, and never before. The bytes of
the data set go from the receive buffer to the stage without a copy.
"""

from collections.abc import Iterable
from typing import Protocol

from gateway.dimse.scp.missing import Filling, Identifiers
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, response, text_of
from gateway.dimse.upper_layer.indications import Command
from gateway.peers import Source
from gateway.status import SUCCESS, dimse_status
from kernel import telemetry
from kernel.archive.blobs.stage import HEAD_BYTES, Stage
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.ingest import Beginning, Permit
from kernel.archive.records import Ingested, Origin, Outcome, Staged
from kernel.clock import Clock
from kernel.dicom.scanning.attributes import InstanceAttributes
from kernel.errors import Busy, ExchangeError, Forbidden, InstanceConflict, LimitExceeded, MalformedInstance, Retriable

_log = telemetry.get_logger("gateway.dimse")
_receive_seconds = telemetry.STAGE_SECONDS.labels("receive")  # first byte to last
_ingest_seconds = telemetry.STAGE_SECONDS.labels("ingest")


class Ingester(Protocol):
    """What C-STORE asks of `kernel.archive.ingest.ingest.Ingest`."""

    def read_ahead(self, head: bytes, transfer_syntax_uid: str, origin: Origin) -> Beginning:
        """Read a header while the pixels come in."""
        ...

    def ingest(
        self,
        staged: Staged,
        origin: Origin,
        *,
        ahead: Beginning | None = None,
        permit: Permit | None = None,
    ) -> Ingested:
        """Make an instance durable and indexed, or raise why not."""
        ...


class StoreSCP:
    """Serves C-STORE-RQ."""

    def __init__(
        self,
        ingest: Ingester,
        blobs: Blobs,
        clock: Clock,
        instance_bytes_max: int,
        identifiers: Identifiers | None = None,
    ) -> None:
        """Wire the service; `identifiers` fills in what sources leave out that are known to."""
        self.ingest = ingest
        self.clock = clock
        self.instance_bytes_max = instance_bytes_max
        self.identifiers = identifiers
        self._blobs = blobs

    def begin(self, session: Session, message: Command) -> Receiver:
        """Open a stage; a request that cannot be taken is read over and refused at its end."""
        if not message.has_data_set:
            return self.refuse(session, message, MalformedInstance(reason="the request has no data set"))
        command = message.command
        sop_class_uid = text_of(command, "AffectedSOPClassUID")
        if not session.source.may_store(sop_class_uid):
            return self.refuse(session, message, Forbidden(action="store this SOP class"))
        try:
            session.pace.enter()
        except Busy as error:
            return self.refuse(session, message, error)
        try:
            stage = self._blobs.stage(
                sop_class_uid,
                text_of(command, "AffectedSOPInstanceUID"),
                message.context.transfer_syntax,
            )
        except Exception as error:  # noqa: BLE001 whatever the disk does, the peer gets a status
            session.pace.leave()
            telemetry.INSTANCES.labels("dimse", "refused").inc()
            return self.refuse(session, message, error)
        return _Store(self, session, message, stage)

    def refuse(self, session: Session, message: Command, error: BaseException) -> Drain:
        """Answer with the error's status, once the data set was read over."""
        status = dimse_status(error)
        instance = _loggable(text_of(message.command, "AffectedSOPInstanceUID"))
        if isinstance(error, ExchangeError):
            ours = {"reason": str(error)} if isinstance(error, Retriable) else {}  # what to do about it here
            _log.warning(
                "instance_refused",
                session=session.identifier,
                sop_instance_uid=instance,
                status=f"{status:04X}",
                error=error.code,
                **ours,
            )
        else:
            _log.error("instance_failed", session=session.identifier, sop_instance_uid=instance, exc_info=error)
        return Drain(response(message, status, error), 2 * self.instance_bytes_max)


class _Store:
    """One instance on its way in."""

    def __init__(self, scp: StoreSCP, session: Session, message: Command, stage: Stage) -> None:
        self._scp = scp
        self._session = session
        self._message = message
        self._stage = stage
        self._begun_s = scp.clock.monotonic_s()
        self._refusal: Drain | None = None
        self._ahead: Beginning | None = None
        self._filling = self._filling_of(session.source)
        self._take = stage.write if self._filling is None else self._filling.write
        self._origin = Origin(
            site=session.source.site,
            channel="dimse",
            peer=session.calling_ae_title,
            called=session.called_ae_title,
            address=session.address,
            session=session.identifier,
        )

    def write(self, data: memoryview) -> None:
        if self._refusal is not None:
            self._refusal.write(data)
            return
        try:
            self._take(data)
            if self._stage.size_bytes > self._scp.instance_bytes_max:
                raise LimitExceeded(  # noqa: TRY301 one way out for all that a stage may refuse
                    limit="dimse.instance_bytes_max", value=self._stage.size_bytes, bound=self._scp.instance_bytes_max
                )
            if self._ahead is None and len(self._stage.head) >= HEAD_BYTES:
                self._look_ahead()  # the sender fills the socket's buffer meanwhile
        except Exception as error:  # noqa: BLE001 whatever the disk does, the peer gets a status
            self._stage.discard()
            self._refusal = self._scp.refuse(self._session, self._message, error)

    def _filling_of(self, source: Source) -> Filling | None:
        identifiers, command = self._scp.identifiers, self._message.command
        if not source.fills_identifiers or identifiers is None:
            return None
        declared = (text_of(command, "AffectedSOPClassUID"), text_of(command, "AffectedSOPInstanceUID"))
        syntax = self._message.context.transfer_syntax
        return Filling(self._stage, lambda head: identifiers.filled(head, syntax, source, declared))

    def _look_ahead(self) -> None:
        syntax = self._message.context.transfer_syntax
        self._ahead = self._scp.ingest.read_ahead(bytes(self._stage.head), syntax, self._origin)

    def finish(self) -> Iterable[Response]:
        try:
            return self._finished()
        finally:
            self._session.pace.leave()

    def _finished(self) -> Iterable[Response]:
        if self._refusal is not None:
            return self._refusal.finish()
        received_s = self._scp.clock.monotonic_s()
        _receive_seconds.observe(received_s - self._begun_s)
        session = self._session
        try:
            if self._filling is not None:
                self._filling.finish()
            ingested = self._scp.ingest.ingest(
                self._stage.finish(), self._origin, ahead=self._ahead, permit=permitted_to(session.source)
            )
        except Exception as error:  # noqa: BLE001 the edge: every error becomes a status
            return self._scp.refuse(session, self._message, error).finish()
        _ingest_seconds.observe(self._scp.clock.monotonic_s() - received_s)
        session.instances += 1
        if ingested.outcome is Outcome.CONFLICT:
            conflict = InstanceConflict(sop_instance_uid=ingested.sop_instance_uid)
            return ((response(self._message, dimse_status(conflict), conflict), None),)
        return ((response(self._message, SUCCESS), None),)

    def discard(self) -> None:
        self._session.pace.leave()
        self._stage.discard()


def permitted_to(source: Source) -> Permit | None:
    """Return what lets only the source's kinds of instances (0008,0060) pass; None when it may store any."""
    modalities = source.modalities
    if modalities is None:
        return None

    def permit(attributes: InstanceAttributes) -> None:
        if attributes.series.modality not in modalities:
            raise Forbidden(action="store this modality")

    return permit


def _loggable(uid: str) -> str:
    """Return a UID if it is one: what a stranger calls a UID may be a name."""
    return uid if len(uid) <= 64 and set(uid) <= set("0123456789.") else "(not a UID)"
