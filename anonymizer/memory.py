"""What was done to an element of a study is done again to its like: the slices of a series hardly differ.

An element is known again by its VR and all its bytes. Only those of the top level are remembered, sequences whole: what
becomes of an element inside of one depends on what it is in.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from anonymizer.compiled import ActionTable
from anonymizer.keys import Keys
from anonymizer.patient import Patient
from anonymizer.second_net import Net

MEMORIES_MAX: Final = 32  # studies
ELEMENTS_MAX: Final = 1_024  # of one study
ELEMENT_BYTES_MAX: Final = 2_048  # of one element; a longer one is made anew each time


class Done(NamedTuple):
    """What became of an element, and what that counted."""

    new: bytes | None  # empty: it went; None: it stays
    counts: tuple[tuple[str, int], ...]  # of actions, by their letter
    uids: Mapping[bytes, bytes]  # old to new
    codes: frozenset[str]  # of CID 7050


Memory = dict[tuple[str, bytes], Done]  # by VR and all bytes of an element


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


def memory_of(net: Net, keys: Keys, table: ActionTable, patient: Patient, *, implicit: bool) -> Memory:
    """Return the memory of a patient's study; the same one for instances that name the same people and numbers."""
    name = patient.identity["PatientName"]
    identity = (patient.issuer, patient.patient_id, name, patient.pseudonym, patient.shift_days)
    return _memory(Of(net, keys, table, *identity, implicit))


def remember(memory: Memory, element: tuple[str, bytes], done: Done) -> None:
    """Remember what became of an element; when there are too many, begin again."""
    if len(memory) >= ELEMENTS_MAX:
        memory.clear()
    memory[element] = done


@lru_cache(maxsize=MEMORIES_MAX)
def _memory(_: Of) -> Memory:
    return {}
