"""C-GET SCP: the instances go back on the association of the request, where the peer selected the SCP role (PS3.4 C.4.3)."""

from collections.abc import Callable, Sequence

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.retrieve_send import data_set_of, syntax_for
from gateway.dimse.scp.retrieve_service import Store
from gateway.dimse.scp.services import Session, int_of
from gateway.dimse.upper_layer.commands import Field
from gateway.dimse.upper_layer.indications import Command, Context
from kernel import telemetry
from kernel.archive.records import Located
from kernel.errors import ExchangeError

_log = telemetry.get_logger("gateway.dimse")


class Get:
    """Performs the sub-operations of a C-GET."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing

    def open(self, session: Session, message: Command, found: Sequence[Located]) -> tuple[Store, Callable[[], None]]:
        """Return how one instance is sent back."""
        del found
        priority = int_of(message.command, "Priority")

        def store(located: Located) -> int | None:
            contexts = {c.transfer_syntax: c for c in session.contexts_to_ask(located.sop_class_uid)}
            return self._store(session, located, contexts, priority)

        return store, lambda: None

    def _store(self, session: Session, located: Located, contexts: dict[str, Context], priority: int) -> int | None:
        uid = syntax_for(located, contexts)
        if uid is None:
            return None
        try:
            data_set = data_set_of(self._backing.blobs, located, uid)
        except ExchangeError as error:
            _log.warning("instance_not_sent", sop_instance_uid=located.sop_instance_uid, error=error.code)
            return None
        command = {
            "AffectedSOPClassUID": located.sop_class_uid,
            "CommandField": int(Field.C_STORE_RQ),
            "Priority": priority,
            "AffectedSOPInstanceUID": located.sop_instance_uid,
        }
        return session.request(contexts[uid], command, data_set).status
