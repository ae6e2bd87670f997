"""C-MOVE SCP: the instances go to a destination of the configuration, on an association of ours (PS3.4 C.4.2).

A move destination is a `[[destination]]` of kind dimse, named by its AE title. One whose profile de-identifies is no move
destination: what a C-MOVE names is sent as it is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.retrieve_send import PLAIN, DataSets, syntax_for
from gateway.dimse.scp.retrieve_service import Store
from gateway.dimse.scp.services import Session, int_of, text_of
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line
from gateway.dimse.scu.proposal import CONTEXTS_MAX, Pair
from gateway.dimse.scu.targets import target_of
from gateway.dimse.upper_layer.commands import CommandSet
from gateway.dimse.upper_layer.indications import Command
from kernel import telemetry
from kernel.archive.records import Located
from kernel.config import Config
from kernel.errors import ExchangeError, UnknownDestination
from routing.destinations import NO_PROFILE
from routing.settings import parse

_log = telemetry.get_logger("gateway.dimse")


@dataclass(frozen=True, slots=True)
class MoveDestination:
    """Where instances may be moved to; `refusal` says why not."""

    target: Target
    refusal: str = ""


def move_destinations(config: Config) -> dict[str, MoveDestination]:
    """Return the move destinations of a configuration by AE title; the first of a title wins."""
    found: dict[str, MoveDestination] = {}
    for one in parse(config).destinations.values():
        if one.kind == "dimse":
            target = target_of(one, config)
            refusal = "" if one.profile == NO_PROFILE else "it takes de-identified studies only"
            found.setdefault(one.ae_title, MoveDestination(target, refusal))
    return found


class Move:
    """Performs the sub-operations of a C-MOVE."""

    def __init__(self, backing: Backing, destinations: Mapping[str, MoveDestination]) -> None:
        """Keep the destinations by AE title."""
        self._backing = backing
        self._destinations = destinations

    def open(self, session: Session, message: Command, found: Sequence[Located]) -> tuple[Store, Callable[[], None]]:
        """Return how one instance is sent to the destination, and what releases the association.

        Raises
        ------
        UnknownDestination
            No destination has this AE title, or it may not have identified studies.
        """
        title = text_of(message.command, "MoveDestination")
        destination = self._destinations.get(title)
        if destination is None or destination.refusal:
            reason = destination.refusal if destination else "no [[destination]] has this AE title"
            raise UnknownDestination(destination=title, reason=reason)
        how: CommandSet = {
            "Priority": int_of(message.command, "Priority"),
            "MoveOriginatorApplicationEntityTitle": session.calling_ae_title,
            "MoveOriginatorMessageID": int_of(message.command, "MessageID"),
        }
        way = _Way(DataSets(self._backing.blobs), destination.target, pairs_of(found), how)
        return way.store, way.close


def pairs_of(found: Sequence[Located]) -> dict[str, tuple[Pair, ...]]:
    """Return, by SOP class in the order of `found`, the contexts to propose: as stored first, then what we can make."""
    syntaxes: dict[str, dict[str, None]] = {}
    for one in found:
        syntaxes.setdefault(one.sop_class_uid, {})[one.transfer_syntax_uid] = None
    return {
        uid: tuple((uid, syntax) for syntax in dict.fromkeys((*stored, *PLAIN))) for uid, stored in syntaxes.items()
    }


class _Way:
    """The association of one move; a new one only for classes beyond the 128 contexts, or once when it was lost."""

    def __init__(
        self, data_sets: DataSets, target: Target, pairs: Mapping[str, tuple[Pair, ...]], how: CommandSet
    ) -> None:
        self._data_sets = data_sets
        self._target = target
        self._pairs = pairs
        self._how = how
        self._line: Line | None = None
        self._classes: frozenset[str] = frozenset()
        self._may_reopen = True
        self._dead = False

    def store(self, located: Located, following: Located | None) -> int | None:
        while not self._dead:
            try:
                return self._store(self._line_for(located.sop_class_uid), located, following)
            except Lost as lost:
                _log.warning("move_interrupted", cause=lost.cause.value, status=lost.status)
                self._drop()
                self._dead, self._may_reopen = not self._may_reopen, False
            except ExchangeError as error:
                _log.warning("instance_not_sent", sop_instance_uid=located.sop_instance_uid, error=error.code)
                return None
        return None

    def close(self) -> None:
        self._data_sets.close()
        self._release()

    def _release(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.release()

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.abort()

    def _line_for(self, sop_class_uid: str) -> Line:
        if self._line is not None and sop_class_uid in self._classes:
            return self._line
        self._release()
        classes = list(self._pairs)
        start = classes.index(sop_class_uid)
        pairs: list[Pair] = []
        chosen: list[str] = []
        for uid in (*classes[start:], *classes[:start]):
            if len(pairs) + len(self._pairs[uid]) < CONTEXTS_MAX:
                pairs += self._pairs[uid]
                chosen.append(uid)
        self._line, self._classes = Line(self._target, pairs), frozenset(chosen)
        return self._line

    def _store(self, line: Line, located: Located, following: Located | None) -> int | None:
        uid = self._syntax_for(line, located)
        if uid is None:
            return None
        data_set, ready = self._data_sets.of(located, uid), partial(self._ready, line, following)
        return line.send((located.sop_class_uid, uid), located.sop_instance_uid, data_set, self._how, ready)

    def _ready(self, line: Line, following: Located | None) -> None:
        if following is not None and (uid := self._syntax_for(line, following)) is not None:
            self._data_sets.ready(following, uid)

    def _syntax_for(self, line: Line, located: Located) -> str | None:
        """Return the transfer syntax in which an instance goes on an association, None when it takes none of it."""
        accepted = [uid for _, uid in self._pairs[located.sop_class_uid] if line.accepts((located.sop_class_uid, uid))]
        return syntax_for(located, accepted)
