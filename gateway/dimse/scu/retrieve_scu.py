"""Retrieving from another PACS, as C-GET or C-MOVE SCU (PS3.4 C.4.2, C.4.3): find what it has, ask for what we lack.

What is here already is not asked for, so that a retrieval that was cut off goes on where it stopped. Instances are asked
for in batches of UIDs at the IMAGE level; between two batches, and between two responses, it can be stopped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gateway.dimse.scp.retrieve_progress import CANCELLED, PENDING
from gateway.dimse.scp.services import Reply, int_of
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.find_scu import MODELS, Level, Question, find_on, identifier_of
from gateway.dimse.scu.line import Line, Serving
from gateway.dimse.scu.proposal import CONTEXTS_MAX, Pair
from gateway.dimse.upper_layer.commands import CommandSet, Field
from gateway.dimse.upper_layer.indications import Context
from gateway.dimse.upper_layer.pdu import Role
from gateway.status import SUCCESS
from kernel.dicom.queries.identifier import Model, texts
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import LimitExceeded
from routing.transport import Cause

STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"
PLAIN: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
COMPRESSED: Final = tuple(uid for uid, one in SYNTAXES.items() if one.encapsulated)

STUDY, SERIES, INSTANCE, SOP_CLASS = 0x0020000D, 0x0020000E, 0x00080018, 0x00080016  # their UIDs
COUNTS: Final = ("NumberOfCompletedSuboperations", "NumberOfFailedSuboperations", "NumberOfWarningSuboperations")
INSTANCES_MAX: Final = 100_000  # of one study at the peer
BATCH_INSTANCES: Final = 50  # asked for at once
BUFFER_BYTES: Final = 1024 * 1024
REFUSED_BYTES_MAX: Final = 64 * 1024 * 1024

How = Literal["get", "move"]


@dataclass(frozen=True, slots=True)
class There:
    """One instance as the peer names it."""

    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str  # empty when the peer does not say


@dataclass(frozen=True, slots=True)
class Order:
    """How a study is to come: on our association (get), or sent by the peer to an AE title that it knows (move)."""

    how: How
    study_instance_uid: str
    destination: str = ""


@dataclass(slots=True)
class Progress:
    """How far a retrieval is; counts of instances."""

    total: int  # at the peer
    here: int = 0  # before, so not asked for
    completed: int = 0
    failed: int = 0
    warning: int = 0
    cancelled: bool = False
    status: int = SUCCESS  # the last one that was no success

    @property
    def is_whole(self) -> bool:
        """Whether everything that the peer has is here now."""
        return self.here + self.completed + self.warning >= self.total and not self.failed


def find_instances(target: Target, study_instance_uid: str, series_instance_uid: str = "") -> list[There]:
    """Return what a peer has of a study, by C-FIND of its series and then of their instances.

    Raises
    ------
    Lost
        The peer cannot be reached, or does not offer C-FIND in the Study Root.
    PeerBusy, Refused
        It cannot now, or fails to answer the query.
    LimitExceeded
        It names more than `INSTANCES_MAX`.
    """
    line = Line(target, [(MODELS["study"], uid) for uid in PLAIN])

    def ask(level: Level, keys: Mapping[int, str]) -> Iterator[Model]:
        question = Question(level, {(STUDY,): study_instance_uid, **{(tag,): text for tag, text in keys.items()}})
        return find_on(line, target.called_ae_title, question, most=INSTANCES_MAX + 1)

    try:
        _context(line, MODELS["study"])
        series = [series_instance_uid]
        if not series_instance_uid:
            series = [_text(one, SERIES) for one in ask("SERIES", {SERIES: ""})]
        found: list[There] = []
        for uid in filter(None, series):
            for one in ask("IMAGE", {SERIES: uid, INSTANCE: "", SOP_CLASS: ""}):
                found.append(There(uid, _text(one, INSTANCE), _text(one, SOP_CLASS)))
                if len(found) > INSTANCES_MAX:
                    raise LimitExceeded(limit="INSTANCES_MAX", value=len(found), bound=INSTANCES_MAX)
        return [one for one in found if one.sop_instance_uid]
    finally:
        line.release()


def retrieve(
    target: Target,
    order: Order,
    wanted: Sequence[There],
    progress: Progress,
    *,
    serving: Serving | None = None,
    tell: Callable[[Progress], bool] = lambda _: False,
) -> None:
    """Ask a peer for instances of a study.

    Parameters
    ----------
    serving
        Who takes the instances of a get; none of a move.
    tell
        Called with the progress after every response; True stops the retrieval.

    Raises
    ------
    Lost
        The peer cannot be reached, is gone, or does not offer the service; what came is kept.
    """
    model = STUDY_ROOT_GET if order.how == "get" else STUDY_ROOT_MOVE
    line = _open(target, model, wanted, serving)
    try:
        context = _context(line, model)
        for series, uids in _batches(wanted):
            keys = {(STUDY,): order.study_instance_uid, (SERIES,): series, (INSTANCE,): "\\".join(uids)}
            identifier = identifier_of(Question("IMAGE", keys, charset=""), context.transfer_syntax)
            replies = line.ask(context, _command(order, model), identifier)
            for pending in _count(replies, progress, len(uids)):
                if tell(progress) and not progress.cancelled:
                    progress.cancelled = True
                    if pending:
                        line.cancel(context)
            if progress.cancelled:
                return
    except BaseException:
        line.abort()
        raise
    finally:
        line.release()


def _count(replies: Iterator[Reply], progress: Progress, asked: int) -> Iterator[bool]:
    """Add the counts of one batch's responses to those of the batches before; yield whether more responses come."""
    before = (progress.completed, progress.failed, progress.warning)
    for reply in replies:
        told = [int_of(reply.command, keyword) for keyword in COUNTS]
        if reply.status not in (PENDING, SUCCESS):
            progress.status = reply.status
            progress.cancelled |= reply.status == CANCELLED
            if not any(told):  # it says nothing of single instances
                told[1] = asked
        progress.completed, progress.failed, progress.warning = (
            old + new for old, new in zip(before, told, strict=True)
        )
        yield reply.status == PENDING


def _open(target: Target, model: str, wanted: Sequence[There], serving: Serving | None) -> Line:
    pairs: list[Pair] = [(model, uid) for uid in PLAIN]
    if serving is None:
        return Line(target, pairs)
    classes = list(dict.fromkeys(one.sop_class_uid for one in wanted if one.sop_class_uid))
    each = (CONTEXTS_MAX - 1 - len(pairs)) // max(1, len(classes))
    # what the peer stores compressed comes as it is, as far as there is room for contexts
    for uid in classes:
        pairs += [(uid, syntax) for syntax in (*PLAIN, *COMPRESSED)[: max(each, 1)]]
    roles = [Role(uid, scu=False, scp=True) for uid in classes]
    return Line(target, pairs, roles=roles, serving=serving)


def _context(line: Line, model: str) -> Context:
    context = line.context(model)
    if context is None:
        line.release()
        raise Lost(
            Cause.POISON, "context", "the peer does not offer this service in the Study Root, or not to our AE title"
        )
    return context


def _command(order: Order, model: str) -> CommandSet:
    command = {"AffectedSOPClassUID": model, "Priority": 0}
    if order.how == "get":
        return {**command, "CommandField": int(Field.C_GET_RQ)}
    return {**command, "CommandField": int(Field.C_MOVE_RQ), "MoveDestination": order.destination}


def _batches(wanted: Sequence[There]) -> Iterator[tuple[str, list[str]]]:
    by_series: dict[str, list[str]] = {}
    for one in wanted:
        by_series.setdefault(one.series_instance_uid, []).append(one.sop_instance_uid)
    for series, uids in by_series.items():
        for start in range(0, len(uids), BATCH_INSTANCES):
            yield series, uids[start : start + BATCH_INSTANCES]


def _text(model: Model, tag: int) -> str:
    return next(iter(texts(model.get(f"{tag:08X}"))), "")
