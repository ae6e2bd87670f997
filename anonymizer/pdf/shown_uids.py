"""UIDs that the pages of an encapsulated PDF show, whatever font hides them in its bytes.

For what comes home (`anonymizer.reidentify.pdf` reads bytes alone): PDFium knows what the letters of a subset font mean.
"""

import re
from typing import Final

from anonymizer.engine.result import Buffer
from anonymizer.pdf.cleaner import drawn_pages
from anonymizer.pdf.drawing import NotDrawnError, is_installed, shared_drawing
from anonymizer.pdf.encapsulated import MIME_TYPE, document_of
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan

_UID: Final = re.compile(r"(?<![0-9.])2\.25\.[1-9][0-9]{0,38}(?![0-9]|\.[0-9])")  # as `anonymizer.reidentify.way_back`


def uids_shown(source: Buffer) -> frozenset[str]:
    """Return the UIDs that a de-identification may have made, on the pages of an instance's PDF.

    None of an instance without one, of a document that is not drawn (too long, say), or without PDFium.

    Raises
    ------
    Busy
        The process that draws had no time.
    """
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    if header.raw(MIME_TYPE).strip(b" \0") != b"application/pdf":
        return frozenset()
    return uids_on_pages(document_of(header))


def uids_on_pages(document: bytes) -> frozenset[str]:
    """Return the same of a PDF; none without PDFium, or of a document that is not drawn."""
    if not is_installed():
        return frozenset()
    found: set[str] = set()
    try:
        for page in drawn_pages(document, shared_drawing()):
            found.update(uid for word in page.words for uid in _UID.findall(word.text))
    except NotDrawnError:
        pass  # of the pages before it something may be known
    return frozenset(found)
