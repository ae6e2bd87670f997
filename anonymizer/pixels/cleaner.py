"""Pixels cleaned, or a reason why a person must look: zones first, then what a finder of text sees, then a second look.

The verdict is `clean` when nothing was found, `cleaned` when something was and a second look at the new pixels found
nothing, and otherwise `doubtful`: the instance waits with the boxes that are proposed. Nothing that is written in the
pixels is kept, told or logged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from anonymizer.engine.result import Buffer, Mask, NewPixels
from anonymizer.pixels.blank import filled
from anonymizer.pixels.finder import Finder, missing, shared_finders
from anonymizer.pixels.gate import CAPTURES, needs_cleaning
from anonymizer.pixels.layouts import Layout, devices_of, layout_of
from anonymizer.pixels.learning import Known, Look
from anonymizer.pixels.masking import masked
from anonymizer.pixels.overlays import overlays_kept
from anonymizer.pixels.reopened import reopened
from anonymizer.pixels.views import views
from anonymizer.pixels.zones import Device, Zones, outside_regions
from kernel.dicom.pixels.boxes import Box, joined
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.reading import Pixels, pixels_of
from kernel.dicom.scanning.elements import Header
from kernel.errors import LimitExceeded, MalformedInstance, UnsupportedTransferSyntax

if TYPE_CHECKING:
    from kernel.dicom.transcoding.header import Change

CLEAN_PIXEL_DATA: Final = "113101"  # CID 7050
BURNED_IN_ANNOTATION: Final = 0x00280301
ROUNDS: Final = 3  # of looking and masking; text that is left then is left for a person
TEXT_SHARE_MAX: Final = 0.4  # of a frame that may be text; a scanned page is for a person
LINES_MAX: Final = 150
LONG_SIDE_CAPTURE: Final = 2000  # in which pictures are looked at; letters of captures are small,
LONG_SIDE: Final = 1280  # those of projections large
_ENOUGH_INSIDE: Final = 0.9  # of a sighting in what is masked: it is the mask's own edge

Verdict = Literal["clean", "cleaned", "doubtful"]


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What became of the pixels of one instance."""

    verdict: Verdict
    new: NewPixels  # also of a doubtful instance: with what was found masked
    boxes: tuple[Box, ...] = ()  # masked in every frame
    reason: str = ""  # of `doubtful`: one stable word, or what is to be installed
    proposed: tuple[Box, ...] = ()  # of `doubtful`: what a person may want masked
    look: Look | None = None  # what is to be learnt of it
    learnt: tuple[Box, ...] = ()  # of the masked boxes: zones of its device, learnt or drawn


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Cleans pixels with what a site knows."""

    finder: Finder | None = None  # None: the shared processes, if they are installed
    zones: Zones = field(default_factory=dict[Device, tuple[Box, ...]])  # masked whatever is found
    known: Callable[[Layout], Known | None] = lambda _: None  # what was learnt of its device
    drawn: Callable[[Sequence[Device]], tuple[Box, ...]] = lambda _: ()  # what a person drew for its devices

    def clean(self, source: Buffer, header: Header, transfer_syntax_uid: str) -> Cleaning | None:
        """Clean a scanned little endian instance; None when its kind shows no text.

        Raises
        ------
        Refused
            Its pixels are not where the header says.
        """
        why = needs_cleaning(header)
        if why is None:
            return None
        pixels = pixels_of(source, header, transfer_syntax_uid)
        devices = devices_of(header, pixels.image)
        drawn = self.drawn(devices)
        places = self._places(header, pixels.image, devices, drawn)
        zones = joined(chain.from_iterable(places.values()))
        made = self._looked_at(pixels, zones, layout_of(header, pixels.image, zones), why)
        if made is None:
            return None
        made = _telling(made, places | {"zone": (*places["zone"], *made.learnt)})
        return replace(made, learnt=joined((*made.learnt, *drawn))) if drawn else made

    def _looked_at(self, pixels: Pixels, zones: tuple[Box, ...], layout: Layout | None, why: str) -> Cleaning | None:
        known = self.known(layout) if layout else None
        if layout and known and known.is_enough:
            made = _finished(pixels, joined((*zones, *known.zones)))
            return replace(made, look=Look(layout, None), learnt=known.zones)
        finder = self.finder
        if finder is None:
            wanted = missing()
            if wanted and why == "projection":
                return None  # as without a cleaner: nothing is said of its pixels
            if wanted:
                return _doubtful(pixels, zones, f"install {wanted}", ())
            finder = shared_finders()
        return _Looking(pixels, finder, _long_side(why), layout, known.zones if known else ()).clean(zones)

    def overlays(self, header: Header) -> dict[int, "Change"]:
        """Return the elements of overlay planes that may stay without what is written on them, by tag.

        None of them when nobody can look. Only for instances whose pixels are looked at anyway: a look takes long, and
        other kinds have many planes that nobody reads.
        """
        why = needs_cleaning(header)
        if why is None or (self.finder is None and missing()):
            return {}
        return overlays_kept(header, self.finder or shared_finders(), _long_side(why))

    def mask(self, source: Buffer, header: Header, transfer_syntax_uid: str, boxes: Sequence[Box]) -> Cleaning:
        """Mask what a person drew, and what a site masks anyway; a person's word is the last, and teaches."""
        pixels = pixels_of(source, header, transfer_syntax_uid)
        devices = devices_of(header, pixels.image)
        of_device = self.drawn(devices)
        places = self._places(header, pixels.image, devices, of_device)
        zones = joined(chain.from_iterable(places.values()))
        layout = layout_of(header, pixels.image, zones)
        made = replace(_finished(pixels, joined((*zones, *boxes))), learnt=of_device)
        made = _telling(made, {**places, "person": tuple(boxes)})
        drawn = tuple(box.within(pixels.image.rows, pixels.image.columns) for box in boxes)
        drawn = tuple(box for box in drawn if not box.is_empty and not _is_inside(box, zones))
        return replace(made, look=Look(layout, drawn, by_person=True)) if layout and drawn else made

    def _places(
        self, header: Header, image: ImagePixel, devices: Sequence[Device], drawn: tuple[Box, ...]
    ) -> dict[str, tuple[Box, ...]]:
        """Return what is masked whatever is found, by why."""
        own = (box for device in devices for box in self.zones.get(device, ()))
        return {"region": tuple(outside_regions(header, image)), "zone": (*own, *drawn)}


@dataclass(frozen=True, slots=True)
class _Looking:
    """One instance under the eyes of a finder."""

    pixels: Pixels
    finder: Finder
    long_side: int
    layout: Layout | None
    learnt: tuple[Box, ...]

    def clean(self, zones: tuple[Box, ...]) -> Cleaning:
        """Mask `zones` and what was learnt, and what is found besides until nothing is.

        The first look is at what the instance shows where zones were learnt, too: a longer name begins there.
        """
        boxes = joined((*zones, *self.learnt))
        seen: tuple[Box, ...] = ()
        try:
            found = self._sightings(self.pixels, zones)
            for _ in range(ROUNDS):
                if not found:
                    return self._taught(_finished(self.pixels, boxes), seen)
                seen = joined((*seen, *found))
                boxes = joined((*boxes, *found))
                if self._is_a_page(found):
                    return self._taught(_doubtful(self.pixels, boxes, "mostly-text", found), seen)
                with reopened(self.pixels, masked(self.pixels, _everywhere(self.pixels, boxes))) as now:
                    found = self._sightings(now, boxes)
        except (UnsupportedTransferSyntax, MalformedInstance, LimitExceeded) as error:
            return _doubtful(self.pixels, (), f"pixels-not-read {error.code}", ())
        return self._taught(_doubtful(self.pixels, boxes, "text-left", found), joined((*seen, *found)))

    def _taught(self, cleaning: Cleaning, seen: tuple[Box, ...]) -> Cleaning:
        if self.layout is None:
            return cleaning
        look = Look(self.layout, seen, is_clean=cleaning.verdict != "doubtful")
        return replace(cleaning, look=look, learnt=self.learnt)

    def _sightings(self, pixels: Pixels, boxes: tuple[Box, ...]) -> tuple[Box, ...]:
        """Return where there is text besides clinical marks, outside of `boxes`, with a margin."""
        found: list[Box] = []
        for picture in views(pixels):
            plain = filled(picture, boxes, 0)
            for box, kind in self.finder.find(plain, self.long_side):
                if kind != "mark" and not _is_inside(box, boxes):
                    margin = max(2, (box.bottom - box.top) // 8)
                    found.append(box.grown(margin, margin).within(pixels.image.rows, pixels.image.columns))
        return joined(found)

    def _is_a_page(self, found: Sequence[Box]) -> bool:
        image = self.pixels.image
        share = sum(box.area for box in found) / (image.rows * image.columns)
        return len(found) > LINES_MAX or share > TEXT_SHARE_MAX


def _long_side(why: str) -> int:
    return LONG_SIDE_CAPTURE if why in CAPTURES else LONG_SIDE


def _finished(pixels: Pixels, boxes: tuple[Box, ...]) -> Cleaning:
    try:
        new = masked(pixels, _everywhere(pixels, boxes))
    except (UnsupportedTransferSyntax, MalformedInstance, LimitExceeded) as error:
        return _doubtful(pixels, (), f"pixels-not-masked {error.code}", boxes)
    return Cleaning("cleaned" if boxes else "clean", _saying(new, b"NO", (CLEAN_PIXEL_DATA,)), boxes)


def _doubtful(pixels: Pixels, boxes: Iterable[Box], reason: str, proposed: Iterable[Box]) -> Cleaning:
    """Return what waits for a person, with as much masked as can be."""
    wanted = joined(boxes)
    try:
        new = masked(pixels, _everywhere(pixels, wanted))
    except (UnsupportedTransferSyntax, MalformedInstance, LimitExceeded):
        new, wanted = masked(pixels, {}), ()
    return Cleaning("doubtful", _saying(new, b"YES", ()), wanted, reason, joined(proposed))


def _telling(made: Cleaning, places: Mapping[str, Sequence[Box]]) -> Cleaning:
    """Have it told why each box is masked: what it holds of `places`; one that is none of these was found as text."""
    known = {box for boxes in places.values() for box in boxes}
    masks = tuple(
        Mask(
            box,
            " ".join((
                *(why for why, boxes in places.items() if any(box.holds(one) for one in boxes)),
                *(() if box in known else ("text",)),
            )),
        )
        for box in made.boxes
    )  # fmt: skip
    return replace(made, new=replace(made.new, masks=masks))


def _saying(new: NewPixels, burned_in: bytes, codes: tuple[str, ...]) -> NewPixels:
    changes: dict[int, Change] = {**new.changes, BURNED_IN_ANNOTATION: ("CS", burned_in + b" " * (len(burned_in) % 2))}
    return replace(new, changes=changes, method_codes=codes)


def _everywhere(pixels: Pixels, boxes: tuple[Box, ...]) -> dict[int, tuple[Box, ...]]:
    return dict.fromkeys(range(pixels.frames.number_of_frames), boxes) if boxes else {}


def _is_inside(box: Box, masks: Sequence[Box]) -> bool:
    covered = max((_shared(box, mask) for mask in masks), default=0)
    return covered >= _ENOUGH_INSIDE * box.area


def _shared(one: Box, other: Box) -> int:
    return Box(
        max(one.top, other.top), max(one.left, other.left), min(one.bottom, other.bottom), min(one.right, other.right)
    ).area
