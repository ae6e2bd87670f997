"""Tiles of segmentations, made of their frames: once however many ask, and in steps that end.

A tile seen from afar stands on many that are nearer. What one request may have decoded is bounded; what was made on the
way is kept beside the slide's own tiles (`consult.slides.kept`), so that the next request goes on from there.
"""

import mmap
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from numpy.typing import NDArray

from consult.slides.kept import Kept
from consult.slides.making import RETRY_S
from consult.slides.segments import Overlay, Part, Segmentations
from consult.slides.shelf import OpenSlide
from kernel.dicom.pixels.reading import Pixels
from kernel.errors import Busy, MalformedSlide
from wsi.limits import at_most
from wsi.segment_tiles import SIDE, Planes, Sight, TilePlace, cost, decoded, drawn, encoded, reduced, sight, together

REQUEST_SAMPLES_MAX: Final = 1 << 27  # decoded for one request before it ends, but for what its first tile takes
TILE_SAMPLES_MAX: Final = 1 << 28  # decoded for one tile


def tile_name(overlay: Overlay, place: TilePlace) -> str:
    """Return what a tile is kept under, beside its slide's."""
    return f"segments-{overlay.id}-{place.octave}-{place.column}_{place.row}"


class SegmentMaking:
    """Makes tiles of segmentations; safe in threads."""

    def __init__(self, segmentations: Segmentations, kept: Kept) -> None:
        self._segmentations = segmentations
        self._kept = kept

    def tile(self, slide: OpenSlide, overlay: Overlay, place: TilePlace) -> bytes:
        """Return a tile as `wsi.segment_tiles.encoded` writes it.

        Raises
        ------
        Busy
            It takes longer than one request may; what was made is kept.
        LimitExceeded
            A tile that it stands on has more frames than one may have.
        MalformedInstance, MalformedSlide, UnsupportedTransferSyntax, BlobMissing
            A frame cannot be read.
        """
        with ExitStack() as opened:
            work = _Work(self._segmentations, self._kept, opened, slide, overlay)
            return work.content(place)


class _Work:
    """What is done for one request."""

    def __init__(
        self, segmentations: Segmentations, kept: Kept, opened: ExitStack, slide: OpenSlide, overlay: Overlay
    ) -> None:
        self._segmentations = segmentations
        self._kept = kept
        self._opened = opened
        self._slide = slide
        self._overlay = overlay
        self._maps: dict[str, mmap.mmap] = {}
        self._spent = 0
        self._made = 0

    def content(self, place: TilePlace) -> bytes:
        """Return a tile, kept or made and kept."""
        content, _ = self._kept_tile(place) or (b"", None)
        return content or self._keep(place, self._make(place))

    def _below(self, place: TilePlace) -> Iterator[Planes]:
        """Yield the four tiles that one stands on, one at a time.

        Those that stand on others in turn are made before the first is yielded, and held as they are kept: one octave's
        planes are in memory then, not those of every octave on the way down.
        """
        children = [child if child.is_on(self._slide.slide.index) else None for child in place.children]
        if self._is_of_frames(place.children[0]):  # drawing frames is quicker than keeping what they show
            for child in children:
                yield self._of_frames(child) if child else {}
        else:
            for content in [self.content(child) if child else b"" for child in children]:
                yield decoded(content) if content else {}

    def _of_frames(self, place: TilePlace) -> Planes:
        _, planes = self._kept_tile(place) or (b"", None)
        return self._make(place) if planes is None else planes

    def _kept_tile(self, place: TilePlace) -> tuple[bytes, Planes] | None:
        content = self._kept.get(self._slide.revision, tile_name(self._overlay, place))
        if content is None:
            return None
        try:
            return content, decoded(content)
        except MalformedSlide:  # a crash left a part of it: it is made anew
            return None

    def _keep(self, place: TilePlace, planes: Planes) -> bytes:
        content = encoded(planes)
        self._kept.put(self._slide.revision, tile_name(self._overlay, place), content)
        self._made += 1
        return content

    def _is_of_frames(self, place: TilePlace) -> bool:
        return place.octave <= self._overlay.at(place.octave)[0].laid.octave

    def _make(self, place: TilePlace) -> Planes:
        parts = [(part, sight(part.one, part.laid, place)) for part in self._overlay.at(place.octave)]
        seen = [(part, one) for part, one in parts if len(one.frames)]
        if not seen:
            return {}
        if not self._is_of_frames(place):
            return reduced(self._below(place))
        self._spend(sum(cost(part.one, one) for part, one in seen))
        return together(self._drawn(part, one) for part, one in seen)

    def _spend(self, samples: int) -> None:
        at_most("samples of a tile of a segmentation", samples, TILE_SAMPLES_MAX)
        self._spent += samples + SIDE * SIDE  # the tile itself takes its time, too
        if self._made and self._spent > REQUEST_SAMPLES_MAX:
            raise Busy(what="this part of the segmentation is being made ready", retry_after_s=RETRY_S)

    def _drawn(self, part: Part, seen: Sight) -> Planes:
        buffer = self._map(part)
        one, syntax = part.one, part.located.transfer_syntax_uid
        pixels = Pixels(buffer, one.form.header, one.form.image, one.map, syntax, syntax)

        def frame_of(number: int) -> NDArray[Any]:
            return pixels.samples(number)

        return drawn(one, part.laid, seen, frame_of)

    def _map(self, part: Part) -> mmap.mmap:
        uid = part.located.sop_instance_uid
        if uid not in self._maps:
            self._maps[uid] = self._opened.enter_context(self._segmentations.mapped(part.located))
        return self._maps[uid]
