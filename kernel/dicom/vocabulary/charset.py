"""Text values to `str` (PS3.5 6.1, PS3.3 C.12.1.1.2), distrusting what senders declare.

Declared sets are decoded by pydicom's codec table. Vietnamese text also comes as UTF-8, Windows-1258 or TCVN3 with no
set declared, or under Latin-1, which is what many devices declare whatever they write. So bytes outside ASCII with
nothing declared, or Latin-1, are UTF-8 if they are valid UTF-8, and otherwise what the source is known to write.
Original bytes stay in the blob: nothing decided here is final. Decoding never fails; U+FFFD marks what is lost.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

FALLBACKS: Final = ("cp1258", "tcvn3", "latin-1")
DEFAULT_FALLBACK: Final = "latin-1"
CHARSETS_MAX: Final = 16  # values of Specific Character Set that are looked at

_UNRELIABLE = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6", "ISO_IR 100", "ISO 2022 IR 100"})
_ESCAPE = re.compile(rb"(\x1b(?:\$[()]?.|[()\-,./].))", re.DOTALL)
_RESET = re.compile(rb"(?=[\\\^=\r\n\f\t])")  # the initial set is active again after these (PS3.5 6.1.2.5.3)
_STATEFUL = frozenset({"iso2022_jp", "iso2022_jp_2", "iso_ir_58"})  # codecs that want their escape sequence

# TCVN 5712:1993 VN3 ("ABC"), byte as Latin-1 to letter. It has lower case with tones and upper case without.
_TCVN3_BYTES = "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦"
_TCVN3_LETTERS = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ"
_TCVN3 = str.maketrans(_TCVN3_BYTES, _TCVN3_LETTERS)


@lru_cache(maxsize=64)
def parse_charsets(value: bytes) -> tuple[str, ...]:
    """Return the values of Specific Character Set (0008,0005), normalised to the standard's spelling."""
    terms = value.decode("latin-1").rstrip(" \0").split("\\")[:CHARSETS_MAX]
    return tuple(_term(term) for term in terms) if any(term.strip() for term in terms) else ()


def _term(text: str) -> str:
    """Undo the usual slips: lower case, `ISO-IR 100`, `ISO IR 100`, `ISO 2022-IR 87`, `UTF8`."""
    term = " ".join(text.upper().split())
    if term in python_encoding:
        return term
    if term in {"UTF8", "UTF-8", "ISO_IR192", "ISO-IR 192"}:
        return "ISO_IR 192"
    if match := re.fullmatch(r"ISO[ _-]2022[ _-]IR[ _-](\d+)", term):
        return f"ISO 2022 IR {match[1]}"
    if match := re.fullmatch(r"ISO[ _-]IR[ _-]?(\d+)", term):
        return f"ISO_IR {match[1]}"
    return term


def decode(value: bytes, charsets: tuple[str, ...] = (), fallback: str | None = None) -> str:
    """Return the text of an encoded value, backslashes and padding included.

    Parameters
    ----------
    value
        Encoded bytes.
    charsets
        Specific Character Set, as from `parse_charsets`.
    fallback
        One of `FALLBACKS`: what this source writes when it declares nothing, or Latin-1.
    """
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    first = charsets[0] if charsets else ""
    if b"\x1b" in value and len(charsets) > 1:
        return _decode_extended(value, first)
    if first in _UNRELIABLE:
        return _decode_undeclared(value, fallback)
    try:
        return value.decode(python_encoding.get(first, "ascii"))
    except (UnicodeDecodeError, LookupError):
        return _decode_undeclared(value, fallback) if first not in python_encoding else _replaced(value, first)


def _replaced(value: bytes, charset: str) -> str:
    """Decode what its declared set does not allow: UTF-8 if it is that, else with marks for what is lost."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(python_encoding[charset], errors="replace")


def _decode_undeclared(value: bytes, fallback: str | None) -> str:
    try:
        return unicodedata.normalize("NFC", value.decode())
    except UnicodeDecodeError:
        pass
    if fallback == "tcvn3":
        return value.decode("latin-1").translate(_TCVN3)
    text = value.decode(fallback if fallback in FALLBACKS else DEFAULT_FALLBACK, errors="replace")
    return unicodedata.normalize("NFC", text)


def _decode_extended(value: bytes, first: str) -> str:
    """Decode ISO 2022 code extensions (PS3.5 6.1.2.5): each escape sequence names the set of what follows it."""
    initial = python_encoding.get(first, "latin-1")
    text: list[str] = []
    codec, escape = initial, b""
    for part in _ESCAPE.split(value):
        if part.startswith(b"\x1b"):
            codec, escape = CODES_TO_ENCODINGS.get(part, initial), part
        elif codec in _STATEFUL:  # two bytes a character: a delimiter's code may be half of one
            text.append(_decode_part(part, codec, escape))
        elif part:
            active, *rest = _RESET.split(part)
            text.append(_decode_part(active, codec, escape))
            if rest:
                codec, escape = initial, b""
                text.append(_decode_part(b"".join(rest), codec, escape))
    return "".join(text)


def _decode_part(part: bytes, codec: str, escape: bytes) -> str:
    if codec in _STATEFUL:
        part = escape + part
    try:
        return part.decode(codec, errors="replace")
    except LookupError:
        return part.decode("latin-1")
