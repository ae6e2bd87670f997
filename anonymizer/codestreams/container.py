"""What a stored video is, by its first bytes: a bare stream or a container around one (PS3.5 8.2.5 to 8.2.8)."""

from collections.abc import Iterator

from anonymizer.codestreams.frame import Frame, Stretch
from anonymizer.codestreams.mp4 import FIRST_BOXES, words_in_mp4
from anonymizer.codestreams.transport import is_transport, words_in_transport
from anonymizer.codestreams.video import CODECS, words_in_stream


def words_in_video(frame: Frame, coding: str) -> Iterator[Stretch]:
    """Yield the stretches where words may stand that are not blank, and what is put there.

    Raises
    ------
    MalformedInstance
        It is in a container that is not followed, holds more than pictures, or is not understood.
    LimitExceeded
        It has more units, boxes, samples or packets than are looked at.
    """
    if frame.read(4, 4) in FIRST_BOXES:  # first: a long size looks like a start code
        return words_in_mp4(frame, coding)
    if is_transport(frame):
        return words_in_transport(frame, coding)
    return words_in_stream(frame, CODECS[coding])
