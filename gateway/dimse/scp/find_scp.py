"""What a C-FIND of Query/Retrieve finds (PS3.4 C.4.1): Patient Root, Study Root and the retired Patient/Study Only.

Matches are read a page at a time. A caller finds studies of its source's site; every request is audited by its keys,
never its values.
"""

from collections.abc import Iterator
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
from gateway.dimse.scp.find_service import Matches
from gateway.dimse.scp.services import Session
from gateway.dimse.scp.who import principal_of
from gateway.dimse.upper_layer.indications import Command
from kernel.access import Scope
from kernel.archive.search.finder import MATCHES_MAX, Asked, Finder
from kernel.dicom.models import answer_encoder
from kernel.dicom.models.json_model import to_json
from kernel.dicom.models.plain import LIMITS
from kernel.dicom.queries.identifier import Model, chosen
from kernel.dicom.queries.timezone import format_offset, parse_offset, told_in_zone
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.scanning.values import CHARACTER_SET_BYTES_MAX, SPECIFIC_CHARACTER_SET
from kernel.dicom.vocabulary.charset import parse_charsets
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF

_NAME_OF: Final = {level: name for name, level in LEVEL_OF.items()}


class ArchiveFinding:
    """Finds patients, studies, series and instances."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._finder = Finder(backing.db)
        self._zone_minutes = parse_offset(backing.config.archive.timezone) or 0

    def find(self, session: Session, message: Command, identifier: bytes) -> Matches:
        """Begin to look; see `Finding`."""
        context = message.context
        model, charset = _read(identifier, context.transfer_syntax, session.source.fallback_charset)
        request = read_find(model, FIND_MODELS[context.abstract_syntax], context.extended, self._zone_minutes)
        answers = self._answers(session, request)
        encoded = (answer_encoder.encode(answer, context.transfer_syntax, charset) for answer in answers)
        return Matches(request.all_supported, encoded)

    def _answers(self, session: Session, request: FindRequest) -> Iterator[Model]:
        """Yield the identifiers of the matches (PS3.4 C.4.1.1.3.2)."""
        backing = self._backing
        names = [KEYWORD_OF.get(tag, "") for tag in request.keys]
        who = principal_of(session)
        sites = backing.access.may_search(who, names, session.address)
        always: Model = {
            f"{LEVEL_TAG:08X}": {"vr": "CS", "Value": [_NAME_OF[request.level]]},
            f"{RETRIEVE_AE_TITLE:08X}": {"vr": "AE", "Value": [backing.config.dimse.ae_title]},
        }
        if request.zone_minutes is not None:
            always["00080201"] = {"vr": "SH", "Value": [format_offset(request.zone_minutes)]}
        labels = Scope.LABELS_READ in who.scopes
        wanted = frozenset(request.wanted)
        asked = Asked(request.level, request.keys, sites, tags=wanted, limit=MATCHES_MAX, labels=labels)
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
