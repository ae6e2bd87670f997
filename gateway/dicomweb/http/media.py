"""Media types and lists of them as HTTP headers carry them (RFC 9110 8.3.1 and 12.5.1), with bounds.

Lenient where peers are: `type=application/dicom` without quotes is common although RFC 2045 wants them.
Choosing among offers is gateway/dicomweb/http/negotiation.py.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from kernel.errors import InvalidRequest, LimitExceeded

HEADER_CHARS_MAX: Final = 8192  # of one Content-Type or Accept value
RANGES_MAX: Final = 128  # media ranges in one Accept value
PARAMETERS_MAX: Final = 16  # parameters of one media type

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME: Final = re.compile(rf"\s*({_WORD})/({_WORD})\s*")
_PARAMETER: Final = re.compile(rf';\s*(?:({_WORD})\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s"]*)\s*)?')
_ENTRY: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_ESCAPED: Final = re.compile(r"\\(.)")


class MediaType(NamedTuple):
    """A media type or media range: lower-case `name`, parameters by lower-case name, `quality` from 0 to 1."""

    name: str
    parameters: Mapping[str, str]
    quality: float = 1.0


def parse_media_type(text: str) -> MediaType:
    """Read one media type with its parameters.

    Raises
    ------
    InvalidRequest
        Not `type/subtype; name=value...`.
    LimitExceeded
        Longer than HEADER_CHARS_MAX, or more than PARAMETERS_MAX parameters.
    """
    _check_length(text)
    match = _NAME.match(text)
    if match is None:
        raise InvalidRequest(reason="the media type is not type/subtype")
    name, position = f"{match[1]}/{match[2]}".lower(), match.end()
    parameters: dict[str, str] = {}
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise InvalidRequest(reason=f"the parameters of media type {name} are not name=value")
        if match[1]:
            parameters.setdefault(match[1].lower(), _unquoted(match[2]))
        if len(parameters) > PARAMETERS_MAX:
            raise LimitExceeded(limit="PARAMETERS_MAX", value=len(parameters), bound=PARAMETERS_MAX)
        position = match.end()
    return MediaType(name, parameters, _quality(parameters.pop("q", "1")))


def parse_accept(text: str) -> list[MediaType]:
    """Read a list of media ranges, best first (by quality, then in the order given); those with q=0 stay at the end.

    Raises
    ------
    InvalidRequest, LimitExceeded
        As `parse_media_type`, or more than RANGES_MAX ranges.
    """
    _check_length(text)
    entries = [entry for entry in _ENTRY.findall(text) if entry.strip()]
    if len(entries) > RANGES_MAX:
        raise LimitExceeded(limit="RANGES_MAX", value=len(entries), bound=RANGES_MAX)
    return sorted((parse_media_type(entry) for entry in entries), key=lambda media_range: -media_range.quality)


def _check_length(text: str) -> None:
    if len(text) > HEADER_CHARS_MAX:
        raise LimitExceeded(limit="HEADER_CHARS_MAX", value=len(text), bound=HEADER_CHARS_MAX)


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def _quality(text: str) -> float:
    if not re.fullmatch(r"[01](\.[0-9]{0,3})?", text):
        raise InvalidRequest(reason="a quality in Accept is not a number from 0 to 1 with three decimals at most")
    return min(float(text), 1.0)
