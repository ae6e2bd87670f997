"""Messages that come back about a released study: whose they are, and by which kind they are led back. Pure.

Whose a message is, is found as for a DICOM object (`anonymizer.reidentify.dicom`): it names one pseudonym and the UID of a
study. FHIR resources and HL7 v2 messages are led back by modules of their own; what else is text is nobody's.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from anonymizer.pseudonyms.identifiers import is_pseudonym
from anonymizer.reidentify.dicom import Named
from anonymizer.reidentify.pdf import fill_in, uids_in
from anonymizer.reidentify.way_back import NEW_UID, PSEUDONYM, WayBack
from kernel.errors import LimitExceeded, MalformedInstance

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
_PDF: Final = "JVBERi"  # how one begins in base64
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
    texts = list(_texts(decoded(content)))
    pseudonyms = {found for text in texts for found in PSEUDONYM.findall(text) if is_pseudonym(found)}
    uids = frozenset(uid for text in texts for uid in NEW_UID.findall(text))
    uids = uids.union(*(uids_in(document) for document in _pdfs(decoded(content))))
    return Named(next(iter(pseudonyms)) if len(pseudonyms) == 1 else "", "", "", frozenset(), uids)


def _texts(message: str) -> Iterator[str]:
    """Yield the text of a message, and that of each document in it that is text in base64."""
    yield message
    for encoded in _BASE64.findall(message):
        if len(encoded) % 4 == 0:
            with contextlib.suppress(UnicodeDecodeError):
                yield base64.b64decode(encoded).decode("utf-8")


def _pdfs(message: str) -> Iterator[bytes]:
    """Yield the PDFs within a message."""
    for encoded in _BASE64.findall(message):
        if encoded.startswith(_PDF) and len(encoded) % 4 == 0:
            yield base64.b64decode(encoded)


def studies_in(named: Named, known: Iterable[str]) -> Named:
    """Return what a message names, told which of its UIDs are studies; several are looked at as one."""
    studies = sorted(set(known) & named.uids)
    first = studies[0] if studies else ""
    return Named(named.patient_id, first, "", frozenset(studies), named.uids)


def document_led_back(media_type: str, encoded: str, way: WayBack) -> tuple[str, bytes] | None:
    """Return a document within a message, in base64 and as bytes, with the names filled in; None: it stays as it is.

    Raises
    ------
    MalformedInstance
        It names a UID that left, and nobody can put the original in its place.
    """
    try:
        document = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = media_type.partition(";")[0].strip().lower()
    if kind in {"application/pdf", "pdf"}:
        new = fill_in(document, way)
        if uids_in(new) & way.uids.keys():
            raise MalformedInstance(reason="a document in it names a UID that left, where it cannot be put back")
    elif kind.startswith("text/") or kind in {"text", "plain"}:
        new = way.text(document.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    else:
        return None
    return None if new == document else (base64.b64encode(new).decode("ascii"), new)


def decoded(content: bytes) -> str:
    """Return the text of a message: UTF-8, or what Latin-1 makes of its bytes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
