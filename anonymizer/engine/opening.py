"""An instance as the engine wants it: a Part 10 source in little endian, and its scan, whatever it came as."""

from dataclasses import replace
from typing import NamedTuple

from anonymizer.engine.embedded_overlays import cleared
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.menders import may_be_mended, shared_menders
from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import MalformedInstance, Refused


class Opened(NamedTuple):
    """A source, what it is encoded in, and its scan."""

    source: Buffer
    transfer_syntax_uid: str
    header: Header


def opened(source: Buffer) -> Opened:
    """Scan a file from elsewhere; one that the scanner does not understand is read by pydicom and written again.

    Raises
    ------
    Refused
        Neither understands it; this is what the scanner says.
    Busy
        The process in which pydicom reads is not to be had.
    """
    try:
        return _scanned(source)
    except MalformedInstance as refusal:
        if not may_be_mended(source):
            raise
        try:
            return _scanned(shared_menders().mend(source))
        except Refused:
            raise refusal from None


def in_little_endian(source: Buffer, header: Header | None = None) -> Opened:
    """Return an instance that was deflated or big endian as Explicit VR Little Endian, any other as it is.

    Without overlays in unused bits of its pixels, which nothing that looks at a header would find.

    Raises
    ------
    Refused
        It is not understood, or ends too early.
    """
    meta = read_file_meta(source)
    syntax = meta.transfer_syntax_uid
    if header is None:
        header = scan(source, syntax, offset=meta.dataset_offset)
    if header.reencoded:
        encoded = to_explicit_little_endian(source, syntax, offset=meta.dataset_offset)
        syntax = EXPLICIT_VR_LITTLE_ENDIAN
        front = file_meta(meta.sop_class_uid, meta.sop_instance_uid, syntax)
        source = front + encoded
        header = scan(source, syntax, offset=len(front))
    if not header.complete:
        raise MalformedInstance(reason="it ends inside the pixel data")
    without = cleared(source, header, syntax)
    if without is not None:
        source, header = without, replace(header, buffer=without)
    return Opened(source, syntax, header)


def _scanned(source: Buffer) -> Opened:
    meta = read_file_meta(source)
    return Opened(source, meta.transfer_syntax_uid, scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))
