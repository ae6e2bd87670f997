"""C-FIND SCP of Query/Retrieve (PS3.4 C.4.1): Patient Root, Study Root and the retired Patient/Study Only.

Matches are read a page at a time and answered one by one, so that an answer of any length takes the same memory and a
C-CANCEL-RQ stops it between two of them. A caller finds studies of its source's site; every request is audited by its
keys, never its values.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.find_identifier import (
    FIND_MODELS,
    LEVEL_OF,
    LEVEL_TAG,
    RETRIEVE_AE_TITLE,
    FindRequest,
    read_find,
)
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response
from gateway.dimse.scp.who import principal_of
from gateway.dimse.upper_layer.commands import DATA_SET, CommandSet
from gateway.dimse.upper_layer.indications import Command
from gateway.status import SUCCESS, dimse_status
from kernel import telemetry
from kernel.archive.finder import MATCHES_MAX, Asked, Finder
from kernel.dicom import answer_encoder
from kernel.dicom.charset import parse_charsets
from kernel.dicom.dictionary import KEYWORD_OF
from kernel.dicom.identifier import Model, chosen
from kernel.dicom.json_model import to_json
from kernel.dicom.plain import LIMITS
from kernel.dicom.scanner import scan
from kernel.dicom.timezone import format_offset, parse_offset, told_in_zone
from kernel.dicom.values import CHARACTER_SET_BYTES_MAX, SPECIFIC_CHARACTER_SET
from kernel.errors import ExchangeError, MalformedInstance

PENDING: Final = 0xFF00
PENDING_UNSUPPORTED: Final = 0xFF01  # matches, and some optional keys are not supported
CANCELLED: Final = 0xFE00
IDENTIFIER_BYTES_MAX: Final = 256 * 1024  # a list of some 3,900 UIDs
_NAME_OF: Final = {level: name for name, level in LEVEL_OF.items()}
_log = telemetry.get_logger("gateway.dimse")


class FindSCP:
    """Serves C-FIND-RQ of every information model."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._finder = Finder(backing.db)
        self._zone_minutes = parse_offset(backing.config.archive.timezone) or 0

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the identifier."""
        if not message.has_data_set:
            return Drain(_failed(session, message, MalformedInstance(reason="the request has no identifier")), 0)
        return Gathered(
            lambda data: self._answer(session, message, data),
            lambda error: ((_failed(session, message, error), None),),
            IDENTIFIER_BYTES_MAX,
        )

    def _answer(self, session: Session, message: Command, data: bytes) -> Iterable[Response]:
        try:
            yield from self._matches(session, message, data)
        except ExchangeError as error:
            yield _failed(session, message, error), None

    def _matches(self, session: Session, message: Command, data: bytes) -> Iterator[Response]:
        context, sent = message.context, 0
        model, charset = _read(data, context.transfer_syntax, session.source.fallback_charset)
        request = read_find(model, FIND_MODELS[context.abstract_syntax], context.extended, self._zone_minutes)
        pending: CommandSet = {
            **response(message, PENDING if request.all_supported else PENDING_UNSUPPORTED),
            "CommandDataSetType": DATA_SET,
        }
        for answer in self._answers(session, request):
            if session.is_cancelled(int_of(message.command, "MessageID")):
                yield response(message, CANCELLED), None
                break
            yield pending, answer_encoder.encode(answer, context.transfer_syntax, charset)
            sent += 1
        else:
            yield response(message, SUCCESS), None
        _log.info("find_answered", session=session.identifier, source=session.source.name, matches=sent)

    def _answers(self, session: Session, request: FindRequest) -> Iterator[Model]:
        """Yield the identifiers of the matches (PS3.4 C.4.1.1.3.2)."""
        backing = self._backing
        names = [KEYWORD_OF.get(tag, "") for tag in request.keys]
        sites = backing.access.may_search(principal_of(session), names, session.address)
        always: Model = {
            f"{LEVEL_TAG:08X}": {"vr": "CS", "Value": [_NAME_OF[request.level]]},
            f"{RETRIEVE_AE_TITLE:08X}": {"vr": "AE", "Value": [backing.config.dimse.ae_title]},
        }
        if request.zone_minutes is not None:
            always["00080201"] = {"vr": "SH", "Value": [format_offset(request.zone_minutes)]}
        asked = Asked(request.level, request.keys, sites, tags=frozenset(request.wanted), limit=MATCHES_MAX)
        for page in self._finder.pages(asked):
            for found in page:
                answer = chosen(request.wanted, request.keys, found.model) | always
                if request.zone_minutes is not None:
                    answer = told_in_zone(answer, request.zone_minutes - self._zone_minutes)
                yield answer


def _read(data: bytes, transfer_syntax_uid: str, fallback_charset: str | None) -> tuple[Model, str]:
    """Return an identifier, and the character set that it declares; empty when it is none or several."""
    header = scan(data, transfer_syntax_uid, limits=LIMITS)
    charsets = parse_charsets(header.raw(SPECIFIC_CHARACTER_SET)[:CHARACTER_SET_BYTES_MAX])
    model: Model = msgspec.json.decode(to_json(header, fallback_charset=fallback_charset))
    return model, charsets[0] if len(charsets) == 1 else ""


def _failed(session: Session, message: Command, error: ExchangeError) -> CommandSet:
    status = dimse_status(error)
    _log.warning("find_refused", session=session.identifier, status=f"{status:04X}", error=error.code)
    return response(message, status, error)
