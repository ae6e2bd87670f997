"""The PDF of an Encapsulated PDF instance (PS3.3 A.45.1), cleaned before the header is written."""

from collections.abc import Iterator, Sequence
from typing import Final

from anonymizer.elements.second_net import Net
from anonymizer.engine.result import NewPixels
from anonymizer.pdf.cleaner import Unfinished, clean_pdf, drawn_pages, masked_pdf
from anonymizer.pdf.drawing import NotDrawnError, Page, is_installed, shared_drawing
from anonymizer.pdf.looking import Eyes
from anonymizer.pdf.words import read_words
from anonymizer.pixels.cleaner import BURNED_IN_ANNOTATION, CLEAN_PIXEL_DATA, Cleaning
from anonymizer.pixels.finder import missing, shared_finders
from anonymizer.profiles.profile import SITE, Profile
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.scanning.elements import Header

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
OPTIONS: Final = frozenset({"clean_pixel_data", "clean_descriptors"})  # text stays if cleaned, and so do its pictures
SOP_CLASS_UID, MIME_TYPE = 0x00080016, 0x00420012
_DOCUMENT, _LENGTH = 0x00420011, 0x00420015


def wants_new_pdf(header: Header, profile: Profile) -> bool:
    """Whether an instance is a PDF that a profile has cleaned: not if it removes descriptions, or the site said so."""
    is_pdf = header.raw(SOP_CLASS_UID).strip(b" \0") == ENCAPSULATED_PDF.encode()
    return is_pdf and profile.options >= OPTIONS and profile.rules[f"{_DOCUMENT:08X}"].option != SITE


def not_installed() -> str:
    """Return what is to be installed before a PDF can be cleaned, in words; empty if nothing is."""
    wanted = missing()
    if is_installed() or "vienanh[pixels]" in wanted:
        return wanted
    return ", ".join(filter(None, ("vienanh[pixels]", wanted)))


def pdf_cleaned(header: Header, syntax: str, net: Net) -> Cleaning:
    """Return the new document as changes of a little endian instance, or why a person must see to it.

    Raises
    ------
    Busy
        Those who draw and look had no time.
    """
    if wanted := not_installed():
        return _held(syntax, f"install {wanted}")
    made = clean_pdf(document_of(header), Eyes(shared_finders(), read_words, net), shared_drawing())
    if isinstance(made, Unfinished):
        return _held(syntax, made.reason, made.boxes)
    return _written(made, syntax)


def pdf_masked(header: Header, syntax: str, boxes: Sequence[Box]) -> Cleaning | None:
    """Return the document with what a person masked in the strip of its pages; None when it cannot leave as pictures.

    Without masks it cannot: nobody sends whole pages of text by leaving something out.
    """
    if not boxes or not is_installed():
        return None
    try:
        return _written(masked_pdf(document_of(header), boxes, shared_drawing()), syntax)
    except NotDrawnError:
        return None


def pages_of(header: Header) -> Iterator[Page]:
    """Yield the pages that a person may mask; none of a document that cannot leave as pictures."""
    if is_installed():
        try:
            yield from drawn_pages(document_of(header), shared_drawing())
        except NotDrawnError:
            return


def document_of(header: Header) -> bytes:
    """Return the document without its padding."""
    content, declared = header.raw(_DOCUMENT), header.raw(_LENGTH)
    return content[: int.from_bytes(declared, "little")] if len(declared) == 4 else content


def _written(made: bytes, syntax: str) -> Cleaning:
    changes = {
        _DOCUMENT: ("OB", made + b"\0" * (len(made) % 2)),
        _LENGTH: ("UL", len(made).to_bytes(4, "little")),
        BURNED_IN_ANNOTATION: ("CS", b"NO"),
        MIME_TYPE: ("LO", b"application/pdf "),
    }
    return Cleaning("cleaned", NewPixels((), syntax, changes, (CLEAN_PIXEL_DATA,)))


def _held(syntax: str, reason: str, proposed: tuple[Box, ...] = ()) -> Cleaning:
    return Cleaning("doubtful", NewPixels((), syntax), (), reason, proposed)
