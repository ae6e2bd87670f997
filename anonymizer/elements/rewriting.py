"""Rewrite encoded data sets: what stays is a slice of the source, what changes is new bytes (PS3.5 7, PS3.15 E.1)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from anonymizer.elements.cleaning import CODE_OF, SequenceCleaners
from anonymizer.elements.compiled import ActionTable
from anonymizer.elements.memory import ELEMENT_BYTES_MAX, Memory, Stretch
from anonymizer.elements.packing import Chunks, as_chunks, packed, packed_in_turn
from anonymizer.elements.second_net import NUMBERS, SEARCHED
from anonymizer.elements.stretches import is_ordered, parts_of, remember
from anonymizer.elements.treatment import Treatment
from anonymizer.profiles.actions import Action
from anonymizer.profiles.content_items import PARENTS as CONTENT_PARENTS
from anonymizer.profiles.dummies import DUMMY_SEQUENCES, encode
from anonymizer.profiles.private import CREATOR, PrivateBlocks
from kernel.dicom.scanning.elements import Element, Item
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.dictionary import BULK_VRS, VR_OF
from kernel.dicom.vocabulary.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

UTF_8: Final = b"ISO_IR 192"
SPECIFIC_CHARACTER_SET: Final = 0x00080005

_WATCHED = frozenset({"PN", "UN", "UI"}) | SEARCHED | NUMBERS  # looked at even where the attribute is kept
_OF_WORDS = frozenset({"PN", "UN", "UI", "AE", "DA", "DT", "TM", "UR"}) | SEARCHED | NUMBERS


class Rewriter:
    """Walks the data sets of one instance and puts them together again.

    `treatment` and `table` are for the cleaners of sequences, which are given the rewriter.
    """

    def __init__(
        self,
        view: memoryview,
        table: ActionTable,
        treatment: Treatment,
        cleaners: SequenceCleaners,
        memory: Memory | None = None,
    ) -> None:
        self.table = table
        self.treatment = treatment
        self._view = view
        self._cleaners = cleaners
        self._memory = memory
        self._passed = treatment.net.passed

    @property
    def view(self) -> memoryview:
        """The bytes that the offsets of elements mean now."""
        return self._view

    def write_utf_8(self) -> None:
        """From now on, re-encode kept text that is not ASCII: nothing says what set it is in."""
        self._passed = set()
        self.treatment.to_utf_8 = True
        self._memory = None  # it is of texts that stayed as they were

    # --- data sets ----------------------------------------------------------------------------------------------------

    def with_added(
        self,
        elements: Sequence[Element],
        span: tuple[int, int],
        actions: Mapping[int, Action],
        added: Iterable[tuple[int, bytes]],
    ) -> tuple[Chunks, dict[int, int]]:
        """Return the new content of the span that `elements` fill, and where in it each addition is.

        `added` are encoded elements by tag, ascending; each is put before the first element of a greater tag.
        """
        chunks: Chunks = []
        places: dict[int, int] = {}
        position, end = span
        begin = 0
        tags = [element[0] for element in elements]
        ordered = is_ordered(tags)
        data_set = self._stretches if ordered and self._knows_stretches(actions) else self.data_set
        for tag, encoded in added:
            if ordered:
                index = bisect_right(tags, tag, begin)
            else:
                index = next((at for at in range(begin, len(elements)) if tags[at] > tag), len(elements))
            stop = elements[index].start if index < len(elements) else end
            chunks += data_set(elements[begin:index], position, stop, actions) or [self._view[position:stop]]
            places[tag] = len(chunks)
            chunks.append(encoded)
            begin, position = index, stop
        chunks += data_set(elements[begin:], position, end, actions) or [self._view[position:end]]
        return chunks, places

    def _knows_stretches(self, actions: Mapping[int, Action]) -> bool:
        """Whether there may be stretches in ordered elements: from the second slice on."""
        return self._memory is not None and self._memory.instances >= 2 and actions is self.table.top

    def _stretches(
        self, elements: Sequence[Element], start: int, end: int, actions: Mapping[int, Action]
    ) -> Chunks | None:
        """Return what `data_set` does, for most elements by what became of the same neighbours in another slice."""
        assert self._memory is not None
        view, memory, treatment = self._view, self._memory, self.treatment
        chunks: Chunks = []
        position = start  # everything before it is written
        for part in parts_of(elements, end, view, memory):
            here = elements[part.first : part.last]
            begin, stop = here[0].start, here[-1].end
            known = part.known
            if known is None and part.is_steady:
                done = treatment.recorded(partial(self.data_set, here, begin, stop, actions))
                known = Stretch(bytes(view[begin:stop]), len(here), done)
                remember(memory, here, known)
            if known is not None:
                treatment.count(known.done)
            new = as_chunks(known.done.new) if known else self.data_set(here, begin, stop, actions)
            if new is not None:
                chunks += [view[position:begin], *new]
                position = stop
        return [*chunks, view[position:end]] if chunks else None

    def data_set(
        self, elements: Sequence[Element], start: int, end: int, actions: Mapping[int, Action]
    ) -> Chunks | None:
        """Return the new content of [start, end), or None when nothing changes."""
        view, passed = self._view, self._passed
        find, counts, vr_of = actions.get, self.treatment.counts, VR_OF.get
        keep, remove = Action.KEEP, Action.REMOVE
        private = PrivateBlocks(elements, view) if self.table.safe_private else None
        treated = self._treated if self._memory is None or actions is not self.table.top else self._remembered
        chunks: Chunks = []
        position = start  # everything before it is written
        for element in elements:
            tag = element[0]
            action = find(tag)
            if action is keep:
                vr = element[1]
                if (
                    bytes(view[element[3] : element[3] + element[4]]) in passed
                    if vr in _WATCHED
                    else vr == vr_of(tag) and element[7] is None
                ):
                    continue
                new = treated(element, keep)
            elif action is None and tag & 0x10000 and private is not None and (vr := private.safe_vr(tag)):
                new = self._private(element, vr)
            elif action is None or action is remove:  # private, repeating or unknown; or the table says so
                counts["P" if tag & 0x10000 else "X"] += 1
                new = ()
            else:
                new = treated(element, action)
            if new is None:
                continue
            if position < element.start:
                chunks.append(view[position : element.start])
            chunks.extend(new)
            position = element.end
        if position == start:
            return None
        chunks.append(view[position:end])
        return chunks

    def sequence(self, element: Element) -> Chunks | None:
        """Treat the items of a sequence; keep its form, with delimiters or with lengths."""
        view, table, tag = self._view, self.table, element.tag
        items = element.items or ()
        if not isinstance(items, tuple):  # of more frames than are kept
            return packed_in_turn(view, element, ((item, self._item(item, table.inside(tag))) for item in items))
        if tag in CONTENT_PARENTS:
            contents = [self._item(item, table.of_item(tag, item, view)) for item in items]
        else:
            contents = [self._item(item, table.inside(tag)) for item in items]
        return packed(view, element, contents)

    def _item(self, item: Item, inside: Mapping[int, Action]) -> Chunks | None:
        passed, to_utf_8 = self._passed, self.treatment.to_utf_8
        if to_utf_8 and any(one.tag == SPECIFIC_CHARACTER_SET for one in item.elements):
            self.treatment.to_utf_8 = False  # the item says itself what its text is in
        try:
            return self.data_set(item.elements, item.value_offset, item.content_end, inside)
        finally:
            self._passed, self.treatment.to_utf_8 = passed, to_utf_8

    # --- elements -----------------------------------------------------------------------------------------------------

    def _treated(self, element: Element, action: Action) -> Chunks | None:
        return self._kept(element) if action is Action.KEEP else self._changed(element, action)

    def _remembered(self, element: Element, action: Action) -> Chunks | None:
        """Treat an element of the top level as one like it was treated before, if there was one."""
        start, end = element[2], element[5]
        if end - start > ELEMENT_BYTES_MAX or (action is Action.UID and element.items is None):
            return self._treated(element, action)
        assert self._memory is not None
        like = element[1], bytes(self._view[start:end])
        done = self._memory.elements.get(like)
        if done is None:
            done = self.treatment.recorded(lambda: self._treated(element, action))
            self._memory.remember(like, done)
        self.treatment.count(done)
        return as_chunks(done.new)

    def _kept(self, element: Element) -> Chunks | None:
        """Look into what is kept: sequences, and values that are not what their attribute should have."""
        if element.items is not None:
            return self.sequence(element)
        if element.vr == "PN":  # a name in an attribute that is none
            return as_chunks(self.treatment.removed())
        if element.vr not in _WATCHED:  # bytes or numbers: words have no business there
            known = VR_OF.get(element.tag, "")
            return as_chunks(self.treatment.removed()) if known in _OF_WORDS else None
        value = self._value(element)
        if element.vr == "UN":
            return self._unknown(element, value)
        return as_chunks(self.treatment.kept(element, value))

    def _private(self, element: Element, vr: str) -> Chunks | None:
        """Treat a private element that is known to be safe as long as it holds what its VR says."""
        if vr == CREATOR:
            return None
        if vr == "SQ" and element.items is not None:
            return self.sequence(element)
        return as_chunks(self.treatment.private(vr, self._value(element)))

    def _changed(self, element: Element, action: Action) -> Chunks | None:
        if action in CODE_OF:
            cleaner = self._cleaners.get(action)
            new = cleaner(self, element) if cleaner and element.items is not None else None
            if new is not None:
                self.treatment.counts["C"] += 1
                self.treatment.codes.add(CODE_OF[action])
                return new
            action = self.table.fallback[element.tag]
            if action is Action.KEEP:
                return self._kept(element)
        if action is Action.COLORS and element.items is not None:  # which a profile never is
            return as_chunks(self.treatment.removed())
        if action is Action.DUMMY and element.items is not None and element.tag not in DUMMY_SEQUENCES:
            return self.sequence(element)  # references: they stay, with new UIDs
        return as_chunks(self.treatment.changed(element, action, self._value(element)))

    def _unknown(self, element: Element, value: bytes) -> Chunks | None:
        """Treat a known attribute that came as UN: a sequence is looked into, what may be text goes."""
        vr = VR_OF.get(element.tag, "")
        if vr != "SQ":
            return None if vr in BULK_VRS or vr == "OB or OW" else as_chunks(self.treatment.removed())
        source = encode(element.tag, "SQ", value, implicit=True)
        inner = scan(source, IMPLICIT_VR_LITTLE_ENDIAN)
        outer, self._view = self._view, memoryview(source)
        try:
            chunks = self.sequence(inner.elements[0])
        finally:
            self._view = outer
        if chunks is None:
            return None
        return [encode(element.tag, "UN", b"".join(chunks)[8:], implicit=element.implicit)]

    def _value(self, element: Element) -> bytes:
        if element.items is not None:
            return b""
        return bytes(self._view[element.value_offset : element.value_offset + element.length])
