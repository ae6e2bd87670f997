"""The content of a structured report as lines that a person reads: what it is called, what it says, how deep it lies.

Of any SR document: reports of others, CAD, dose. Pure; what is not as PS3.3 C.17.3 has it is passed over.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset

LINES_MAX: Final = 5000
DEPTH_MAX: Final = 30
CHARACTERS_MAX: Final = 4000  # of one line
SR_CLASSES: Final = "1.2.840.10008.5.1.4.1.1.88."  # how their UIDs begin


@dataclass(frozen=True, slots=True)
class Line:
    """One content item."""

    depth: int
    kind: str  # Value Type
    name: str
    text: str
    sop_instance_uid: str = ""  # of the image or object that it refers to


@dataclass(frozen=True, slots=True)
class Content:
    """A document's content; `whole` is false when it has more than is shown."""

    title: str
    complete: bool
    verified: bool
    lines: tuple[Line, ...]
    whole: bool


def content_of(ds: Dataset) -> Content:
    """Return what a document says."""
    lines: list[Line] = []
    whole = _walk(ds, 0, lines)
    return Content(
        _name(ds),
        ds.get("CompletionFlag") != "PARTIAL",
        ds.get("VerificationFlag") == "VERIFIED",
        tuple(lines),
        whole,
    )


def _walk(item: Dataset, depth: int, lines: list[Line]) -> bool:
    children = item.get("ContentSequence") or ()
    if children and depth >= DEPTH_MAX:
        return False
    for child in children:
        if len(lines) >= LINES_MAX:
            return False
        lines.append(_line(child, depth))
        if not _walk(child, depth + 1, lines):
            return False
    return True


def _line(item: Dataset, depth: int) -> Line:
    kind, text, refers = str(item.get("ValueType", "")), "", ""
    with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
        text = _TEXTS.get(kind, _nothing)(item)[:CHARACTERS_MAX]
    with suppress(AttributeError, IndexError):
        refers = str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
    return Line(depth, kind, _name(item), text, refers)


def _name(item: Dataset) -> str:
    with suppress(AttributeError, IndexError):
        return str(item.ConceptNameCodeSequence[0].CodeMeaning)[:CHARACTERS_MAX]
    return ""


def _nothing(_: Dataset) -> str:
    return ""


def _number(item: Dataset) -> str:
    measured = item.MeasuredValueSequence[0]
    unit = measured.MeasurementUnitsCodeSequence[0]
    word = (
        ""
        if unit.CodeValue == "1"
        else str(unit.CodeValue if unit.CodingSchemeDesignator == "UCUM" else unit.CodeMeaning)
    )
    return f"{measured.NumericValue} {word}".strip()


def _graphic(item: Dataset) -> str:
    return f"{item.GraphicType} {' '.join(f'{float(at):g}' for at in item.GraphicData[:12])}{'…' if len(item.GraphicData) > 12 else ''}"


def _attribute(keyword: str) -> Callable[[Dataset], str]:
    def read(item: Dataset) -> str:
        value: Any = item[keyword].value
        return str(value)

    return read


def _person(item: Dataset) -> str:
    return str(item.PersonName).replace("^", " ").strip()


_TEXTS: Final[Mapping[str, Callable[[Dataset], str]]] = {
    "TEXT": _attribute("TextValue"),
    "CODE": lambda item: str(item.ConceptCodeSequence[0].CodeMeaning),
    "NUM": _number,
    "PNAME": _person,
    "DATE": _attribute("Date"),
    "TIME": _attribute("Time"),
    "DATETIME": _attribute("DateTime"),
    "UIDREF": _attribute("UID"),
    "SCOORD": _graphic,
    "SCOORD3D": _graphic,
}
