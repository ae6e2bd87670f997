"""What is on a medium of one study (PS3.10, PS3.11): instances, pictures of them, a page, and at last the DICOMDIR.

Files are yielded one after the other and none is kept: an instance as it is stored, then its pictures. What grows with
the study is its directory and the list of pictures, both bounded. File IDs tell nothing but a place (PS3.10 8.5).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.dicomweb.media.page import Shown, page, read_me
from gateway.dicomweb.retrieve.drawing import draw
from gateway.dicomweb.retrieve.frame_source import opened
from gateway.dicomweb.retrieve.rendering import Rendering
from gateway.dicomweb.retrieve.representations import AS_STORED, bytes_of, given
from kernel.archive import index
from kernel.archive.blobs.store import Blobs
from kernel.archive.derived.metadata import Metadata
from kernel.archive.index import Granted
from kernel.archive.records import Located
from kernel.database import Database
from kernel.dicom.objects.dicomdir import Directory, Leaf
from kernel.dicom.pictures.viewport import Viewport
from kernel.errors import ExchangeError, LimitExceeded

INSTANCES_MAX: Final = 30_000  # on one medium; each may have a picture, and a ZIP file 65,535 entries
PICTURES_MAX: Final = 2_000  # drawn for the page; of more, every n-th
PICTURE_SIDE: Final = 1_024
QUALITY: Final = 85
SLIDES: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"  # whole slides: their frames are tiles, no pictures
_HOW: Final = Rendering(None, Viewport(PICTURE_SIDE, PICTURE_SIDE, may_enlarge=False), QUALITY, (), "no")

File = tuple[str, int, Iterator[bytes]]  # name on the medium, about how many bytes, its bytes


@dataclass(frozen=True, slots=True)
class Source:
    """Where a study's instances are."""

    db: Database
    blobs: Blobs
    metadata: Metadata
    random: Callable[[int], str]


@dataclass(slots=True)
class _Place:
    """How many series and instances of the present series were written."""

    numbers: dict[str, int] = field(default_factory=dict[str, int])
    instances: dict[str, int] = field(default_factory=dict[str, int])

    def next(self, series_instance_uid: str) -> tuple[int, int]:
        series = self.numbers.setdefault(series_instance_uid, len(self.numbers) + 1)
        self.instances[series_instance_uid] = self.instances.get(series_instance_uid, 0) + 1
        return series, self.instances[series_instance_uid]


def files_of(source: Source, granted: Granted) -> tuple[int, Iterator[File]]:
    """Return how many instances the medium has, and its files.

    Raises
    ------
    NotFound
        There is no such study.
    LimitExceeded
        It has more than INSTANCES_MAX instances.
    """
    with source.db.read() as connection:
        located = index.locate_study(connection, granted)
    if len(located) > INSTANCES_MAX:
        raise LimitExceeded(limit="INSTANCES_MAX", value=len(located), bound=INSTANCES_MAX)
    return len(located), _files(source, granted, located)


def _files(source: Source, granted: Granted, located: Sequence[Located]) -> Iterator[File]:
    directory, shown, place = Directory(), Shown(), _Place()
    stride = max(1, -(-sum(max(1, one.number_of_frames) for one in located) // PICTURES_MAX))
    by_uid = {one.sop_instance_uid: one for one in located}
    for item in _items(source.metadata, granted):
        one = by_uid.pop(_first(item, "00080018"), None)
        if one is None:  # it came after we looked
            continue
        series, number = place.next(one.series_instance_uid)
        instance = given(one, source.blobs, AS_STORED)
        file_id = ("DICOM", f"SE{series:06d}", f"IM{number:06d}")
        yield "/".join(file_id), one.size_bytes, bytes_of(instance)
        directory.add(item, Leaf(file_id, one.sop_class_uid, one.sop_instance_uid, instance.transfer_syntax_uid))
        shown.instance(item, series)
        yield from _pictures(source.blobs, one, shown, stride)
    yield "README.TXT", 0, iter([read_me()])
    yield "INDEX.HTM", 0, iter([page(shown)])
    yield "DICOMDIR", 0, iter([directory.encoded(f"2.25.{int(source.random(16), 16)}")])


def _items(metadata: Metadata, granted: Granted) -> Iterator[dict[str, Any]]:
    """Yield the DICOM JSON of each instance, series by series; a few hundred are in memory at once."""
    for piece in metadata.pieces(granted, None, ""):
        if piece[1:]:
            yield from json.loads(b"[" + piece[1:] + b"]")


def _pictures(blobs: Blobs, one: Located, shown: Shown, stride: int) -> Iterator[File]:
    """Draw an instance's frames, or every so many of them; what cannot be drawn is on the medium all the same."""
    if one.sop_class_uid == SLIDES:
        shown.passed(max(1, one.number_of_frames))
        return
    try:
        with opened(blobs.path(one.blob_key)) as pixels:
            for frame_index in range(pixels.frames.number_of_frames):
                if not shown.is_next(stride):
                    continue
                picture = draw(pixels, frame_index, "image/jpeg", _HOW)
                yield shown.picture(), len(picture), iter([picture])
    except ExchangeError:
        return


def _first(item: dict[str, Any], tag: str) -> str:
    values = item.get(tag, {}).get("Value") or [""]
    return str(values[0])
