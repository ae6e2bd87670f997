"""Encapsulated documents as what they are (PS3.18 table 8.7.4-1, PS3.3 A.45): a PDF report rendered is a PDF."""

from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Piece
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of
from gateway.dicomweb.http.negotiation import Offer, choose
from gateway.dicomweb.http.ranges import ranged
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.bulkdata import DOCUMENT, PDF, PDF_STORAGE, values_of
from gateway.dicomweb.retrieve.frame_source import mapped
from gateway.dicomweb.retrieve.instances import VARY, sending
from kernel.archive.records import Located
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.scanning.values import Values

_DOCUMENT_LENGTH: Final = 0x00420015


def is_document(located: Located) -> bool:
    """Whether an instance is rendered as a document."""
    return located.sop_class_uid == PDF_STORAGE


def rendered_document(call: Call, located: Located) -> ASGIApp:
    """Return the document of an instance, in byte ranges if that is asked."""
    choose(call.accept, [Offer(PDF)])
    headers = {"ETag": tag_of(located.sha256, PDF), "Content-Type": PDF, "Cache-Control": "private, no-cache"}
    headers |= {"Vary": VARY, "Content-Disposition": 'inline; filename="report.pdf"'}
    if known := not_modified(call.headers, headers):
        return known
    (pieces, *_), _ = values_of(call, located, DOCUMENT)
    return ranged(call.headers, headers, [_unpadded(piece, _length(call, located)) for piece in pieces], sending(call))


def _length(call: Call, located: Located) -> int | None:
    """Return how long the document says it is, without its padding to even."""
    with mapped(call.services.blobs.path(located.blob_key)) as view:
        header = scan(view, located.transfer_syntax_uid, offset=located.dataset_offset)
        value = Values(header).raw(_DOCUMENT_LENGTH, 4)
    return int.from_bytes(value, "little") if len(value) == 4 else None


def _unpadded(piece: Piece, length: int | None) -> Piece:
    if isinstance(piece, FileSpan) and length is not None and length == piece.size_bytes - 1:
        return piece._replace(size_bytes=length)
    return piece
