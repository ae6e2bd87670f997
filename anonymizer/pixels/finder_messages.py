"""What is said between us and a finder of text: a picture, and where something is written on it. Never what."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "mark", "barcode"]


@dataclass(frozen=True, slots=True)
class Picture:
    """8 bits a sample, grey or RGB by pixel."""

    data: bytes
    rows: int
    columns: int
    samples: int
    long_side: int  # in which it is looked at


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something written: its box, and whether it is a clinical mark."""

    top: int
    left: int
    bottom: int
    right: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sightings:
    """All that was found; or why nothing could be."""

    found: tuple[Sighting, ...] = ()
    failure: str = ""
