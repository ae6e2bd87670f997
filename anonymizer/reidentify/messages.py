"""Messages that come back about a released study: whose they are, and by which kind they are led back. Pure.

Whose a message is, is found as for a DICOM object (`anonymizer.reidentify.dicom`): it names one pseudonym and the UID of a
study. FHIR resources and HL7 v2 messages are led back by modules of their own; what else is text is nobody's.
"""

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from anonymizer.pseudonyms.identifiers import is_pseudonym
from anonymizer.reidentify.dicom import Named
from anonymizer.reidentify.pdf import fill_in, is_encrypted, is_pdf, uids_in
from anonymizer.reidentify.texts import text_led_back, text_of
from anonymizer.reidentify.way_back import NEW_UID, PSEUDONYM, WayBack
from kernel.errors import LimitExceeded, MalformedInstance

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
# How a string of JSON (RFC 8259 7) or a field of HL7 v2 (2.7) may part a long value.
_PARTING: Final = re.compile(r"\\[nrt]|\\\.br\\|\\X0[AD](?:0[AD])?\\")
_HEXADECIMAL: Final = re.compile(r"(?<![0-9A-Za-z+/])(?:[0-9A-Fa-f]{2}){12,}(?![0-9A-Za-z+/=])")
_NO_TEXT: Final = ("image/", "audio/", "video/")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}")  # that could hold a pseudonym or a UID


def named_in_message(content: bytes) -> Named:
    """Return what a message names; without exactly one pseudonym in it the patient is empty.

    Raises
    ------
    LimitExceeded
        It is longer than `MESSAGE_BYTES_MAX`.
    """
    if len(content) > MESSAGE_BYTES_MAX:
        raise LimitExceeded(limit="MESSAGE_BYTES_MAX", value=len(content), bound=MESSAGE_BYTES_MAX)
    message = decoded(content)
    documents = list(_documents(message))
    texts = [message, *map(text_of, documents)]  # of those that are none, what their bytes are as text
    pseudonyms = {found for text in texts for found in PSEUDONYM.findall(text) if is_pseudonym(found)}
    uids = frozenset(uid for text in texts for uid in NEW_UID.findall(text))
    uids = uids.union(*(uids_in(document) for document in documents if is_pdf(document)))
    return Named(next(iter(pseudonyms)) if len(pseudonyms) == 1 else "", "", "", frozenset(), uids)


def pdfs_in(content: bytes) -> Iterator[bytes]:
    """Yield the PDFs within a message, whatever it says that they are."""
    return filter(is_pdf, _documents(decoded(content)))


def _documents(message: str) -> Iterator[bytes]:
    """Yield what stands in base64 in a message, or in hexadecimal digits."""
    for digits in _HEXADECIMAL.findall(_PARTING.sub("", message)):
        yield bytes.fromhex(digits)
    for encoded in _BASE64.findall(_PARTING.sub("", message).replace("\\/", "/")):
        with contextlib.suppress(ValueError):
            yield _unpacked(encoded)


def _unpacked(encoded: str) -> bytes:
    """Return what stands in base64, parted or not, with its padding or without; ValueError if nothing does."""
    bare = "".join(_PARTING.sub("", encoded).split()).rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def studies_in(named: Named, known: Iterable[str]) -> Named:
    """Return what a message names, told which of its UIDs are studies; several are looked at as one."""
    studies = sorted(set(known) & named.uids)
    first = studies[0] if studies else ""
    return Named(named.patient_id, first, "", frozenset(studies), named.uids)


def document_led_back(
    media_type: str, encoded: str, way: WayBack, *, is_hexadecimal: bool = False
) -> tuple[str, bytes] | None:
    """Return a document within a message, encoded and as bytes, with the names filled in; None: it stays as it is.

    Pictures, sound and video stay; all else that is no PDF is text if its bytes are.

    Raises
    ------
    MalformedInstance
        It is encrypted, or names a UID that left, and nobody can put the original in its place.
    """
    try:
        document = bytes.fromhex(_PARTING.sub("", encoded)) if is_hexadecimal else _unpacked(encoded)
    except ValueError:
        return None
    kind = media_type.partition(";")[0].strip().lower()
    if is_pdf(document):
        if is_encrypted(document):
            raise MalformedInstance(reason="a document in it is encrypted: what it says cannot be told")
        new = fill_in(document, way)
        if uids_in(new) & way.uids.keys():
            raise MalformedInstance(reason="a document in it names a UID that left, where it cannot be put back")
    elif not kind.startswith(_NO_TEXT) and (kind.startswith("text") or _is_text(document)):
        new = text_led_back(document, way)
    else:
        return None
    if new == document:
        return None
    return (new.hex() if is_hexadecimal else base64.b64encode(new).decode("ascii")), new


def _is_text(document: bytes) -> bool:
    try:
        text_of(document).encode("utf-8")
    except UnicodeError:  # an escaped byte is no character
        return False
    return True


def decoded(content: bytes) -> str:
    """Return the text of a message: UTF-8, or what Latin-1 makes of its bytes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
