"""Zones of a device are learnt of exams that agree, leave room for longer names, and are forgotten at the first surprise."""

from dataclasses import replace

import pytest

from anonymizer.pixels.learning import (
    BOXES_MAX,
    EXAMS_WANTED,
    LOOK_EVERY,
    Layout,
    Lesson,
    Look,
    after,
    enough,
    layout_of,
    zones_of,
)
from anonymizer.pixels.zones import Device
from kernel.dicom.boxes import Box
from kernel.dicom.pixels import open_pixels
from tests.support.builders import a_cr, an_us_cine, as_file

ROWS, COLUMNS = 480, 640
LAYOUT = Layout(Device("acme", "sono 5", ROWS, COLUMNS), "1.2.840.10008.5.1.4.1.1.6.1", "RGB", ())
NAME, NUMBER = Box(10, 10, 30, 210), Box(440, 400, 456, 500)


def taught(*exams: tuple[Box, ...], lesson: Lesson | None = None, first: int = 0) -> Lesson | None:
    for number, found in enumerate(exams, first):
        lesson = after(lesson, Look(LAYOUT, found), f"exam {number}")
    return lesson


def confirmed() -> Lesson:
    lesson = taught(*[(NAME, NUMBER)] * EXAMS_WANTED)
    assert lesson is not None
    assert lesson.is_confirmed
    return lesson


def zones(lesson: Lesson | None, exam: str = f"exam {EXAMS_WANTED - 1}") -> tuple[Box, ...] | None:
    return enough(lesson, exam, ROWS, COLUMNS)


def test_exams_that_agree_make_zones_with_room_for_longer_names():
    assert zones(taught(*[(NAME, NUMBER)] * (EXAMS_WANTED - 1)), f"exam {EXAMS_WANTED - 2}") is None

    assert zones(confirmed()) == (Box(0, 0, 40, 310), Box(432, 350, 464, 550))


def test_one_exam_teaches_once_however_many_instances_it_has():
    lesson = None
    for _ in range(50):
        lesson = after(lesson, Look(LAYOUT, (NAME,)), "one exam")

    assert zones(lesson, "one exam") is None


def test_names_of_several_lengths_agree_and_all_are_covered():
    exams = [(Box(10, 10, 30, 10 + width),) for width in (180, 210, 150, 240, 170)]

    lesson = taught(*exams)

    assert zones(lesson) == (Box(0, 0, 40, 370),)


@pytest.mark.parametrize(
    "odd",
    [(NAME, NUMBER, Box(200, 300, 220, 400)), (NAME,), (Box(10, 10, 30, 500), NUMBER)],
    ids=["text elsewhere", "text in one place only", "much longer text"],
)
def test_an_exam_that_disagrees_begins_the_lesson_anew(odd):
    lesson = taught(*[(NAME, NUMBER)] * (EXAMS_WANTED - 1), odd)

    assert lesson is not None
    assert lesson.exams == (f"exam {EXAMS_WANTED - 1}",)


@pytest.mark.parametrize(
    "found",
    [(), (Box(0, 0, 200, 500),), tuple(Box(row, 0, row + 2, 9) for row in range(0, 8 * BOXES_MAX + 8, 8))],
    ids=["nothing", "a quarter of the frame", "many lines"],
)
def test_nothing_is_learnt_of_pictures_without_text_or_with_much(found):
    assert taught(found) is None


def test_the_first_instance_of_each_exam_and_every_tenth_after_is_looked_at():
    lesson = confirmed()
    assert zones(lesson, "the next exam") is None

    lesson = after(lesson, Look(LAYOUT, (NAME,)), "the next exam")
    unlooked = 0
    while zones(lesson, "the next exam") is not None:
        lesson = after(lesson, Look(LAYOUT, None), "the next exam")
        unlooked += 1

    assert unlooked == LOOK_EVERY
    lesson = after(lesson, Look(LAYOUT, ()), "the next exam")
    assert zones(lesson, "the next exam") == zones(confirmed())


@pytest.mark.parametrize("outside", [Box(200, 300, 220, 400), Box(10, 10, 30, 330)], ids=["elsewhere", "sticking out"])
def test_text_outside_of_the_zones_forgets_them(outside):
    lesson = after(confirmed(), Look(LAYOUT, (NAME, outside)), "the next exam")

    assert lesson is not None
    assert lesson.exams == ("the next exam",)


def test_a_look_that_was_not_clean_forgets_everything():
    assert after(confirmed(), Look(LAYOUT, (NAME,), is_clean=False), "the next exam") is None


def test_lines_that_the_detector_joins_or_parts_are_one_zone():
    lesson = taught((Box(10, 10, 30, 200), Box(34, 10, 54, 200)), (Box(10, 10, 54, 200),))

    assert lesson is not None
    assert len(lesson.exams) == 2
    assert zones_of(lesson, ROWS, COLUMNS) == (Box(0, 0, 76, 295),)


def layout(ds) -> Layout | None:
    with open_pixels(as_file(ds)) as pixels:
        return layout_of(pixels.header, pixels.image, ())


def a_named_cine(**changes):
    ds = an_us_cine()
    ds.Manufacturer, ds.ManufacturerModelName = "ACME", "Sono 5"
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def test_a_layout_is_of_one_device_kind_color_and_regions():
    one = layout(a_named_cine())

    assert one is not None
    others = [
        layout(a_named_cine(ManufacturerModelName="Sono 6")),
        layout(a_named_cine(SOPClassUID="1.2.840.10008.5.1.4.1.1.3")),
        layout(a_named_cine(PhotometricInterpretation="YBR_FULL")),
        replace(one, masked=(NAME,)),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    "ds",
    [a_cr(), a_named_cine(Manufacturer=""), a_named_cine(ManufacturerModelName="x" * 65), a_named_cine(Modality="OT")],
)
def test_other_kinds_and_devices_without_a_name_are_not_learnt(ds):
    assert layout(ds) is None
