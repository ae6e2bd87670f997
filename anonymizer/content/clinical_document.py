"""A CDA document (HL7 CDA R2) made pseudonymous: its header written anew, its body kept element by element that is known.

Nothing of the old header but codes, moved dates and mapped identifiers goes over. In the body, people and devices are
dropped with their elements, narrative goes through the second net, and a document with an element, an encoding or a
medium that is not in the lists here is not understood: None, and the instance is held.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from anonymizer.content.bounded_xml import parsed
from anonymizer.elements.second_net import Net
from anonymizer.pseudonyms.identifiers import name_of

V3: Final = "urn:hl7-org:v3"
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_HEADER: Final = (
    "realmCode", "typeId", "templateId", "id", "code", "title", "effectiveTime", "confidentialityCode", "languageCode", "setId",
    "versionNumber",
)  # fmt: skip
_PEOPLE: Final = frozenset({
    "author", "informant", "participant", "performer", "subject", "specimen", "custodian", "authenticator", "legalAuthenticator",
    "dataEnterer", "renderMultiMedia",
})  # fmt: skip
_INLINE: Final = frozenset({"content", "sub", "sup", "br", "linkHtml", "footnote", "footnoteRef"})
_NARRATIVE: Final = _INLINE | frozenset({
    "text", "title", "originalText", "paragraph", "list", "item", "caption", "table", "thead", "tbody", "tfoot", "tr", "th", "td",
    "col", "colgroup",
})  # fmt: skip
_TIMES: Final = frozenset({"effectiveTime", "time", "low", "high", "center", "availabilityTime"})
_IDENTIFIERS: Final = frozenset({"id", "setId"})
_KNOWN: Final = _NARRATIVE | _TIMES | _IDENTIFIERS | frozenset({
    "component", "structuredBody", "section", "entry", "entryRelationship", "observation", "organizer", "act", "procedure",
    "substanceAdministration", "supply", "encounter", "regionOfInterest", "code", "value", "translation", "qualifier", "name",
    "width", "reference", "templateId", "typeId", "realmCode", "statusCode", "interpretationCode", "methodCode", "targetSiteCode",
    "approachSiteCode", "priorityCode", "confidentialityCode", "languageCode", "versionNumber", "referenceRange",
    "observationRange", "externalAct", "externalObservation", "externalDocument", "repeatNumber", "doseQuantity", "numerator",
    "denominator", "routeCode",
})  # fmt: skip
_KEPT: Final = frozenset({
    "code", "codeSystem", "codeSystemName", "codeSystemVersion", "unit", "classCode", "moodCode", "typeCode", "inversionInd",
    "determinerCode", "negationInd", "nullFlavor", "styleCode", "border", "align", "valign", "colspan", "rowspan", "span",
    "listType", "inclusive", "operator", "contextConductionInd", "contextControlCode", "ID", "root", "extension", _TYPE,
})  # fmt: skip
_TOKEN: Final = re.compile(r"[\w .:#/%*+^\[\]{}()'-]{0,64}")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]{1,24}")
_DATE: Final = re.compile(r"\d{8}(?:\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?")


@dataclass(frozen=True, slots=True)
class Substitutes:
    """What stands for the patient in a document."""

    pseudonym: str
    net: Net
    new_uid: Callable[[str], str]
    shifted: Callable[[str], str]  # a date or date and time; empty when dates do not stay
    keeps_sex: bool


class _NotUnderstood(Exception):
    """Something of the document is in no list."""


def cleaned(content: bytes, substitutes: Substitutes) -> tuple[bytes, str] | None:
    """Return the new document in UTF-8 and its new identifier; None when it is not understood."""
    root = parsed(content)
    if root is None or root.tag != _v3("ClinicalDocument"):
        return None
    try:
        return _Document(root, substitutes).rewritten()
    except _NotUnderstood:
        return None


class _Document:
    """One document on its way."""

    def __init__(self, root: ET.Element, substitutes: Substitutes) -> None:
        self._root = root
        self._with = substitutes

    def rewritten(self) -> tuple[bytes, str]:
        new = ET.Element(_v3("ClinicalDocument"), {"classCode": "DOCCLIN", "moodCode": "EVN"})
        for name in _HEADER:
            new.extend([self._element(child) for child in self._root.findall(_v3(name))])
        new.append(self._record_target())
        author = _under(_under(new, "author"), "time", value=self._author_time()).attrib
        if not author["value"]:
            author.clear()
            author["nullFlavor"] = "MSK"
        _under(_under(new.find(_v3("author")), "assignedAuthor"), "id", nullFlavor="MSK")
        custodian = _under(_under(new, "custodian"), "assignedCustodian")
        _under(_under(custodian, "representedCustodianOrganization"), "id", nullFlavor="MSK")
        bodies = self._root.findall(_v3("component"))
        if not bodies:
            raise _NotUnderstood
        new.extend([self._element(body) for body in bodies])
        identifier = new.find(_v3("id"))
        ET.register_namespace("", V3)
        ET.register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")
        root_of = "" if identifier is None else identifier.get("root", "")
        return ET.tostring(new, encoding="utf-8", xml_declaration=True), root_of

    def _author_time(self) -> str:
        time = self._root.find(f"{_v3('author')}/{_v3('time')}")
        return "" if time is None else self._shifted(time.get("value", ""))

    def _record_target(self) -> ET.Element:
        target = ET.Element(_v3("recordTarget"))
        role = _under(target, "patientRole")
        _under(role, "id", root=self._with.new_uid("patients"), extension=self._with.pseudonym)
        patient = _under(role, "patient")
        _under(patient, "name").text = name_of(self._with.pseudonym)
        sex = self._root.find(
            "/".join(map(_v3, ("recordTarget", "patientRole", "patient", "administrativeGenderCode")))
        )
        if self._with.keeps_sex and sex is not None and sex.get("code") in {"M", "F", "UN"}:
            _under(patient, "administrativeGenderCode", code=sex.get("code", ""), codeSystem="2.16.840.1.113883.5.1")
        return target

    def _element(self, old: ET.Element) -> ET.Element:
        """Return an element of the body, or of the header where it says nothing of people."""
        name = _local(old)
        new = ET.Element(old.tag, self._attributes(old, name))
        children = [child for child in old if _local(child, strict=False) not in _PEOPLE]
        if name in _NARRATIVE:
            if all(_local(child) in _INLINE for child in children):
                joined = "".join(_texts(old))
                if self._with.net.finds(joined):  # a name may be parted by markup: none of it stays
                    new.text = self._with.net.without(joined)
                    return new
            new.text = self._text(old.text)
        elif (old.text or "").strip() and name != "name":
            raise _NotUnderstood  # text where only narrative has any: base64, or an extension
        for child in children:
            made = self._element(child)
            if name in _NARRATIVE:
                made.tail = self._text(child.tail)
            new.append(made)
        return new

    def _attributes(self, old: ET.Element, name: str) -> dict[str, str]:
        if name in _IDENTIFIERS:
            root = old.get("root", "")
            return (
                {"root": self._with.new_uid("^".join((root, old.get("extension", ""))))}
                if root
                else {"nullFlavor": "MSK"}
            )
        kept = {key: value for key, value in old.attrib.items() if key in _KEPT and self._is_token(value)}
        if "displayName" in old.attrib:
            kept["displayName"] = self._with.net.without(old.attrib["displayName"])
        value = old.get("value")
        if value is None:
            return kept
        if name in _TIMES or kept.get(_TYPE, "") in {"TS", "IVL_TS"}:
            value = self._shifted(value)
        elif not _NUMBER.fullmatch(value) and not (value.startswith("#") and self._is_token(value)):
            value = value if value in {"true", "false"} else ""
        return {**kept, "value": value} if value else {**kept, "nullFlavor": "MSK"}

    def _is_token(self, value: str) -> bool:
        return _TOKEN.fullmatch(value) is not None and not self._with.net.finds(value, by_form=" " in value)

    def _shifted(self, value: str) -> str:
        return self._with.shifted(value) if _DATE.fullmatch(value) else ""

    def _text(self, text: str | None) -> str | None:
        return self._with.net.without(text) if text else None


def _texts(element: ET.Element) -> Iterator[str]:
    """Yield the text of an element and what is in it, but not what people's elements hold."""
    yield element.text or ""
    for child in element:
        if _local(child, strict=False) not in _PEOPLE:
            yield from (" ",) if _local(child) == "br" else _texts(child)
        yield child.tail or ""


def _local(element: ET.Element, *, strict: bool = True) -> str:
    namespace, _, name = element.tag.rpartition("}")
    if strict and (namespace != f"{{{V3}" or name not in _KNOWN):
        raise _NotUnderstood
    return name if namespace == f"{{{V3}" else ""


def _v3(name: str) -> str:
    return f"{{{V3}}}{name}"


def _under(parent: ET.Element | None, name: str, **attributes: str) -> ET.Element:
    assert parent is not None
    return ET.SubElement(parent, _v3(name), attributes)
