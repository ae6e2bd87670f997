"""An instance as the engine wants it: a Part 10 source in little endian, and its scan, whatever it came as."""

from dataclasses import replace
from typing import NamedTuple

from anonymizer.engine.embedded_overlays import cleared
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.menders import may_be_mended, shared_menders
from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan, scan_every_frame
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
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

    A header without VRs before compressed frames gets them (PS3.5 A.4), by pydicom. Without overlays in unused bits of
    its pixels, which nothing that looks at a header would find.

    Raises
    ------
    Refused
        It is not understood, or ends too early; or its pixel data is not what its transfer syntax says, so that nobody
        knows what is in it.
    Busy
        The process in which pydicom reads is not to be had.
    """
    meta = read_file_meta(source)
    syntax = meta.transfer_syntax_uid
    if header is None:
        header = scan_every_frame(source, syntax, offset=meta.dataset_offset)
    if header.reencoded:
        encoded = to_explicit_little_endian(source, syntax, offset=meta.dataset_offset)
        syntax = EXPLICIT_VR_LITTLE_ENDIAN
        front = file_meta(meta.sop_class_uid, meta.sop_instance_uid, syntax)
        source = front + encoded
        header = scan(source, syntax, offset=len(front))
    if not header.complete:
        raise MalformedInstance(reason="it ends inside the pixel data")
    assert header.frame_groups_apart is None, "what it leaves out would go unseen"
    _check_pixels(header, syntax)
    if _lacks_vrs(header):
        source, syntax, header = _scanned(shared_menders().mend(source))
    without = cleared(source, header, syntax)
    if without is not None:
        source, header = without, replace(header, buffer=without)
    return Opened(source, syntax, header)


def _check_pixels(header: Header, syntax: str) -> None:
    pixels, known = header.pixel_data, SYNTAXES.get(syntax)
    if pixels is None or known is None or pixels.length == 0 or pixels.is_encapsulated == known.encapsulated:
        return
    if pixels.is_encapsulated:
        raise MalformedInstance(reason="its pixel data is compressed, and nothing says how")
    raise MalformedInstance(reason="its pixel data is not compressed, as its transfer syntax says")


def _lacks_vrs(header: Header) -> bool:
    """Whether an implicit header stands before compressed frames."""
    return header.implicit and header.pixel_data is not None and header.pixel_data.is_encapsulated


def _scanned(source: Buffer) -> Opened:
    meta = read_file_meta(source)
    header = scan_every_frame(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    return Opened(source, meta.transfer_syntax_uid, header)
