"""What a C-FIND of the Modality Worklist finds (PS3.4 K.4): a site's scheduled steps, in characters that the modality knows."""

from collections.abc import Iterator
from typing import Final

from consult import worklist
from consult.stations import Stations
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.find_service import Matches
from gateway.dimse.scp.services import Session
from gateway.dimse.scp.who import principal_of
from gateway.dimse.upper_layer.indications import Command
from kernel.dicom.models import plain
from kernel.dicom.queries.identifier import of_model
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF
from kernel.errors import Forbidden, QueryTooBroad

MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
NO_KEYS: Final = frozenset({"00080005", "00080201"})  # of the identifier itself: character set, offset from UTC
ITEMS_MAX: Final = 1000  # of one answer; a longer worklist ends with A700, so that nobody takes it for the whole


class WorklistFinding:
    """Finds scheduled steps."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._stations = Stations.from_config(backing.config)

    def find(self, session: Session, message: Command, identifier: bytes) -> Matches:
        """Begin to look; see `Finding`."""
        backing, syntax = self._backing, message.context.transfer_syntax
        model = plain.read(identifier, syntax, session.source.fallback_charset)
        asked = of_model({tag: element for tag, element in model.items() if tag not in NO_KEYS})
        site = site_of(backing, session, [KEYWORD_OF.get(tag, f"{tag:08X}") for tag in asked.keys])
        station = self._stations.of_caller(session.calling_ae_title)
        charset = station.charset if station else plain.UTF8
        items = worklist.found(backing.db, site, asked, session.calling_ae_title)
        encoded = (None if item is None else plain.write(item, syntax, charset) for item in _bounded(items))
        return Matches(not asked.unsupported, encoded)


def site_of(backing: Backing, session: Session, keywords: list[str]) -> str:
    """Return the site whose schedule a caller may see; audited by what it asks for. Raises Forbidden."""
    sites, site = backing.access.may_search(principal_of(session), keywords, session.address), session.source.site
    if sites is not None and site not in sites:
        raise Forbidden(action="see the worklist of this site")
    return site


def _bounded(items: Iterator[plain.Model | None]) -> Iterator[plain.Model | None]:
    sent = 0
    for item in items:
        if item is not None and sent == ITEMS_MAX:
            raise QueryTooBroad(reason=f"more than {ITEMS_MAX} steps")
        sent += item is not None
        yield item
