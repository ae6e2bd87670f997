"""What a stranger's header may cost, and how the readers of this package refuse."""

from dataclasses import dataclass, replace
from typing import Final

from kernel.errors import LimitExceeded, MalformedInstance

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one scan. Time follows elements and fragments; memory follows elements and header bytes."""

    header_bytes_max: int = 64 * MEBIBYTE  # all but pixel data and bulk values (OB, OW, UN, ...), which are never read
    elements_max: int = 500_000  # elements and items; an enhanced CT of 4,000 frames has about 250,000
    depth_max: int = 32  # sequences in sequences; structured reports stay below 12
    fragments_max: int = 4_000_000  # of encapsulated pixel data; a whole slide image has some 100,000
    trailing_bytes_max: int = MEBIBYTE  # padding or garbage after the last element: kept in the blob, not read
    apart_bytes_max: int = 0  # of a slide's Per-Frame Functional Groups that are passed, and left out of the header
    apart_elements_max: int = 8_000_000  # in them: some 600,000 frames of a TILED_SPARSE slide
    inflated_bytes_max: int = 512 * MEBIBYTE  # of a deflated or big endian instance when all of it must be re-encoded


LIMITS: Final = Limits()
LIMITS_APART: Final = replace(LIMITS, apart_bytes_max=256 * MEBIBYTE)  # 500,000 such frames have some 100 MiB


def malformed(reason: str) -> MalformedInstance:
    """Make the refusal of a data set that cannot be read."""
    return MalformedInstance(reason=reason)


def exceeded(limit: str, value: int, bound: int) -> LimitExceeded:
    """Make the refusal of what costs too much."""
    return LimitExceeded(limit=limit, value=value, bound=bound)
