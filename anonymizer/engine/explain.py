"""What becomes of each element of an instance, and why: the same engine, its output laid beside the original."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.elements.compiled import ActionTable, compiled, type_of
from anonymizer.engine.acceptance import SOP_CLASS_UID, text_of
from anonymizer.engine.engine import MODALITY
from anonymizer.profiles.actions import Action
from anonymizer.profiles.private import CREATOR, PrivateBlocks
from anonymizer.profiles.profile import SITE, Profile, Rule
from kernel.dicom.scanning.elements import Element, Header, Item
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, VR_OF

VALUE_BYTES_SHOWN: Final = 64

_CHANGED: Final[Mapping[Action, str]] = {
    Action.UID: "new UID",
    Action.SHIFT: "moved",
    Action.AGE: "capped",
    Action.PATIENT_ID: "pseudonym",
    Action.PATIENT_NAME: "pseudonym",
    Action.HASH: "hashed",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One element: what happens to it and why; the values are for whoever may see the patient."""

    path: str  # (GGGG,EEEE), nested as (GGGG,EEEE)[0].(GGGG,EEEE), items counted from zero
    name: str  # keyword, or empty
    vr: str
    becomes: str  # kept, removed, emptied, replaced, searched ... or new UID, moved, pseudonym
    why: str
    before: bytes
    after: bytes


def explain(original: Header, given: Header, profile: Profile) -> Iterator[Told]:
    """Yield every element of an original in its order, then nothing of what the engine adds.

    Parameters
    ----------
    given
        The scan of what `anonymizer.engine.engine.deidentify` made of it with `profile`.
    """
    sop_class_uid, modality = text_of(original, SOP_CLASS_UID), text_of(original, MODALITY)
    table = compiled(profile, sop_class_uid, modality)
    rules = {**profile.rules, **profile.by_modality.get(modality, {})}
    teller = _Teller(original, given, table, rules, sop_class_uid)
    yield from teller.data_set(original.elements, given.elements, table.top, "", 0)


@dataclass(frozen=True, slots=True)
class _Teller:
    original: Header
    given: Header
    table: ActionTable
    rules: Mapping[str, Rule]
    sop_class_uid: str

    def data_set(
        self,
        before: Sequence[Element],
        after: Sequence[Element],
        actions: Mapping[int, Action],
        path: str,
        parent: int,
    ) -> Iterator[Told]:
        survivors = {element.tag: element for element in after}
        with memoryview(self.original.buffer) as view:
            private = PrivateBlocks(before, view)
            why = {element.tag: self.why(element.tag, private, parent) for element in before}
        for element in before:
            tag, survivor = element.tag, survivors.get(element.tag)
            where = f"{path}({tag >> 16:04X},{tag & 0xFFFF:04X})"
            old = self.value(self.original, element)
            new = b"" if survivor is None else self.value(self.given, survivor)
            become = _becomes(element, survivor, actions.get(tag), same=old == new)
            yield Told(where, KEYWORD_OF.get(tag, ""), element.vr, become, why[tag], old, new)
            if element.items is not None and survivor is not None and survivor.items is not None:
                yield from self.items(element.items, survivor.items, where, tag)

    def items(self, before: Sequence[Item], after: Sequence[Item], where: str, tag: int) -> Iterator[Told]:
        for number, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from self.data_set(old.elements, new.elements, self.table.inside(tag), f"{where}[{number}].", tag)

    def value(self, header: Header, element: Element) -> bytes:
        """Return the beginning of a value; empty for a sequence."""
        if element.items is not None or element.length > len(header.buffer):
            return b""
        return bytes(header.buffer[element.value_offset : element.value_offset + element.length])

    def why(self, tag: int, private: PrivateBlocks, parent: int) -> str:
        """Return what decides about an attribute: a row and its Type, an option, or what its VR says of it."""
        if tag & 0x10000:
            return _private(tag, private, safe=self.table.safe_private)
        rule = self.rules.get(f"{tag:08X}")
        if rule is None:
            return _beyond(tag)
        if rule.option == SITE:
            return f"{rule.code} by the site's profile"
        if rule.option is not None:
            return f"{rule.code} by {rule.option}; else {rule.basic}"
        if "/" not in rule.basic:
            return f"{rule.basic} by Table E.1-1"
        return f"{rule.basic} by Table E.1-1; Type {type_of(self.sop_class_uid, tag, parent)} here"


def _becomes(element: Element, survivor: Element | None, action: Action | None, *, same: bool) -> str:
    if survivor is None:
        return "removed"
    if element.items is not None:
        if survivor.items:
            return "its items" if len(survivor.items) == len(element.items) else "replaced"
        return "emptied" if element.items else "kept"
    if same:
        return "kept" if element.length else "empty as before"
    if survivor.length == 0:
        return "emptied"
    return _CHANGED.get(action, "replaced") if action is not None else "replaced"


def _private(tag: int, private: PrivateBlocks, *, safe: bool) -> str:
    if not safe:
        return "private"
    vr = private.safe_vr(tag)
    if vr == CREATOR:
        return "creator of a safe private attribute"
    return f"safe private (E.3.10), if it is {vr}" if vr else "private, not known to be safe"


def _beyond(tag: int) -> str:
    if tag not in VR_OF:
        return "not an attribute of the standard"
    return f"no row of Table E.1-1; by its VR {VR_OF[tag]}"
