"""Words within a JPEG XL frame: boxes beside its codestream (ISO/IEC 18181-2).

Exif, XMP, JUMBF, each also compressed (`brob`), and what a JPEG that it was made of said besides its pixels (`jbrd`). The
codestream itself is packed by the bit, and not looked into.
"""

from collections.abc import Iterator
from typing import Final

from anonymizer.codestreams.boxes import boxes_in
from anonymizer.codestreams.frame import Frame, Stretch

JXL_CODESTREAM: Final = b"\xff\x0a"
JXL_SIGNATURE: Final = b"\x00\x00\x00\x0cJXL "
_KEPT_BOXES: Final = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli"})


def words_in_xl(frame: Frame) -> Iterator[Stretch]:
    """Yield the stretches where words may stand, ascending, that are not blank; none of a bare codestream.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It is not understood.
    """
    if frame.read(0, len(JXL_CODESTREAM)) == JXL_CODESTREAM:
        return
    for kind, begin, end in boxes_in(frame, 0, frame.length):
        if not kind:
            yield from frame.trailing(begin, end)
        elif kind not in _KEPT_BOXES:
            yield from frame.words(begin, end - begin)
