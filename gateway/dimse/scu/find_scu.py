"""Asking another PACS what it has: C-FIND SCU (PS3.4 C.4.1) in the Patient or Study Root.

    for model in find(target, Question("STUDY", {(0x00100010,): "nguyen*", (0x00080020,): ""}), most=100): ...

Answers are DICOM JSON objects. What the peer writes into Error Comment is not repeated: it may name a patient.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway import refusals
from gateway.dimse.scp.find_identifier import BYTES, LEVEL_TAG, Matching
from gateway.dimse.scp.services import Reply
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line
from gateway.dimse.upper_layer.commands import CommandSet, Field
from gateway.dimse.upper_layer.pdu import Extended
from gateway.status import OUT_OF_RESOURCES, SUCCESS
from kernel.dicom.models import answer_encoder, plain
from kernel.dicom.queries.identifier import Model
from kernel.dicom.vocabulary.dictionary import VR_OF
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import InvalidQuery, PeerBusy, PeerUnreachable, Refused

Level = Literal["PATIENT", "STUDY", "SERIES", "IMAGE"]
MODELS: Final = {"patient": "1.2.840.10008.5.1.4.1.2.1.1", "study": "1.2.840.10008.5.1.4.1.2.2.1"}
PENDING: Final = (0xFF00, 0xFF01)
CANCELLED: Final = 0xFE00
_SYNTAXES: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
_UNSPLIT: Final = frozenset({"LT", "ST", "UT", "UR"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Keys are tags from the outermost sequence inwards; one with an empty text is only to be told."""

    level: Level
    keys: Mapping[tuple[int, ...], str]
    root: Literal["patient", "study"] = "study"
    matching: frozenset[Matching] = frozenset()  # to be agreed on by extended negotiation, where the peer knows it
    charset: str = answer_encoder.UTF8  # in which we ask and would be answered


def find(target: Target, question: Question, *, most: int) -> Iterator[Model]:
    """Yield what a peer finds, as DICOM JSON objects, at most `most`: the rest is cancelled.

    Raises
    ------
    PeerUnreachable
        The peer cannot be reached, is gone, or does not offer C-FIND in this root.
    PeerBusy
        It says that it cannot now, or that there is too much.
    Refused
        It refuses the query; the status is told.
    InvalidQuery
        A key cannot be written.
    """
    model = MODELS[question.root]
    try:
        line = Line(target, [(model, uid) for uid in _SYNTAXES], extended=_extended(question, model))
        try:
            yield from find_on(line, target.called_ae_title, question, most=most)
        finally:
            line.release()
    except Lost as lost:
        raise PeerUnreachable(peer=target.called_ae_title, reason=lost.detail) from None


def find_on(line: Line, peer: str, question: Question, *, most: int) -> Iterator[Model]:
    """Yield what a peer finds on an association that offers it; `peer` is its name in errors. Raises as `find`, and Lost."""
    model = MODELS[question.root]
    context = line.context(model)
    if context is None:
        raise PeerUnreachable(peer=peer, reason="it does not offer this query, or not to our AE title")
    command: CommandSet = {"AffectedSOPClassUID": model, "CommandField": int(Field.C_FIND_RQ), "Priority": 0}
    identifier = identifier_of(question, context.transfer_syntax)
    count, reply = 0, None
    for reply in line.ask(context, command, identifier):
        if reply.status in PENDING and count < most:
            count += 1
            yield plain.read(reply.data_set, context.transfer_syntax)
            if count == most:
                line.cancel(context)
    _check(reply, peer)


def identifier_of(question: Question, transfer_syntax_uid: str) -> bytes:
    """Return the encoded identifier. Raises InvalidQuery: a value is none of its VR."""
    model: Model = {f"{LEVEL_TAG:08X}": {"vr": "CS", "Value": [question.level]}}
    for path, text in question.keys.items():
        level = model
        for tag in path[:-1]:
            level = level.setdefault(f"{tag:08X}", {"vr": "SQ", "Value": [{}]})["Value"][0]
        vr = VR_OF.get(path[-1], "UN")[:2]
        values = [text] if vr in _UNSPLIT else text.split("\\")
        if vr == "PN":
            level[f"{path[-1]:08X}"] = {"vr": vr, "Value": [_name(value) for value in values] if text else []}
        else:
            level[f"{path[-1]:08X}"] = {"vr": vr, "Value": values if text and vr != "SQ" else []}
    try:
        return answer_encoder.encode(model, transfer_syntax_uid, question.charset)
    except ValueError:
        raise InvalidQuery(reason="a key is not a value of its VR") from None


def _name(text: str) -> dict[str, str]:
    return dict(zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("=", 2), strict=False))


def _extended(question: Question, model: str) -> tuple[Extended, ...]:
    wanted = bytes(name in question.matching for name in BYTES)
    return (Extended(model, wanted),) if question.matching else ()


def _check(reply: Reply | None, peer: str) -> None:
    status = SUCCESS if reply is None else reply.status
    if status in (SUCCESS, CANCELLED):
        return
    reason = f"C-FIND status {status:04X}{refusals.told_query(status)}"
    if status & 0xFF00 == OUT_OF_RESOURCES:
        raise PeerBusy(peer=peer, reason=reason)
    raise Refused(reason=f"{peer} answers with {reason}")
