"""Zones of a device are learnt of exams that agree, leave room for longer names, and are forgotten at the first surprise."""

from dataclasses import replace

import pytest

from anonymizer.pixels.layouts import TERMS, Layout, layout_of
from anonymizer.pixels.learning import BOXES_MAX, Lesson, Look, after, known, zones_of
from anonymizer.pixels.zones import Device
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.reading import open_pixels
from tests.support.builders import a_cr, a_ct, an_us_cine, as_file

ROWS, COLUMNS = 480, 640
EXAMS_WANTED, LOOK_EVERY = TERMS["ultrasound"]
US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
LAYOUT = Layout(Device("acme", "sono 5", ROWS, COLUMNS), "SN 7", "ultrasound", US_IMAGE, "RGB", (), ())
NAME, NUMBER = Box(10, 10, 30, 210), Box(440, 400, 456, 500)


def taught(*exams: tuple[Box, ...], lesson: Lesson | None = None, first: int = 0) -> Lesson | None:
    for number, found in enumerate(exams, first):
        lesson = after(lesson, Look(LAYOUT, found), f"exam {number}")
    return lesson


def confirmed() -> Lesson:
    lesson = taught(*[(NAME, NUMBER)] * EXAMS_WANTED)
    assert lesson is not None
    assert lesson.is_confirmed(LAYOUT)
    return lesson


def zones(lesson: Lesson | None, exam: str = f"exam {EXAMS_WANTED - 1}") -> tuple[Box, ...] | None:
    """Return the zones that are enough for the next instance of an exam."""
    given = known(lesson, LAYOUT, exam)
    return given.zones if given and given.is_enough else None


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
    assert known(lesson, LAYOUT, "the next exam") == (zones(confirmed()), False)

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


def test_a_look_that_was_not_clean_forgets_what_is_in_use_and_leaves_what_is_being_learnt_to_a_person():
    begun = taught((NAME, NUMBER))
    doubtful = Look(LAYOUT, (NAME,), is_clean=False)

    assert after(confirmed(), doubtful, "the next exam") is None
    assert after(begun, doubtful, "the next exam") == begun


def by_person(*boxes: Box) -> Look:
    return Look(LAYOUT, boxes, by_person=True)


def test_masks_that_a_person_accepts_count_as_an_exam():
    lesson = taught(*[(NAME, NUMBER)] * (EXAMS_WANTED - 1))

    lesson = after(lesson, by_person(NAME, NUMBER), "the last exam")

    assert lesson is not None
    assert lesson.is_confirmed(LAYOUT)


def test_a_persons_masks_never_spare_the_next_instance_its_look():
    lesson = None
    for number in range(EXAMS_WANTED):
        lesson = after(lesson, by_person(NAME, NUMBER), f"exam {number}")

    assert known(lesson, LAYOUT, f"exam {EXAMS_WANTED - 1}") == (zones(confirmed()), False)

    lesson = after(confirmed(), by_person(NAME), "the next exam")
    assert zones(lesson, "the next exam") is None


def test_a_person_who_has_nothing_masked_teaches_nothing():
    for lesson in (None, taught((NAME, NUMBER)), confirmed()):
        assert after(lesson, by_person(), "the next exam") == lesson


def test_a_persons_mask_elsewhere_begins_the_lesson_anew():
    lesson = after(confirmed(), by_person(NAME, Box(200, 300, 220, 400)), "the next exam")

    assert lesson is not None
    assert (lesson.exams, lesson.looked_at) == (("the next exam",), f"exam {EXAMS_WANTED - 1}")


@pytest.mark.parametrize("kind", ["projection", "capture"])
def test_of_what_has_less_of_a_habit_more_exams_must_agree_and_more_is_looked_at(kind):
    layout = replace(LAYOUT, kind=kind)
    lesson = None
    for number in range(EXAMS_WANTED):
        lesson = after(lesson, Look(layout, (NAME,)), f"exam {number}")
    assert known(lesson, layout, f"exam {EXAMS_WANTED - 1}") is None
    for number in range(EXAMS_WANTED, 2 * EXAMS_WANTED):
        lesson = after(lesson, Look(layout, (NAME,)), f"exam {number}")

    last = f"exam {2 * EXAMS_WANTED - 1}"
    unlooked = 0
    while (given := known(lesson, layout, last)) and given.is_enough:
        lesson = after(lesson, Look(layout, None), last)
        unlooked += 1

    assert unlooked == 2


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
    [
        a_named_cine(Manufacturer=""),
        a_named_cine(ManufacturerModelName="x" * 65),
        a_named_cine(DeviceSerialNumber="7" * 65),
        a_named_cine(Modality="OT"),
        a_ct(Manufacturer="ACME", ManufacturerModelName="CT 5"),
    ],
    ids=["no name", "a long name", "a long serial number", "another modality", "a CT"],
)
def test_other_kinds_and_devices_without_a_name_are_not_learnt(ds):
    assert layout(ds) is None


def a_radiograph(**changes):
    return a_cr(**{"Manufacturer": "ACME", "ManufacturerModelName": "Ray 1", "DeviceSerialNumber": "1", **changes})


def a_capture(**changes):
    ds = a_radiograph(Modality="OT", ConversionType="WSD")
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize(
    ("ds", "kind"),
    [
        (a_radiograph(), "projection"),
        (a_radiograph(Modality="XA"), "projection"),
        (a_radiograph(Modality="MG"), "projection"),
        (a_capture(), "capture"),
        (a_radiograph(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]), "capture"),
    ],
)
def test_radiographs_angiograms_mammograms_captures_and_screens_are_learnt_by_device(ds, kind):
    one = layout(ds)

    assert one is not None
    assert (one.kind, one.device.model, one.serial) == (kind, "ray 1", "1")


def test_machines_of_one_model_and_pages_of_one_machine_are_told_apart():
    radiographs = [
        a_radiograph(),
        a_radiograph(DeviceSerialNumber="2"),
        a_radiograph(ViewPosition="AP"),
        a_radiograph(ViewPosition="LL"),
        a_radiograph(ImageLaterality="L"),
    ]
    captures = [a_capture(), a_capture(ConversionType="DV"), a_capture(ImageType=["DERIVED", "SECONDARY", "DOSE"])]

    layouts = [layout(ds) for ds in (*radiographs, *captures)]

    assert len({one.digest for one in layouts if one}) == len(layouts)


def test_a_capture_is_of_the_device_that_captured_it():
    one = layout(
        a_capture(
            SecondaryCaptureDeviceManufacturer="Grab Co",
            SecondaryCaptureDeviceManufacturerModelName="Frames 2",
            SecondaryCaptureDeviceID="room 4",
        )
    )

    assert one is not None
    assert (one.device.manufacturer, one.device.model, one.serial) == ("grab co", "frames 2", "room 4")
