"""Whatever is compressed or coded within values, and within what comes of that. Bounded, whatever is packed in what.

Part of the residue check: shares no code with the engine or the profiles.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from anonymizer.residue.coded import decoded
from anonymizer.residue.inflated import inflated
from kernel.errors import LimitExceeded

ALL_BYTES_MAX: Final = 64 * 1024 * 1024  # of one instance
PIECES_MAX: Final = 2_000
DEPTH_MAX: Final = 3  # of what is packed in what
OPENED_BYTES_MIN: Final = 16  # less holds nothing that is packed


def unpacked(output: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in `output`, bytes) of everything that can be inflated or decoded, and of what that holds.

    Raises
    ------
    LimitExceeded
        There is more than may be looked at: hold the instance.
    """
    pieces = size = 0
    waiting: list[tuple[int | None, bytes, int]] = [(None, output, 0)]
    while waiting:
        origin, content, depth = waiting.pop()
        for offset, piece in chain(inflated(content), decoded(content)):
            pieces, size = pieces + 1, size + len(piece)
            if pieces > PIECES_MAX:
                raise LimitExceeded(limit="pieces packed within values", value=pieces, bound=PIECES_MAX)
            if size > ALL_BYTES_MAX:
                raise LimitExceeded(limit="packed within values", value=size, bound=ALL_BYTES_MAX)
            place = offset if origin is None else origin
            yield place, piece
            if depth + 1 < DEPTH_MAX and len(piece) >= OPENED_BYTES_MIN:
                waiting.append((place, piece, depth + 1))
