"""Small data sets without bulk data, between bytes and DICOM JSON: identifiers, worklist items, performed steps.

Reading is the scanner's, within narrow limits; writing is `answer_encoder`'s. `json_encoder` is for instances.
"""

import unicodedata
from typing import Any, Final

import msgspec

from kernel.dicom.models import answer_encoder
from kernel.dicom.models.json_model import to_json
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import Limits

PLAIN_BYTES_MAX: Final = 4 * 1024 * 1024  # of one data set: a performed step that names 20,000 instances
LIMITS: Final = Limits(header_bytes_max=PLAIN_BYTES_MAX, elements_max=200_000, depth_max=16)
UTF8: Final = "ISO_IR 192"
ASCII: Final = "ISO_IR 6"  # the default repertoire, which needs no Specific Character Set
_D: Final = str.maketrans({"đ": "d", "Đ": "D"})
_TEXTS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})

Model = dict[str, Any]


def read(data: bytes | bytearray, transfer_syntax_uid: str, fallback_charset: str | None = None) -> Model:
    """Return the DICOM JSON object of an encoded data set.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It is no data set, or a larger one than such data sets are.
    """
    header = scan(bytes(data), transfer_syntax_uid, limits=LIMITS)
    return msgspec.json.decode(to_json(header, fallback_charset=fallback_charset), type=dict[str, Any])


def write(model: Model, transfer_syntax_uid: str, charset: str = UTF8) -> bytes:
    """Return a data set encoded for a peer that knows `charset`.

    In another set than UTF-8 texts are written without accents: what a device would garble, nobody could read.
    """
    content = model if charset == UTF8 else unaccented(model)
    return answer_encoder.encode(content, transfer_syntax_uid, "" if charset == ASCII else charset)


def unaccented(model: Model) -> Model:
    """Return a data set whose texts are ASCII: letters without their marks, anything else as a question mark."""
    return {
        tag: {**element, "Value": [_plain(value) for value in element["Value"]]}
        if element.get("vr") in _TEXTS and "Value" in element
        else {**element, "Value": [unaccented(item) for item in element["Value"]]}
        if element.get("vr") == "SQ" and "Value" in element
        else element
        for tag, element in model.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {"Alphabetic": _ascii(value.get("Alphabetic", ""))}  # the other groups have no letters to keep
    return _ascii(value) if isinstance(value, str) else value


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.translate(_D))
    kept = "".join(character for character in decomposed if not unicodedata.combining(character))
    return kept.encode("ascii", "replace").decode("ascii")
