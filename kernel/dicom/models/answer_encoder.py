"""Small data sets written fast: the answers of a query, in any native transfer syntax and character set (PS3.5 7.1).

From DICOM JSON objects straight to bytes, some 30 microseconds each, where an answer may be one of a hundred thousand.
Sequences and items have defined lengths. Bulk data is left out. Reading is `plain.read`'s.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

from pydicom.charset import python_encoding

from kernel.dicom.models.value_encoder import encoded, inline, padding
from kernel.dicom.queries.identifier import Model
from kernel.dicom.vocabulary.dictionary import BULK_VRS, LONG_VRS
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

UTF8: Final = "ISO_IR 192"
# Sets whose codec writes nothing that the set alone does not have; code extensions (ISO 2022) are answered in UTF-8.
CARRYING: Final = frozenset(
    {"ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 126", "ISO_IR 127", "ISO_IR 138", "ISO_IR 144"}
    | {"ISO_IR 148", "ISO_IR 166", "GB18030", "GBK", UTF8}
)
_SHORT_BYTES_MAX: Final = 0xFFFE


def encode(model: Model, transfer_syntax_uid: str, charset: str = "") -> bytes:
    """Return a data set whose texts are in the first set that can carry them: ASCII, `charset`, UTF-8.

    Specific Character Set says which; of ASCII texts it is `charset`, or absent when that is empty.
    """
    for term in dict.fromkeys(("", charset if charset in CARRYING else UTF8, UTF8)):
        told = term or (charset if charset in CARRYING else "")
        content = {name: one for name, one in model.items() if name != "00080005"}
        if told:
            content["00080005"] = {"vr": "CS", "Value": [told]}
        try:
            return _Encoder(transfer_syntax_uid, python_encoding[term] if term else "ascii").data_set(content)
        except UnicodeEncodeError:
            continue
    raise AssertionError("UTF-8 carries everything")


class _Encoder:
    __slots__ = ("_codec", "_implicit", "_order")

    def __init__(self, transfer_syntax_uid: str, codec: str) -> None:
        self._implicit = transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN
        self._order = ">" if transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN else "<"
        self._codec = codec

    def data_set(self, model: Mapping[str, Any]) -> bytes:
        return b"".join([self._element(int(name, 16), one) for name, one in sorted(model.items())])

    def _element(self, tag: int, one: Mapping[str, Any]) -> bytes:
        vr: str = one["vr"]
        value = self._value(vr, one)
        if not self._implicit and vr not in LONG_VRS and len(value) > _SHORT_BYTES_MAX:
            value = b""  # longer than its VR can be: what cannot be said is left out
        return self._header(tag, vr, len(value)) + value

    def _header(self, tag: int, vr: str, length: int) -> bytes:
        if self._implicit:
            return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)
        if vr in LONG_VRS:
            return struct.pack(self._order + "HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
        return struct.pack(self._order + "HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)

    def _value(self, vr: str, one: Mapping[str, Any]) -> bytes:
        values = one.get("Value", ())
        if vr == "SQ":
            return b"".join(self._item(item or {}) for item in values)
        if vr in BULK_VRS:
            value = inline(one.get("InlineBinary", ""))
        else:
            value = encoded(vr, values, order=self._order, codec=self._codec)
        return value + padding(vr, len(value))

    def _item(self, item: Mapping[str, Any]) -> bytes:
        content = self.data_set(item)
        return struct.pack(self._order + "HHI", 0xFFFE, 0xE000, len(content)) + content
