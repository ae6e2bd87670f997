"""HL7 v2 messages in their vertical bar encoding (HL7 v2.5.1 chapter 2), read within limits and never written here.

Only what intake needs: segments by name, fields by number from one, repetitions and components as texts. Characters
are those of MSH-18; undeclared bytes are UTF-8 if they can be, else what the configuration says this sender writes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kernel.dicom.vocabulary import charset
from kernel.errors import InvalidRequest, LimitExceeded

SEGMENTS_MAX: Final = 2_000
FIELDS_MAX: Final = 200  # of a segment
REPETITIONS_MAX: Final = 100  # of a field
COMPONENTS_MAX: Final = 50

_LINE: Final = re.compile(r"\r\n|\r|\n")
_ESCAPE: Final = re.compile(r"\\(?P<code>[^\\]{1,64})\\")
_CODECS: Final[Mapping[str, str]] = {  # HL7 table 0211
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc-kr",
    "BIG-5": "big5",
    "CP1258": "cp1258",  # not in the table, and sent in Vietnam
    "WINDOWS-1258": "cp1258",
}
_UNRELIABLE: Final = frozenset({"", "ASCII", "8859/1"})  # what systems declare whatever they write


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Segment:
    """One segment. Positions count from one; what is absent is empty."""

    __slots__ = ("_delimiters", "_fields", "name")

    def __init__(self, name: str, fields: list[str], delimiters: Delimiters) -> None:
        self.name = name
        self._fields = fields
        self._delimiters = delimiters

    def raw(self, position: int) -> str:
        """Return a field as it came; HL7's explicit null counts as empty."""
        text = self._fields[position] if position < len(self._fields) else ""
        return "" if text == '""' else text

    def repetitions(self, position: int) -> list[list[str]]:
        """Return the repetitions of a field, each as its components."""
        parts = self.raw(position).split(self._delimiters.repetition)
        if len(parts) > REPETITIONS_MAX:
            raise LimitExceeded(limit="hl7.repetitions", value=len(parts), bound=REPETITIONS_MAX)
        return [self._components(part) for part in parts if part]

    def text(self, position: int, component: int = 1) -> str:
        """Return a component of a field's first repetition, or its first subcomponent."""
        repetitions = self.repetitions(position)
        components = repetitions[0] if repetitions else []
        return components[component - 1] if component <= len(components) else ""

    def _components(self, text: str) -> list[str]:
        parts = text.split(self._delimiters.component)
        if len(parts) > COMPONENTS_MAX:
            raise LimitExceeded(limit="hl7.components", value=len(parts), bound=COMPONENTS_MAX)
        return [unescaped(part.split(self._delimiters.subcomponent)[0], self._delimiters) for part in parts]


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its segments in order, MSH first, and the codec in which it came."""

    segments: tuple[Segment, ...]
    codec: str

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @property
    def kind(self) -> tuple[str, str]:
        """Message type and trigger event (MSH-9)."""
        return self.header.text(9).upper(), self.header.text(9, 2).upper()

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.text(10)[:199]

    @property
    def sender(self) -> str:
        """Sending application and facility (MSH-3, MSH-4)."""
        return f"{self.header.text(3)}|{self.header.text(4)}"[:400]

    def first(self, name: str) -> Segment:
        """Return the first segment of a name, or one without fields."""
        return next((one for one in self.segments if one.name == name), Segment(name, [], Delimiters()))


def parse(data: bytes, fallback: str | None = None) -> Message:
    """Read a message.

    Raises
    ------
    InvalidRequest
        It is no HL7 v2 message, or in characters that are not known.
    LimitExceeded
        It has too many segments or fields.
    """
    if not data.startswith(b"MSH") or len(data) < 8:
        raise InvalidRequest(reason="the message does not begin with MSH")
    try:
        separators = data[3:8].decode("ascii")
    except UnicodeDecodeError:
        raise InvalidRequest(reason="delimiters that are not ASCII") from None
    delimiters = Delimiters(separators[0], *_encoding_characters(separators))
    head = re.split(rb"[\r\n]", data, maxsplit=1)[0].split(separators[0].encode())
    declared = head[17].split(separators[2].encode())[0].decode("latin-1").strip().upper() if len(head) > 17 else ""
    text, codec = _decoded(data, declared, fallback)
    lines = [line for line in _LINE.split(text) if line.strip()]
    if len(lines) > SEGMENTS_MAX:
        raise LimitExceeded(limit="hl7.segments", value=len(lines), bound=SEGMENTS_MAX)
    return Message(tuple(_segment(line, delimiters) for line in lines), codec)


def _encoding_characters(separators: str) -> tuple[str, str, str, str]:
    field, component, repetition, escape, subcomponent = separators
    if escape == field:  # "^~|": neither an escape nor subcomponents
        escape, subcomponent = "\\", "&"
    elif subcomponent == field:
        subcomponent = "&"
    given = (field, component, repetition, escape, subcomponent)
    if len(set(given)) != 5 or any(character.isalnum() or character.isspace() for character in given):
        raise InvalidRequest(reason="MSH-1 and MSH-2 are no delimiters")
    return given[1:]


def _decoded(data: bytes, declared: str, fallback: str | None) -> tuple[str, str]:
    if declared in _UNRELIABLE:
        return charset.decode(data, (), fallback), "utf-8"
    if declared not in _CODECS:
        raise InvalidRequest(reason="the character set of MSH-18 is not known here")
    try:
        return data.decode(_CODECS[declared]), _CODECS[declared]
    except UnicodeDecodeError:
        raise InvalidRequest(reason="bytes that the character set of MSH-18 does not have") from None


def _segment(line: str, delimiters: Delimiters) -> Segment:
    fields = line.split(delimiters.field)
    if len(fields) > FIELDS_MAX:
        raise LimitExceeded(limit="hl7.fields", value=len(fields), bound=FIELDS_MAX)
    if fields[0] == "MSH":
        fields.insert(1, delimiters.field)  # MSH-1 is the separator itself
    return Segment(fields[0].strip().upper(), fields, delimiters)


def unescaped(text: str, delimiters: Delimiters) -> str:
    r"""Return a text without escape sequences: \F\ \S\ \T\ \R\ \E\ and \Xdd\; those of formatting become spaces."""
    if delimiters.escape not in text:
        return text.strip(" ")
    codes = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
    }

    def replaced(match: re.Match[str]) -> str:
        code = match["code"]
        if code.startswith("X") and re.fullmatch(r"X([0-9A-Fa-f]{2})+", code):
            return bytes.fromhex(code[1:]).decode("utf-8", "replace")
        return codes.get(code, " ")

    text = text.replace(delimiters.escape, "\\") if delimiters.escape != "\\" else text
    return _ESCAPE.sub(replaced, text).strip(" ")
