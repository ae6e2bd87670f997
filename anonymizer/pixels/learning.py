"""Zones learnt of a device: where text was in several exams, and nowhere else. Pure; who keeps them is the caller's.

The lines of an exam are grown by half of their size on each side, as the next patient's name may be longer, and joined
where they touch. An exam agrees if all of its text is within these zones and each zone has some; one that does not
begins the lesson anew. When as many exams agree as its `layouts.Terms` want, the zones are masked in every later instance,
and that is enough: nobody looks. The first instance of each exam, and some after, are looked at nevertheless, and text
outside of the zones forgets them.

What a person had masked counts as what a finder saw, as far as it makes zones. It never spares the next instance its look,
and a person who had nothing masked teaches nothing.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from anonymizer.pixels.layouts import Layout
from kernel.dicom.pixels.boxes import Box, fused

SHARE_MAX: Final = 0.25  # of a frame; larger zones would take what a reader needs
BOXES_MAX: Final = 40  # of one exam; more is no header of a screen


@dataclass(frozen=True, slots=True)
class Look:
    """What an instance teaches."""

    layout: Layout
    found: tuple[Box, ...] | None  # text where nothing was masked; None: nobody looked, what is learnt was enough
    is_clean: bool = True  # a second look found nothing more
    by_person: bool = False  # these are masks that a person accepted


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is known of a layout."""

    lines: tuple[Box, ...]  # as they were found, each the hull of its likes
    exams: tuple[str, ...]  # that agreed, at most as many as wanted
    looked_at: str  # the exam in which a finder looked last
    unseen: int = 0  # instances masked since

    def is_confirmed(self, layout: Layout) -> bool:
        """Whether its zones are masked whatever is found."""
        return len(self.exams) >= layout.terms.exams_wanted


class Known(NamedTuple):
    """What is masked in an instance because it was learnt."""

    zones: tuple[Box, ...]
    is_enough: bool  # nobody need look


def zones_of(lesson: Lesson, rows: int, columns: int) -> tuple[Box, ...]:
    """Return what is masked in frames of a layout: its lines with room for longer ones, those that touch as one."""
    grown = (line.grown((line.bottom - line.top) // 2, (line.right - line.left) // 2) for line in lesson.lines)
    return fused(zone.within(rows, columns) for zone in grown)


def known(lesson: Lesson | None, layout: Layout, exam: str) -> Known | None:
    """Return what is known for the next instance of an exam."""
    if lesson is None or not lesson.is_confirmed(layout):
        return None
    is_enough = lesson.looked_at == exam and lesson.unseen < layout.terms.look_every
    return Known(zones_of(lesson, layout.device.rows, layout.device.columns), is_enough)


def after(lesson: Lesson | None, look: Look, exam: str) -> Lesson | None:
    """Return what is known after one more instance of an exam; None: nothing."""
    if look.found is None:
        return replace(lesson, unseen=lesson.unseen + 1) if lesson else None
    is_confirmed = lesson is not None and lesson.is_confirmed(look.layout)
    if not look.is_clean:  # what its masks are to be is for a person, who may teach them
        return None if is_confirmed else lesson
    if look.by_person and not look.found:
        return lesson
    rows, columns = look.layout.device.rows, look.layout.device.columns
    zones = zones_of(lesson, rows, columns) if lesson else ()
    is_within = all(any(zone.holds(box) for zone in zones) for box in look.found)
    looked_at = (lesson.looked_at if lesson else "") if look.by_person else exam
    if lesson is not None and is_confirmed and is_within:
        return lesson if look.by_person else replace(lesson, looked_at=exam, unseen=0)
    if lesson is not None and is_within and all(any(zone.touches(box) for box in look.found) for zone in zones):
        exams = lesson.exams if exam in lesson.exams else (*lesson.exams, exam)
        made = Lesson(fused((*lesson.lines, *look.found)), exams, looked_at)
    else:
        made = Lesson(fused(look.found), (exam,), looked_at)
    zones = zones_of(made, rows, columns)
    share = sum(zone.area for zone in zones) / (rows * columns)
    return made if made.lines and len(made.lines) <= BOXES_MAX and share <= SHARE_MAX else None
