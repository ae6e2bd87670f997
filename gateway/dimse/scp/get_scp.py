"""C-GET SCP: the instances go back on the association of the request, where the peer selected the SCP role (PS3.4 C.4.3)."""

from collections.abc import Callable, Sequence
from functools import partial

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.retrieve_send import DataSets, syntax_for
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
        way = _Way(session, DataSets(self._backing.blobs), int_of(message.command, "Priority"))
        return way.store, way.close


class _Way:
    """The association back."""

    def __init__(self, session: Session, data_sets: DataSets, priority: int) -> None:
        self._session = session
        self._data_sets = data_sets
        self._priority = priority
        self._contexts: dict[str, dict[str, Context]] = {}  # by SOP class and transfer syntax

    def close(self) -> None:
        self._data_sets.close()

    def store(self, located: Located, following: Located | None) -> int | None:
        context = self._context_for(located)
        if context is None:
            return None
        uid = context.transfer_syntax
        try:
            data_set = self._data_sets.of(located, uid)
        except ExchangeError as error:
            _log.warning("instance_not_sent", sop_instance_uid=located.sop_instance_uid, error=error.code)
            return None
        command = {
            "AffectedSOPClassUID": located.sop_class_uid,
            "CommandField": int(Field.C_STORE_RQ),
            "Priority": self._priority,
            "AffectedSOPInstanceUID": located.sop_instance_uid,
        }
        return self._session.request(context, command, data_set, partial(self._ready, following)).status

    def _ready(self, following: Located | None) -> None:
        if following is not None and (context := self._context_for(following)) is not None:
            self._data_sets.ready(following, context.transfer_syntax)

    def _context_for(self, located: Located) -> Context | None:
        """Return on which context an instance goes, None when the peer takes no syntax of it."""
        contexts = self._contexts.get(located.sop_class_uid)
        if contexts is None:
            found = self._session.contexts_to_ask(located.sop_class_uid)
            contexts = self._contexts[located.sop_class_uid] = {one.transfer_syntax: one for one in found}
        uid = syntax_for(located, contexts)
        return None if uid is None else contexts[uid]
