"""What was done to the elements of a study is done again to their like: the slices of a series hardly differ.

An element of the top level is known again by its VR and all its bytes, sequences whole: what becomes of an element inside
of one depends on what it is in. Neighbours that stayed the same from one slice to the next are known again together
(`anonymizer.elements.stretches`).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from anonymizer.elements.compiled import ActionTable
from anonymizer.elements.second_net import Net
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.patient import Patient

MEMORIES_MAX: Final = 32  # studies
ELEMENTS_MAX: Final = 1_024  # of one study
ELEMENT_BYTES_MAX: Final = 2_048  # of one element; a longer one is made anew each time


class Done(NamedTuple):
    """What became of an element, and what that counted."""

    new: bytes | None  # empty: it went; None: it stays
    counts: tuple[tuple[str, int], ...]  # of actions, by their letter
    uids: Mapping[bytes, bytes]  # old to new
    codes: frozenset[str]  # of CID 7050


class Stretch(NamedTuple):
    """Neighbouring elements of the top level, and what became of them."""

    content: bytes  # of all of them, as encoded
    elements: int  # how many
    done: Done


class Of(NamedTuple):
    """All that decides what becomes of an element, besides the element."""

    net: Net
    keys: Keys
    table: ActionTable
    issuer: str
    patient_id: str
    patient_name: str
    pseudonym: str
    shift_days: int
    implicit: bool


class Memory:
    """What is remembered of one study in one encoding."""

    __slots__ = ("elements", "implicit", "instances", "seen", "stretches")

    def __init__(self, *, implicit: bool) -> None:
        self.implicit = implicit
        self.instances = 0  # that asked
        self.elements: dict[tuple[str, bytes], Done] = {}  # by VR and all bytes of an element
        self.seen: dict[int, bytes] = {}  # by tag: what stood there last, of what no stretch holds
        self.stretches: dict[int, Stretch] = {}  # by the tag of their first element

    def remember(self, element: tuple[str, bytes], done: Done) -> None:
        """Remember what became of an element; when there are too many, begin again."""
        if len(self.elements) >= ELEMENTS_MAX:
            self.elements.clear()
        self.elements[element] = done


def memory_of(net: Net, keys: Keys, table: ActionTable, patient: Patient, *, implicit: bool) -> Memory:
    """Return the memory of a patient's study; the same one for instances that name the same people and numbers."""
    name = patient.identity["PatientName"]
    identity = (patient.issuer, patient.patient_id, name, patient.pseudonym, patient.shift_days)
    memory = _memory(Of(net, keys, table, *identity, implicit))
    memory.instances += 1
    return memory


@lru_cache(maxsize=MEMORIES_MAX)
def _memory(of: Of) -> Memory:
    return Memory(implicit=of.implicit)
