"""Which transfer syntax bulk data parts have, by their media types (PS3.18 tables 8.7.3-2 to 8.7.3-5)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from gateway.dicomweb.http.media import MediaType
from gateway.dicomweb.http.negotiation import OCTETS
from kernel.dicom.vocabulary.limits import malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import UnsupportedMediaType, UnsupportedTransferSyntax

_JPEG: Final = "1.2.840.10008.1.2.4."
DEFAULT_SYNTAXES: Final[Mapping[str, str]] = {  # of a part that names none
    "image/jpeg": _JPEG + "70",
    "image/jls": _JPEG + "80",
    "image/jp2": _JPEG + "90",
    "image/jpx": _JPEG + "92",
    "image/jphc": _JPEG + "201",
    "image/jxl": _JPEG + "110",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "video/mpeg": _JPEG + "100",
    "video/mpeg2": _JPEG + "100",
    "video/mp4": _JPEG + "102",
    "video/h265": _JPEG + "107",
}
_NATIVE: Final = frozenset({"", EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})  # of octets: the same bytes


def pixel_syntax(parts: Sequence[MediaType], declared: str) -> str:
    """Return the transfer syntax of an instance whose pixel data is in `parts`; none means native or inline.

    Parameters
    ----------
    declared
        What its metadata call Transfer Syntax UID (0002,0010); used where octets do not name one.

    Raises
    ------
    UnsupportedMediaType, UnsupportedTransferSyntax
        Not one that an instance can be stored in from parts.
    MalformedInstance
        The parts differ.
    """
    found = {_syntax_of(part, declared) for part in parts}
    if len(found) > 1:
        raise malformed("the parts of its pixel data have different transfer syntaxes")
    return found.pop() if found else EXPLICIT_VR_LITTLE_ENDIAN


def _syntax_of(part: MediaType, declared: str) -> str:
    said = part.parameters.get("transfer-syntax", "")
    if part.name == OCTETS:
        said = said or (declared if declared in SYNTAXES and SYNTAXES[declared].encapsulated else "")
        if said in _NATIVE:
            return EXPLICIT_VR_LITTLE_ENDIAN
    elif part.name not in DEFAULT_SYNTAXES:
        raise UnsupportedMediaType(media_type="of bulk data", offered=", ".join((OCTETS, *DEFAULT_SYNTAXES)))
    syntax = said or DEFAULT_SYNTAXES[part.name]
    if syntax not in SYNTAXES or not SYNTAXES[syntax].encapsulated:
        raise UnsupportedTransferSyntax(
            transfer_syntax_uid="of the bulk data", reason="it is not of encapsulated frames"
        )
    return syntax


def text_of(model: Mapping[str, Any], key: str) -> str:
    """Return the first value of an element of DICOM JSON if it is a text, else nothing."""
    element = model.get(key)
    values = cast("dict[str, Any]", element).get("Value") if isinstance(element, dict) else None
    first = cast("list[Any]", values)[0] if isinstance(values, list) and values else ""
    return first if isinstance(first, str) else ""
