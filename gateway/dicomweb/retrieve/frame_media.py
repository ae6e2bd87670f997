"""As what a stored frame is on offer: media types and transfer syntaxes of PS3.18 8.7.3.

A media type without a transfer-syntax parameter means the stored one if that is of this type, else the type's default;
octets mean native samples.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.dicomweb.http.negotiation import OCTETS, Offer
from kernel.dicom.transcoding.frames import NATIVE_TARGETS, TARGETS
from kernel.dicom.vocabulary.syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS,
    RLE_LOSSLESS,
    SYNTAXES,
)

_JPEG: Final = "1.2.840.10008.1.2.4."
# PS3.18 tables 8.7.3-2, 8.7.3-4 and 8.7.3-5; JPEG XL from Supplement 232. Others are given as octets only.
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys((JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1), "image/jpeg"),
        **dict.fromkeys((JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS), "image/jls"),
        **dict.fromkeys((_JPEG + n for n in ("90", "91")), "image/jp2"),
        **dict.fromkeys((_JPEG + n for n in ("92", "93")), "image/jpx"),
        **dict.fromkeys((_JPEG + n for n in ("201", "202", "203")), "image/jphc"),
        **dict.fromkeys((_JPEG + n for n in ("110", "111", "112")), "image/jxl"),
        RLE_LOSSLESS: "image/dicom-rle",
    }
)
DEFAULTS: Final = frozenset(
    {JPEG_LOSSLESS_SV1, JPEG_LS_LOSSLESS, JPEG_2000_LOSSLESS, HTJ2K_LOSSLESS, RLE_LOSSLESS}
)  # what their media types mean without a parameter
_NATIVE: Final = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})
# In this order: first what is asked for most.
_MADE: Final = (
    JPEG_LS_LOSSLESS,
    JPEG_2000_LOSSLESS,
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    JPEG_LOSSLESS_SV1,
    RLE_LOSSLESS,
    JPEG_BASELINE,
)
assert frozenset(_MADE) == TARGETS - NATIVE_TARGETS


class _Kind(NamedTuple):
    media_type: str
    asked: frozenset[str]
    transfer_syntax_uid: str


@lru_cache(maxsize=256)
def offers(stored: str, *, is_single: bool) -> tuple[Offer, ...]:
    """Return what can be given of a frame stored in this transfer syntax; single parts only of one frame."""
    syntax = SYNTAXES.get(stored)
    is_decodable = syntax is not None and syntax.decodable
    kinds = [*_as_stored(stored), *(_made(stored) if is_decodable else ())]
    shapes = (True, False) if is_single else (True,)
    return tuple(
        Offer(kind.media_type, shape, kind.asked, kind.transfer_syntax_uid) for kind in kinds for shape in shapes
    )


def as_given(stored: str) -> str:
    """Return the transfer syntax in which stored frames are given: native ones are the same bytes in both."""
    return EXPLICIT_VR_LITTLE_ENDIAN if stored in _NATIVE else stored


def _as_stored(stored: str) -> list[_Kind]:
    syntax = SYNTAXES.get(stored)
    if stored in _NATIVE:
        return [_Kind(OCTETS, frozenset({"", "*", *_NATIVE}), EXPLICIT_VR_LITTLE_ENDIAN)]
    if syntax is not None and not syntax.encapsulated:  # big endian, deflated: always decoded
        return [_Kind(OCTETS, frozenset({"", "*", EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN)]
    kinds = [_Kind(OCTETS, frozenset({"*", stored}), stored)]
    if stored in MEDIA_TYPES:
        kinds.insert(0, _Kind(MEDIA_TYPES[stored], frozenset({"", "*", stored}), stored))
    return kinds


def _made(stored: str) -> list[_Kind]:
    kinds: list[_Kind] = []
    if stored not in _NATIVE and SYNTAXES[stored].encapsulated:
        kinds.append(_Kind(OCTETS, frozenset({"", EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN))
    for target in _MADE:
        if target == stored:
            continue
        media_type = MEDIA_TYPES[target]
        is_default = target in DEFAULTS and MEDIA_TYPES.get(stored) != media_type
        kinds.append(_Kind(media_type, frozenset({"", target} if is_default else {target}), target))
        kinds.append(_Kind(OCTETS, frozenset({target}), target))
    return kinds
