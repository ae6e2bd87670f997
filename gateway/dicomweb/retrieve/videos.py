"""Videos: frames drawn and encoded as MP4, and those that are stored as a video already (PS3.18 8.7.3.3.2, 8.7.4).

A stored video is one stream, whatever its Number of Frames: its fragments joined (PS3.5 8.2.5 to 8.2.9). It comes as it
is, as bulk data, and as rendered when its container is MP4.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import Offer
from gateway.dicomweb.http.ranges import ranged
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.drawing import video
from gateway.dicomweb.retrieve.frame_source import mapped, opened
from gateway.dicomweb.retrieve.instances import sending
from gateway.dicomweb.retrieve.rendering import Rendering
from kernel.archive.records import Located
from kernel.dicom.pictures.video import video_program
from kernel.dicom.pixels.frames import stream_spans
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import STREAMS
from kernel.errors import NotFound

MP4: Final = "video/mp4"
MP4_OFFER: Final = Offer(MP4)
_TYPES: Final = {
    "MPEG-2": "video/mpeg2",
    "H.264": MP4,
    "HEVC": "video/h265",
}  # PS3.18 table 8.7.3-5, the video category
STREAM_TYPES: Final[Mapping[str, str]] = MappingProxyType({uid: _TYPES[coding] for uid, coding in STREAMS.items()})
_BOX_BYTES: Final = 8  # size and type of the first box of an MP4 file (ISO/IEC 14496-12 4.3)


def is_stream(located: Located) -> bool:
    """Whether an instance is stored as a video."""
    return located.transfer_syntax_uid in STREAM_TYPES


def stream_of(call: Call, located: Located) -> list[FileSpan]:
    """Return the stored video: one stream in one or more parts of the file.

    Raises
    ------
    NotFound
        There are no pixel data.
    MalformedInstance, LimitExceeded
        They are no fragments.
    """
    blob = call.services.blobs.path(located.blob_key)
    with mapped(blob) as view:
        header = scan(view, located.transfer_syntax_uid, offset=located.dataset_offset)
        if header.pixel_data is None or not header.pixel_data.is_encapsulated:
            raise NotFound(what="video: the instance has none")
        return [FileSpan(blob, *span) for span in stream_spans(view, header)]


def is_mp4(stream: Sequence[FileSpan]) -> bool:
    """Whether a stored video begins as an MP4 file does; others are transport streams."""
    return bool(stream) and stream[0].size_bytes >= _BOX_BYTES and stream[0].read(0, _BOX_BYTES)[4:] == b"ftyp"


def offered() -> tuple[Offer, ...]:
    """Return how frames can be had as a video here: not at all without the program that makes them."""
    return (MP4_OFFER,) if video_program() is not None else ()


def made(
    call: Call, located: Located, numbers: Sequence[int] | None, how: Rendering, headers: Mapping[str, str]
) -> ASGIApp:
    """Answer with frames as a video, in byte ranges if that is asked: players ask for several of one, so it is kept."""
    content = call.room.videos.get(headers["ETag"])
    if content is None:
        with opened(call.services.blobs.path(located.blob_key)) as pixels:
            content = video(pixels, numbers, how)
        call.room.videos.put(headers["ETag"], content, len(content))
    return ranged(call.headers, {**headers, "Content-Type": MP4}, [content], sending(call))
