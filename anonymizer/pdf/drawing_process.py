"""The program that draws pages of PDFs: sheets on standard input, pictures on standard output, until the input ends.

PDFium (BSD-3-Clause; pypdfium2 is Apache-2.0 or BSD-3-Clause) is native code and reads a stranger's file: it is loaded
here alone. It has no engine for scripts; a document that has any is refused anyway, as nobody knows what it would show.
"""

import ctypes
from typing import Any, Final

import numpy as np

from anonymizer.pdf.drawing import (
    ALL_PIXELS_MAX,
    CHARACTERS_MAX,
    DOTS_PER_INCH,
    DRAWING_BYTES_MAX,
    PAGE_PIXELS_MAX,
    PAGES_MAX,
    SHEET_BYTES_MAX,
)
from anonymizer.pdf.messages import Drawn, LayerWord, Sheet
from kernel.dicom.processes.program import serve

SCALE: Final = DOTS_PER_INCH / 72  # pixels a point
_NO_SECURITY: Final = -1  # of FPDF_GetSecurityHandlerRevision
_XFA_FORMS: Final = frozenset({2, 3})  # FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND


def drawn(sheet: Sheet) -> Drawn:
    """Draw one page."""
    import pypdfium2  # an optional part, and native: only this process loads it

    module: Any = pypdfium2
    try:
        document: Any = module.PdfDocument(sheet.document)
    except module.PdfiumError as error:
        return Drawn(refusal="pdf-encrypted" if "assword" in str(error) else "pdf-not-read")
    try:
        refusal = _refusal(module.raw, document)
        if refusal or not 0 <= sheet.index < len(document):
            return Drawn(refusal=refusal or "pdf-not-read")
        document.init_forms()
        return _page(module.raw, document, sheet.index)
    except (module.PdfiumError, MemoryError):
        return Drawn(refusal="pdf-not-read")
    finally:
        document.close()


def _refusal(raw: Any, document: Any) -> str:
    """Return why a document is not drawn, or nothing."""
    if raw.FPDF_GetSecurityHandlerRevision(document) != _NO_SECURITY:
        return "pdf-encrypted"
    if len(document) > PAGES_MAX:
        return "pdf-pages"
    if raw.FPDFDoc_GetJavaScriptActionCount(document) > 0 or raw.FPDF_GetFormType(document) in _XFA_FORMS:
        return "pdf-scripts"
    if raw.FPDFDoc_GetAttachmentCount(document) > 0:
        return "pdf-attachments"
    areas = [_area(document.get_page_size(index)) for index in range(len(document))]
    return "pdf-page-size" if not areas or max(areas) > PAGE_PIXELS_MAX or sum(areas) > ALL_PIXELS_MAX else ""


def _area(size: tuple[float, float]) -> float:
    return size[0] * SCALE * size[1] * SCALE


def _page(raw: Any, document: Any, index: int) -> Drawn:
    page = document[index]
    bitmap = page.render(scale=SCALE, rev_byteorder=True, prefer_bgrx=False)
    samples: Any = bitmap.to_numpy()
    rgb = np.ascontiguousarray(samples[..., :3], np.uint8)
    rows, columns = rgb.shape[:2]
    layer = page.get_textpage()
    count: int = raw.FPDFText_CountChars(layer)
    if count > CHARACTERS_MAX:
        return Drawn(refusal="pdf-characters")
    words = _words(raw, page, layer, count, (rows, columns))
    return Drawn(len(document), rows, columns, rgb.tobytes(), tuple(words))


def _words(raw: Any, page: Any, layer: Any, count: int, size: tuple[int, int]) -> list[LayerWord]:
    """Return the words of a text layer in its own order."""
    words: list[LayerWord] = []
    text, boxes, line = "", list[tuple[int, int, int, int]](), 0
    for index in range(count + 1):
        character = chr(raw.FPDFText_GetUnicode(layer, index) or 0xFFFD) if index < count else "\n"
        if not character.isspace():
            text += character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
            boxes.append(_box(raw, page, layer, index, size))
            continue
        if text:
            tops, lefts, bottoms, rights = zip(*boxes, strict=True)
            words.append(LayerWord(text, line, min(tops), min(lefts), max(bottoms), max(rights)))
        text, boxes, line = "", [], line + (character in "\r\n")
    return words


def _box(raw: Any, page: Any, layer: Any, index: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of a character in pixels, whatever the page's rotation and crop."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(layer, index, left, right, bottom, top)
    across, down = list[int](), list[int]()
    for x, y in ((left, top), (right, bottom)):
        column, row = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, size[1], size[0], 0, x, y, column, row)
        across.append(column.value)
        down.append(row.value)
    return min(down), min(across), max(down) + 1, max(across) + 1


if __name__ == "__main__":
    serve(Sheet, lambda: drawn, question_bytes_max=SHEET_BYTES_MAX, memory_bytes_max=DRAWING_BYTES_MAX)
