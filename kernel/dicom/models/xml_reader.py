"""The Native DICOM Model read into DICOM JSON (PS3.19 A.1), from strangers: no document type, no entities, within bounds.

The parser is expat with handlers: nothing is built but the model. What `xml_model.to_xml` wrote comes back the same.
A private element may name its creator (`gggg00ee`) or its block; one whose creator the data set lacks gets a block.
Bulk data by `uuid` is given the URI `urn:uuid:...`.
"""

from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat

from kernel.dicom.models.json_model import decimal, whole
from kernel.dicom.models.xml_model import COMPONENTS, GROUPS, Json
from kernel.dicom.vocabulary.dictionary import LONG_VRS, SHORT_VRS
from kernel.dicom.vocabulary.limits import LIMITS, Limits, exceeded, malformed

_PARENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "NativeDicomModel": ("",),
    "DicomAttribute": ("NativeDicomModel", "Item"),
    **dict.fromkeys(("Value", "Item", "PersonName", "BulkData", "InlineBinary"), ("DicomAttribute",)),
    **dict.fromkeys(GROUPS, ("PersonName",)),
    **dict.fromkeys(COMPONENTS, GROUPS),
}
_WITH_TEXT: Final = frozenset({"Value", "InlineBinary", *COMPONENTS})
_SEPARATOR: Final = " "  # between namespace and name; in neither
_VRS: Final = SHORT_VRS | LONG_VRS
_WHOLE: Final = frozenset({"IS", "US", "SS", "UL", "SL", "UV", "SV"})
_DECIMAL: Final = frozenset({"DS", "FL", "FD"})


def from_xml(document: bytes, limits: Limits = LIMITS) -> Json:
    """Return the DICOM JSON object of an XML document.

    Raises
    ------
    MalformedInstance
        It is no Native DICOM Model, or it has a document type.
    LimitExceeded
        `header_bytes_max`, `elements_max` (attributes, items, values) or `depth_max`.
    """
    if len(document) > limits.header_bytes_max:
        raise exceeded("header_bytes_max", len(document), limits.header_bytes_max)
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    reader = _Reader(limits)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(document, True)  # noqa: FBT003 (expat takes it by position)
    except (expat.ExpatError, LookupError, ValueError):  # ValueError: an encoding that expat cannot read
        raise malformed("it is no well-formed XML") from None
    return reader.model


def _refuse_doctype(*_: Any) -> None:
    raise malformed("its XML has a document type")


class _Level:
    """A data set while it is read: its elements by key, and those that wait for the block of their creator."""

    __slots__ = ("key", "model", "one", "waiting")

    def __init__(self) -> None:
        self.model: Json = {}
        self.waiting: list[tuple[str, str, Json]] = []  # creator, key with block 00, element
        self.one: Json = {}  # the present element

    def finished(self) -> Json:
        """Return the data set, every private element in its block, tags ascending."""
        blocks: dict[tuple[str, str], str] = {}
        for creator, key, one in self.waiting:
            owner = (key[:4], creator)
            if owner not in blocks:
                blocks[owner] = self._block(*owner)
            _put(self.model, key[:4] + blocks[owner] + key[6:], one)
        return dict(sorted(self.model.items()))

    def _block(self, group: str, creator: str) -> str:
        """Return the block that the creator has, or the first that is free and now its own (PS3.5 7.8.1)."""
        blocks = [f"{number:02X}" for number in range(0x10, 0x100)]
        reserved = {"vr": "LO", "Value": [creator]}
        found = [block for block in blocks if self.model.get(f"{group}00{block}") == reserved]
        found = found or [block for block in blocks if f"{group}00{block}" not in self.model]
        if not found:
            raise malformed("a group has no block left for a private creator")
        self.model[f"{group}00{found[0]}"] = reserved
        return found[0]


class _Reader:
    """The handlers of one document."""

    def __init__(self, limits: Limits) -> None:
        self.model: Json = {}
        self._limits = limits
        self._count = 0
        self._path = [""]
        self._levels: list[_Level] = []
        self._text: list[str] = []
        self._name: dict[str, list[str]] = {}

    def start(self, tagged: str, attributes: dict[str, str]) -> None:
        """Take a start tag."""
        name = tagged.rpartition(_SEPARATOR)[2]
        if self._path[-1] not in _PARENTS.get(name, ()):
            raise malformed("its XML has an element where the model has none")
        self._path.append(name)
        self._text.clear()
        if name in ("NativeDicomModel", "Item"):
            self._open_level(name, attributes)
        elif name == "DicomAttribute":
            self._open_attribute(attributes)
        elif name in ("Value", "PersonName"):
            self._place(attributes)
            self._name = {}
        elif name in GROUPS:
            self._name[name] = []
        elif name == "BulkData":
            self._levels[-1].one["BulkDataURI"] = _bulk_uri(attributes)

    def text(self, text: str) -> None:
        """Take characters; those between elements say nothing."""
        if self._path[-1] in _WITH_TEXT:
            self._text.append(text)
        elif text.strip():
            raise malformed("its XML has text where the model has none")

    def end(self, _tagged: str) -> None:
        """Take an end tag."""
        name = self._path.pop()
        text = "".join(self._text) if name in _WITH_TEXT else ""
        if name == "Value":
            one = self._levels[-1].one
            one["Value"][-1] = _value(one["vr"], text)
        elif name in COMPONENTS:
            self._component(name, text)
        elif name == "PersonName":
            joined = {group: "^".join(parts) for group, parts in self._name.items()}
            self._levels[-1].one["Value"][-1] = {group: part for group, part in joined.items() if part} or None
        elif name == "InlineBinary":
            self._levels[-1].one["InlineBinary"] = "".join(text.split())
        elif name == "Item":
            item = self._levels.pop().finished()
            self._levels[-1].one["Value"][-1] = item
        elif name == "NativeDicomModel":
            self.model = self._levels.pop().finished()

    def _open_level(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Item":
            self._place(attributes)
        if len(self._levels) > self._limits.depth_max:
            raise exceeded("depth_max", len(self._levels), self._limits.depth_max)
        self._levels.append(_Level())

    def _open_attribute(self, attributes: dict[str, str]) -> None:
        self._counted(1)
        key, vr = attributes.get("tag", "").upper(), attributes.get("vr", "")
        if len(key) != 8 or not _HEXADECIMAL.issuperset(key) or vr not in _VRS:
            raise malformed("an element of its XML has no tag or no known VR")
        level = self._levels[-1]
        level.one = {"vr": vr}
        creator = attributes.get("privateCreator")
        if creator is not None and key[4:6] == "00" and int(key[3], 16) & 1:
            level.waiting.append((creator, key, level.one))
        else:
            _put(level.model, key, level.one)

    def _place(self, attributes: dict[str, str]) -> None:
        """Make the place of a value: `number` counts from one; a gap is an empty value."""
        values: list[Any] = self._levels[-1].one.setdefault("Value", [])
        number = attributes.get("number", "")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number) > len(values)):
            raise malformed("the values in its XML are not numbered from one upwards")
        self._counted(int(number) - len(values))
        values.extend([None] * (int(number) - len(values)))

    def _component(self, name: str, text: str) -> None:
        parts = self._name[self._path[-1]]
        parts.extend([""] * (COMPONENTS.index(name) + 1 - len(parts)))
        parts[COMPONENTS.index(name)] = text

    def _counted(self, more: int) -> None:
        self._count += more
        if self._count > self._limits.elements_max:
            raise exceeded("elements_max", self._count, self._limits.elements_max)


_HEXADECIMAL: Final = frozenset("0123456789ABCDEF")


def _put(model: Json, key: str, one: Json) -> None:
    if key in model:
        raise malformed("an element occurs twice")
    model[key] = one


def _bulk_uri(attributes: dict[str, str]) -> str:
    uri = attributes.get("uri") or attributes.get("URI")
    uuid = attributes.get("uuid")
    if uri is None and uuid is None:
        raise malformed("bulk data in its XML has neither uri nor uuid")
    return uri if uri is not None else f"urn:uuid:{uuid}"


def _value(vr: str, text: str) -> str | float | int | None:
    if vr in _DECIMAL:
        return decimal(text)
    if vr in _WHOLE:
        return whole(text)
    return text or None
