"""What is coded within values: base64, hexadecimal, percent signs, quoted-printable, escapes of JSON, UTF-16. Bounded.

Part of the residue check: shares no code with the engine or the profiles.
"""

import base64
import binascii
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Final

CODED_BYTES_MIN: Final = 8  # of a word; fewer name nobody
SURE_BYTES_MIN: Final = 32  # from which on a word is decoded whatever it says, and from each of its bytes
SHIFTED_BYTES_MAX: Final = 64 * 1024  # to which on
WINDOW_BYTES: Final = 256  # around an escape, and the step from one to the next
WINDOWS_MAX: Final = 400  # of one kind; more are looked at as a whole. All kinds stay below `unpacked.PIECES_MAX`
WORDS_KEPT: Final = 8_192
KEPT_BYTES_MAX: Final = 64  # of such a word

_meaningless: set[bytes] = set()  # words that stand for nothing: those of one study, and of one device, are the same
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_.="
_OTHERS_BLANK: Final = bytes(byte if byte in _ALPHABET else 0x20 for byte in range(256))
_NUMBERS: Final = b"0123456789."
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_HEXADECIMAL: Final = b"0123456789abcdefABCDEF"
_TEXT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ^-./,:\0")
_LINE_ENDS: Final = _ALPHABET + b"\r"
_LINE: Final = re.compile(rb"\n[A-Za-z0-9+/=]{4}")
_JSON: Final = re.compile(rb"\\u([0-9A-Fa-f]{4})")


def decoded(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in `content`, what stands there) of whatever is coded, as bytes; texts of UTF-16 as UTF-8."""
    seen: set[bytes] = set()
    yield from _of_words(content, content, seen)
    for sign, pattern, decode in _ESCAPED:
        for offset, window in _windows(content, pattern) if sign in content else ():
            yield offset, decode(window)
    if any(content[found.start() - 1] in _LINE_ENDS for found in _LINE.finditer(content)):  # as mail has base64
        yield from _of_words(content.replace(b"\r", b"").replace(b"\n", b""), content, seen)


def _of_words(text: bytes, content: bytes, seen: set[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield a piece for each word that is not in `seen`, with all that it may stand for: a digest has six meanings."""
    words = set(text.translate(_OTHERS_BLANK).split()) - seen
    seen |= words
    for word in sorted(words - _meaningless):
        if b"." in word and not word.strip(_NUMBERS):  # a UID, or a decimal: hardly one comes twice
            continue
        pieces = tuple(_meanings(word)) if len(word) >= CODED_BYTES_MIN else ()
        if not pieces:
            _remember(word)
        else:
            yield max(content.find(word[:CODED_BYTES_MIN]), 0), b" ".join(pieces)


def _remember(word: bytes) -> None:
    if len(word) > KEPT_BYTES_MAX:
        return
    if len(_meaningless) >= WORDS_KEPT:
        _meaningless.clear()
    _meaningless.add(word)


def _meanings(word: bytes) -> Iterator[bytes]:
    """Yield what a word may stand for; a short one only if that looks as words do."""
    for bare in re.split(rb"[.=]", word):
        if len(bare) < CODED_BYTES_MIN - 2:  # its padding
            continue
        is_sure = len(bare) >= SURE_BYTES_MIN
        shifts = 4 if is_sure and len(bare) <= SHIFTED_BYTES_MAX else 1
        for shift in range(shifts if is_sure or not bare.isupper() else 0):  # in base64 some letter is a small one
            yield from _if_text(_base64(bare[shift:]), is_sure=is_sure)
        for shift in range(min(shifts, 2) if not bare.strip(_HEXADECIMAL) else 0):
            even = bare[shift : len(bare) - (len(bare) - shift) % 2]
            yield from _if_text(binascii.unhexlify(even), is_sure=is_sure)


def _base64(word: bytes) -> bytes:
    bare = word.translate(_URL_SAFE)
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    return base64.b64decode(bare + b"=" * (-len(bare) % 4))


def _if_text(piece: bytes, *, is_sure: bool) -> Iterator[bytes]:
    if piece and (is_sure or 4 * sum(byte in _TEXT for byte in piece) >= 3 * len(piece)):
        yield piece


def _windows(content: bytes, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield stretches around the places where a pattern is."""
    count, end, match = 0, 0, pattern.search(content)
    while match is not None:
        count += 1
        if count > WINDOWS_MAX:
            yield end, content[max(end - WINDOW_BYTES, 0) :]
            return
        start = max(match.start() - WINDOW_BYTES, 0)
        end = match.end() + WINDOW_BYTES
        yield match.start(), content[start : end + WINDOW_BYTES]
        match = pattern.search(content, end)


def _unquoted(window: bytes) -> bytes:
    return urllib.parse.unquote_to_bytes(window.replace(b"+", b" "))


def _unprinted(window: bytes) -> bytes:
    return binascii.a2b_qp(window.replace(b"_", b" "))


def _unescaped(window: bytes) -> bytes:
    return _JSON.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), window)


def _wide(window: bytes) -> bytes:
    texts = (window[start:].decode(codec, "replace") for start in (0, 1) for codec in ("utf-16-le", "utf-16-be"))
    return "\n".join(texts).encode("utf-8", "replace")


_ESCAPED: Final[tuple[tuple[bytes, re.Pattern[bytes], Callable[[bytes], bytes]], ...]] = (
    (b"%", re.compile(rb"%[0-9A-Fa-f]{2}"), _unquoted),
    (b"=", re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)"), _unprinted),
    (b"\\u", _JSON, _unescaped),
    (b"\0", re.compile(rb"\0[ ,-:A-Za-z]\0[ ,-:A-Za-z]\0[ ,-:A-Za-z]\0"), _wide),  # four letters of either order
)
