"""What was found as one answer: a JSON array, or Native DICOM Models in a multipart message (PS3.18 8.7.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.content_coding import IDENTITY, WORTH_BYTES, chosen, coded
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import JSON, MULTIPART, XML, Offer
from kernel.dicom.models.xml_model import to_xml

Item = dict[str, Any]
OFFERS: Final = (Offer(JSON), Offer("application/json"), Offer(XML, is_multipart=True))


def listed(
    items: Sequence[Item], offer: Offer, headers: Mapping[str, str], boundary: bytes, accept_encoding: str
) -> Answer:
    """Return the answer with `items`; in XML, where a message without parts cannot be, an empty one when there are none.

    `headers` has Vary; what is long enough is compressed as the client likes it.
    """
    if offer.media_type != XML:
        kind, body = offer.media_type, msgspec.json.encode(items)
    else:
        kind, body = xml_parts_type(boundary), b"".join(as_xml_parts(items, boundary)) if items else b""
    headers = {**headers, "Content-Type": kind, "Vary": f"{headers['Vary']}, Accept-Encoding"}
    coding = chosen(accept_encoding) if len(body) >= WORTH_BYTES else IDENTITY
    if coding == IDENTITY:
        return Answer(200, headers, body)
    return Answer(200, {**headers, "Content-Encoding": coding}, coded(body, coding))


def xml_parts_type(boundary: bytes) -> str:
    """Return the Content-Type of what `as_xml_parts` yields."""
    return f'{MULTIPART}; type="{XML}"; boundary={boundary.decode()}'


def as_xml_parts(items: Iterable[Item], boundary: bytes) -> Iterator[bytes]:
    """Yield a multipart body of Native DICOM Models, one part each (PS3.18 8.7.3.1)."""
    head = part_head(boundary, {"Content-Type": XML})
    for item in items:
        yield head + to_xml(item) + PART_TAIL
    yield body_tail(boundary)
