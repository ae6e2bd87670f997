"""Placeholders in a PDF, filled in at the site. Pure.

A report that is made for a pseudonymous study shows the pseudonym, as text of a form field or of a page. Fields are
filled with the name as it is written. Text of a page is drawn with a font that nobody here embeds, so there the name is
written without its marks, and only where a simple encoding shows the pseudonym as it is; a document that hides it (a
subset font, encryption) stays as it is and is told to be unchanged. UIDs are put back in the same places, and in what the
document says of itself; one that is seen and cannot be put back is told to the caller (`uids_in`), who holds the object,
as he does one that a cipher hides (`is_encrypted`).
The new objects are appended, as PDF allows (ISO 32000-1 7.5.6): what was signed stays under its signature.
"""

import re
import zlib
from typing import Final, NamedTuple

from anonymizer.reidentify.pdf_strings import uids_of, with_uids
from anonymizer.reidentify.way_back import WayBack
from kernel.dicom.vocabulary.names import fold
from kernel.errors import LimitExceeded

BEGINNING: Final = b"%PDF-"
BEGINNING_BYTES_MAX: Final = 1024  # within which a document begins, as readers take it (ISO 32000-1 annex H.3.4.1)
STREAM_BYTES_MAX: Final = 16 * 1024 * 1024  # of one stream, inflated
INFLATED_BYTES_MAX: Final = 256 * 1024 * 1024  # of all streams of a document
DEFLATE_RATIO_MAX: Final = 1032  # bytes out for one in (RFC 1951)
_OBJECT: Final = re.compile(rb"(?<![0-9])([1-9]\d{0,7}) (\d{1,5}) obj\b")
_STREAM: Final = re.compile(rb"\bstream\r?\n")
_START: Final = re.compile(rb"startxref\s+(\d{1,12})\s+%%EOF\s*$")
_FLATE: Final = re.compile(rb"/Filter\s*\[?\s*/FlateDecode\s*\]?\s*(?:/|>>|$)")
_ROOT: Final = re.compile(rb"/Root\s+\d+\s+\d+\s+R")
_INFO: Final = re.compile(rb"/Info\s+\d+\s+\d+\s+R")
# A key of a trailer or cross-reference stream, neither of which is ever packed; any letter may be told by its number.
_LETTERS: Final = b"".join(b"(?:%c|#%02x|#%02X)" % (letter, letter, letter) for letter in b"Encrypt")
_ENCRYPT: Final = re.compile(rb"/" + _LETTERS + rb"\s*(?:<<|\d+\s+\d+\s+R)")
_SIZE: Final = re.compile(rb"/Size\s+(\d{1,9})")
_ID: Final = re.compile(rb"/ID\s*\[.*?\]", re.DOTALL)


class _Content(NamedTuple):
    """An object: its dictionary or value, and what its stream holds; None: it has no stream."""

    head: bytes
    plain: bytes | None


def is_pdf(content: bytes) -> bool:
    """Whether readers take it for a PDF, whatever is said of it."""
    return BEGINNING in content[:BEGINNING_BYTES_MAX]


def fill_in(document: bytes, way: WayBack) -> bytes:
    """Return the document with an update appended that fills in the name, or as it is when there is nothing to fill.

    Understood are documents with a plain cross-reference table and objects that are not in object streams.
    """
    end, trailer = _START.search(document[-1024:]), _last_trailer(document)
    if end is None or trailer is None or is_encrypted(document):
        return document
    try:
        replaced = _replaced(document, way)
    except LimitExceeded:
        return document
    if not replaced:
        return document
    return document + _update(document, replaced, trailer, int(end[1]))


def is_encrypted(document: bytes) -> bool:
    """Whether a document names a cipher (ISO 32000-1 7.6.1): then nobody can tell what its strings and pages say."""
    return _ENCRYPT.search(document) is not None


def uids_in(document: bytes) -> frozenset[str]:
    """Return the UIDs that a de-identification may have made, in any object of the document as it is now.

    Raises
    ------
    LimitExceeded
        More is compressed than `INFLATED_BYTES_MAX`.
    """
    found: set[str] = set()
    for content in _contents(document).values():
        found |= uids_of(content.head) | uids_of(content.plain or b"")
    return frozenset(found)


def _last_trailer(document: bytes) -> bytes | None:
    start = document.rfind(b"trailer")
    end = document.find(b"startxref", start)
    return document[start:end] if 0 <= start < end else None


def _contents(document: bytes) -> dict[tuple[int, int], _Content]:
    """Return the objects by number and generation; of a number the last counts."""
    found: dict[tuple[int, int], _Content] = {}
    left = INFLATED_BYTES_MAX
    match = _OBJECT.search(document)
    while match is not None:
        end = document.find(b"endobj", match.end())
        if end < 0:
            break
        content, cost = _content(document[match.end() : end])
        left -= cost
        if left < 0:
            raise LimitExceeded(limit="INFLATED_BYTES_MAX", value=INFLATED_BYTES_MAX - left, bound=INFLATED_BYTES_MAX)
        found[int(match[1]), int(match[2])] = content
        match = _OBJECT.search(document, end)
    return found


def _content(body: bytes) -> tuple[_Content, int]:
    """Return what an object holds, and how many bytes were inflated for it."""
    stream = _STREAM.search(body)
    if stream is None:
        return _Content(body, None), 0
    head, data = body[: stream.start()], body[stream.end() : body.rfind(b"endstream")]
    plain, cost = _inflated(head, data)
    return _Content(head, plain), cost


def _replaced(document: bytes, way: WayBack) -> dict[tuple[int, int], bytes]:
    """Return the bodies of objects that name the pseudonym or a UID that left, with the original in its place."""
    bodies = {key: _body(content, way) for key, content in _contents(document).items()}
    return {key: body for key, body in bodies.items() if body is not None}


def _body(content: _Content, way: WayBack) -> bytes | None:
    """Return an object's new body; None when it stays."""
    head, plain = content
    if plain is None:
        new = _in_object(head, way)
        return None if new == head else new
    new = _in_page(plain, way)
    if new == plain or b"/EmbeddedFile" in head:  # of which the document tells size and digest
        return None
    packed = zlib.compress(new, 9)
    kept = re.sub(rb"/(?:Length\s+\d+(?:\s+\d+\s+R)?|Filter\s*\[?\s*/FlateDecode\s*\]?)", b"", head)
    head = kept.rstrip().removesuffix(b">>") + b"/Length %d/Filter/FlateDecode>>" % len(packed)
    return head + b"\nstream\n" + packed + b"\nendstream\n"


def _inflated(head: bytes, data: bytes) -> tuple[bytes, int]:
    """Return the content of a stream, and what it cost; empty when it is filtered in another way, damaged or too long."""
    if b"/Filter" not in head:
        return data, 0
    if not _FLATE.search(head) or b"/DecodeParms" in head:
        return b"", 0
    try:
        reader = zlib.decompressobj()
        plain = reader.decompress(data, STREAM_BYTES_MAX)
    except zlib.error:
        return b"", min(STREAM_BYTES_MAX, DEFLATE_RATIO_MAX * len(data))
    return b"" if reader.unconsumed_tail else plain, len(plain)


def _in_object(body: bytes, way: WayBack) -> bytes:
    """Fill in strings of dictionaries, such as a field's value: UTF-16 with its mark, so any name can be said."""
    text = b"<" + (b"\xfe\xff" + way.person.encode("utf-16-be")).hex().encode("ascii") + b">"
    whole = re.compile(rb"\(\s*" + re.escape(way.pseudonym.encode()) + rb"\s*\)")
    return _in_page(whole.sub(lambda _: text, body), way)


def _in_page(content: bytes, way: WayBack) -> bytes:
    """Fill in strings of a page or a longer string: letters without marks, which every simple font has."""
    plain = fold(way.person).upper().encode("ascii", "replace")
    safe = plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    token = way.pseudonym.encode()
    new = content.replace(token, safe)
    for hexadecimal in (token.hex().encode(), token.hex().upper().encode()):
        new = new.replace(hexadecimal, plain.hex().encode())
    return with_uids(new, way.uids)


def _update(document: bytes, replaced: dict[tuple[int, int], bytes], trailer: bytes, previous: int) -> bytes:
    update, table = bytearray(b"\n"), bytearray(b"xref\n")
    for (number, generation), body in sorted(replaced.items()):
        table += b"%d 1\n%010d %05d n \n" % (number, len(document) + len(update), generation)
        update += b"%d %d obj" % (number, generation) + body + b"endobj\n"
    start = len(document) + len(update)
    size = _SIZE.search(trailer)
    parts = [found[0] for found in (_ROOT.search(trailer), _INFO.search(trailer), _ID.search(trailer)) if found]
    parts.append(b"/Size %d" % int(size[1]) if size else b"/Size %d" % (max(replaced)[0] + 1))
    ending = b"trailer\n<<" + b" ".join(parts) + b"/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start)
    return bytes(update + table + ending)
