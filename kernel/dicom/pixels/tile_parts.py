"""Where the tile-parts of a JPEG 2000 codestream of one tile end, as its TLM marker says (ITU-T T.800 A.7.1).

Our HTJ2K encoder writes one tile-part for each resolution, coarsest first: so the bytes up to one of these ends are the
whole image, smaller, and what follows sharpens it.
"""

import struct
from typing import Final

from kernel.dicom.vocabulary.limits import malformed

MARKERS_MAX: Final = 100  # of a main header
_TLM, _SOT = 0xFF55, 0xFF90


def part_ends(codestream: bytes) -> list[int]:
    """Return the offsets behind each tile-part; the first bytes of a codestream, up to its first SOT, are enough.

    Raises
    ------
    MalformedInstance
        It is no codestream, or does not tell.
    """
    lengths: list[int] = []
    offset = 2
    try:
        for _ in range(MARKERS_MAX):
            marker, length = struct.unpack_from(">HH", codestream, offset)
            if marker == _SOT:
                ends: list[int] = []
                for one in lengths:
                    offset += one
                    ends.append(offset)
                if ends:
                    return ends
                break
            if marker == _TLM:
                lengths += _lengths(codestream[offset + 4 : offset + 2 + length])
            offset += 2 + length
    except struct.error:
        pass
    raise malformed("a codestream does not tell where its parts end")


def _lengths(content: bytes) -> list[int]:
    """Return Ptlm of each entry: Ztlm, Stlm, then entries of a tile index (0 to 2 bytes) and a length (2 or 4)."""
    kinds = content[1] if len(content) > 1 else 0
    index_bytes, form = (kinds >> 4) & 3, ">I" if kinds & 0x40 else ">H"
    step = index_bytes + struct.calcsize(form)
    return [struct.unpack_from(form, content, at + index_bytes)[0] for at in range(2, len(content), step)]
