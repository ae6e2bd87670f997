"""Zones learnt of a device: where a finder saw text in several exams, and nowhere else. Pure; who keeps them is the caller's.

Only ultrasound machines that name themselves are learnt: they write the same things to the same places, while a screen or
a scanned page may show anything anywhere. The lines of an exam are grown by half of their size on each side, as the next
patient's name may be longer, and joined where they touch. An exam agrees if all of its text is within these zones and
each zone has some; one that does not begins the lesson anew. EXAMS_WANTED exams that agree make zones that are enough:
the next instance is masked without a look. The first instance of each exam, and every LOOK_EVERYth after, is looked at
nevertheless, and text outside of the zones forgets them.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from anonymizer.pixels.gate import MODALITY, SOP_CLASS_UID, ULTRASOUND
from anonymizer.pixels.zones import Device, device_of
from kernel.dicom.boxes import Box, fused
from kernel.dicom.elements import Header
from kernel.dicom.image import ImagePixel
from kernel.dicom.values import Values

EXAMS_WANTED: Final = 5  # that agree before nobody looks
LOOK_EVERY: Final = 10  # instances of one exam that are masked by zones before one is looked at
SHARE_MAX: Final = 0.25  # of a frame; larger zones would take what a reader needs
BOXES_MAX: Final = 40  # of one exam; more is no header of a screen
NAME_CHARACTERS: Final = 64  # of a manufacturer or a model (PS3.5 6.2, LO)
PHOTOMETRIC_CHARACTERS: Final = 16  # (PS3.5 6.2, CS)


@dataclass(frozen=True, slots=True)
class Layout:
    """What decides where an instance has text: its device, its kind, and what is masked in it whatever is found."""

    device: Device
    sop_class_uid: str
    photometric_interpretation: str
    masked: tuple[Box, ...]  # by regions and by a site's own zones: there nobody looks

    @property
    def digest(self) -> str:
        """A short name of it for tables."""
        parts = (self.device.digest, self.sop_class_uid, self.photometric_interpretation, self.masked)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Look:
    """What an instance teaches."""

    layout: Layout
    found: tuple[Box, ...] | None  # text where nothing was masked; None: nobody looked, what is learnt was enough
    is_clean: bool = True  # a second look found nothing more


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is known of a layout."""

    lines: tuple[Box, ...]  # as they were found, each the hull of its likes
    exams: tuple[str, ...]  # that agreed, at most EXAMS_WANTED
    looked_at: str  # the exam in which somebody looked last
    unseen: int = 0  # instances masked since

    @property
    def is_confirmed(self) -> bool:
        """Whether its zones are enough."""
        return len(self.exams) >= EXAMS_WANTED


def layout_of(header: Header, image: ImagePixel, masked: tuple[Box, ...]) -> Layout | None:
    """Return what decides where an instance has text; None when its kind is not learnt or its device not named."""
    values = Values(header)
    sop_class_uid = values.text(SOP_CLASS_UID)
    device = device_of(header, image)
    is_ultrasound = sop_class_uid in ULTRASOUND and values.text(MODALITY) == "US"
    is_named = all(0 < len(name) <= NAME_CHARACTERS for name in (device.manufacturer, device.model))
    color = image.photometric_interpretation
    if not is_ultrasound or not is_named or len(color) > PHOTOMETRIC_CHARACTERS:
        return None
    return Layout(device, sop_class_uid, color, masked)


def zones_of(lesson: Lesson, rows: int, columns: int) -> tuple[Box, ...]:
    """Return what is masked in frames of a layout: its lines with room for longer ones, those that touch as one."""
    grown = (line.grown((line.bottom - line.top) // 2, (line.right - line.left) // 2) for line in lesson.lines)
    return fused(zone.within(rows, columns) for zone in grown)


def enough(lesson: Lesson | None, exam: str, rows: int, columns: int) -> tuple[Box, ...] | None:
    """Return the zones that are enough for the next instance of an exam; None when somebody must look."""
    if lesson is None or not lesson.is_confirmed or lesson.looked_at != exam or lesson.unseen >= LOOK_EVERY:
        return None
    return zones_of(lesson, rows, columns)


def after(lesson: Lesson | None, look: Look, exam: str) -> Lesson | None:
    """Return what is known after one more instance of an exam; None: nothing."""
    if look.found is None:
        return replace(lesson, unseen=lesson.unseen + 1) if lesson else None
    if not look.is_clean:
        return None
    rows, columns = look.layout.device.rows, look.layout.device.columns
    zones = zones_of(lesson, rows, columns) if lesson else ()
    is_within = all(any(zone.holds(box) for zone in zones) for box in look.found)
    if lesson is not None and lesson.is_confirmed and is_within:
        return replace(lesson, looked_at=exam, unseen=0)
    if lesson is not None and is_within and all(any(zone.touches(box) for box in look.found) for zone in zones):
        exams = lesson.exams if exam in lesson.exams else (*lesson.exams, exam)
        made = Lesson(fused((*lesson.lines, *look.found)), exams, exam)
    else:
        made = Lesson(fused(look.found), (exam,), exam)
    zones = zones_of(made, rows, columns)
    share = sum(zone.area for zone in zones) / (rows * columns)
    return made if made.lines and len(made.lines) <= BOXES_MAX and share <= SHARE_MAX else None
