"""An independent search of the output for what should be gone. Shares no code with the engine or the profiles."""

from dataclasses import dataclass, field

from kernel.dicom.elements import Header


@dataclass(frozen=True, slots=True)
class Needles:
    """What identifies the patient of one instance, as bytes to look for; never shown."""

    words: tuple[bytes, ...] = field(repr=False)
    uids: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where something identifying survived; never what it was."""

    path: str  # (gggg,eeee), nested as (gggg,eeee)[0].(gggg,eeee); "file meta", or "bytes" outside any element
    kind: str  # name, id, date, phone, address, uid


def needles_of(header: Header) -> Needles:
    """Collect the needles of the original instance."""
    raise NotImplementedError


def find(output: bytes, needles: Needles) -> tuple[Finding, ...]:
    """Search the new bytes (head and trailer); an empty tuple means nothing was found."""
    raise NotImplementedError
