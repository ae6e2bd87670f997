"""What a site learns of where a device writes: exams that agree spare the next one the look, until text is elsewhere."""

import io

import numpy as np
import pydicom
import pytest
from sqlalchemy import func, select

from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.layouts import TERMS
from kernel import audit
from kernel.dicom.pixels.boxes import Box
from kernel.errors import NotFound
from kernel.events import EventName
from routing import pixel_reviews, pixel_zones
from routing.pixel_reviews import Reviewer
from routing.tables import pixel_zone
from tests.support.builders import a_dataset, an_us_cine, with_pixels

EXAMS_WANTED, _ = TERMS["ultrasound"]
LINE, ELSEWHERE = Box(2, 16, 5, 24), Box(16, 16, 19, 24)


class Sees:
    """A finder that sees text in places, until they are masked, and counts its looks."""

    def __init__(self) -> None:
        self.boxes: tuple[Box, ...] = (LINE,)
        self.looks = 0

    def find(self, picture, long_side):
        self.looks += 1
        return tuple((box, "text") for box in self.boxes if picture[box.top : box.bottom, box.left : box.right].any())


@pytest.fixture
def finder(hospital) -> Sees:
    made = Sees()
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(made)
    return made


def an_exam(number: int, instances: int = 1) -> list[pydicom.Dataset]:
    made = []
    for instance in range(instances):
        ds = an_us_cine()
        ds.Manufacturer, ds.ManufacturerModelName = "ACME", "Sono 5"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = f"2.25.{number}1", f"2.25.{number}2"
        ds.SOPInstanceUID = f"2.25.{number}3{instance}"
        made.append(ds)
    return made


def receives(hospital, *datasets) -> None:
    for ds in datasets:
        hospital.receives(ds, session=f"s{ds.SOPInstanceUID}")
        hospital.settles()


def knows_the_device(hospital) -> None:
    for number in range(1, EXAMS_WANTED + 1):
        receives(hospital, *an_exam(number))


def listed(hospital) -> list[pixel_zones.Learnt]:
    with hospital.database.read() as connection:
        return pixel_zones.listed(connection)


def test_after_enough_exams_only_the_first_instance_of_the_next_is_looked_at(hospital, finder):
    knows_the_device(hospital)
    first, *others = an_exam(9, instances=4)
    receives(hospital, first)
    looks = finder.looks

    receives(hospital, *others)

    assert finder.looks == looks
    (zone,) = listed(hospital)
    assert (zone.model, zone.rows, zone.columns, zone.is_confirmed) == ("sono 5", first.Rows, first.Columns, True)
    assert len(hospital.hub.contents) == EXAMS_WANTED + 4
    for content in hospital.hub.contents.values():
        given = pydicom.dcmread(io.BytesIO(content), force=True)
        frames = np.frombuffer(given.PixelData, np.uint8).reshape(-1, first.Rows, first.Columns, 3)
        assert not frames[:, LINE.top : LINE.bottom, LINE.left : LINE.right].any()
        assert (given.BurnedInAnnotation, given.DeidentificationMethodCodeSequence[1].CodeValue) == ("NO", "113101")


def test_what_was_learnt_is_masked_in_the_next_exam_even_where_the_finder_misses_it(hospital, finder):
    knows_the_device(hospital)
    finder.boxes = ()

    receives(hospital, *an_exam(9))

    *_, last = hospital.hub.contents.values()
    given = pydicom.dcmread(io.BytesIO(last), force=True)
    frames = np.frombuffer(given.PixelData, np.uint8).reshape(-1, given.Rows, given.Columns, 3)
    assert not frames[:, LINE.top : LINE.bottom, LINE.left : LINE.right].any()
    assert [zone.is_confirmed for zone in listed(hospital)] == [True]


def a_capture(number: int) -> pydicom.Dataset:
    pixels = np.full((48, 64, 3), 90, np.uint8)
    uid = "1.2.840.10008.5.1.4.1.1.7"
    ds = with_pixels(a_dataset(uid, seed=f"sc {number}", Modality="OT", ConversionType="WSD"), pixels)
    ds.Manufacturer, ds.ManufacturerModelName, ds.DeviceSerialNumber = "ACME", "Capture 1", "42"
    return ds


def decides(hospital, decision, *arguments) -> None:
    """Decide as a person about the one instance that waits."""
    with hospital.database.read() as connection:
        (review,) = pixel_reviews.reviews(connection)
    now = hospital.clock.now()
    hospital.database.write(
        lambda connection: decision(connection, review, *arguments, Reviewer("bs.lan"), now) and None
    )
    hospital.settles()


def test_masks_that_a_person_accepts_count_as_an_exam_and_none_counts_as_nothing(hospital, finder):
    finder.boxes = (Box(0, 0, 48, 40),)  # mostly text: a person is asked
    receives(hospital, a_capture(1))
    assert listed(hospital) == []

    decides(hospital, pixel_reviews.accept, [LINE])
    receives(hospital, a_capture(2))
    decides(hospital, pixel_reviews.accept, [])

    (zone,) = listed(hospital)
    assert (zone.kind, zone.serial, zone.exams, zone.is_confirmed) == ("capture", "42", 1, False)


def test_after_many_exams_that_people_masked_the_finder_still_looks_at_the_next_picture(hospital, finder):
    finder.boxes = (Box(0, 0, 48, 40),)
    for number in range(TERMS["capture"].exams_wanted):
        receives(hospital, a_capture(number))
        decides(hospital, pixel_reviews.accept, [LINE])
    assert [zone.is_confirmed for zone in listed(hospital)] == [True]
    looks, finder.boxes = finder.looks, ()

    receives(hospital, a_capture(99))

    assert finder.looks > looks
    *_, last = hospital.hub.contents.values()
    picture = np.frombuffer(pydicom.dcmread(io.BytesIO(last), force=True).PixelData, np.uint8).reshape(48, 64, 3)
    assert not picture[LINE.top : LINE.bottom, LINE.left : LINE.right].any()
    assert picture[-1, -1].all()


def test_text_elsewhere_in_the_next_exam_is_masked_and_forgets_the_zones(hospital, finder):
    knows_the_device(hospital)
    finder.boxes = (LINE, ELSEWHERE)

    receives(hospital, *an_exam(9, instances=2))

    (zone,) = listed(hospital)
    assert (zone.is_confirmed, zone.exams) == (False, 1)
    *_, last = hospital.hub.contents.values()
    frames = np.frombuffer(pydicom.dcmread(io.BytesIO(last), force=True).PixelData, np.uint8)
    frames = frames.reshape(-1, zone.rows, zone.columns, 3)
    assert not frames[:, ELSEWHERE.top : ELSEWHERE.bottom, ELSEWHERE.left : ELSEWHERE.right].any()


def test_what_a_person_forgets_is_looked_at_again_and_audited(hospital, finder):
    knows_the_device(hospital)
    (zone,) = listed(hospital)
    now = hospital.clock.now()

    def forget(connection):
        pixel_zones.forget(connection, zone.site, zone.layout, "bs.lan", now)

    hospital.database.write(forget)

    assert listed(hospital) == []
    with hospital.database.read() as connection:
        *_, line = audit.of_study(connection, "")
    assert (line.who, line.site, line.detail) == ("bs.lan", zone.site, {"zones_forgotten": zone.layout})
    with pytest.raises(NotFound, match="learnt zones"):
        hospital.database.write(forget)


def test_a_site_learns_a_bounded_number_of_layouts(hospital, finder, monkeypatch):
    monkeypatch.setattr(pixel_zones, "LAYOUTS_MAX", 2)
    for number, model in enumerate(("one", "two", "three"), 1):
        (ds,) = an_exam(number)
        ds.ManufacturerModelName = model
        receives(hospital, ds)
        hospital.clock.advance(60)

    assert [zone.model for zone in listed(hospital)] == ["three", "two"]


def test_a_row_names_a_device_and_no_study_or_patient(hospital, finder):
    (ds,) = an_exam(1)
    receives(hospital, ds)

    (row,) = hospital.rows(select(pixel_zone))

    told = " ".join(map(str, row))
    assert all(str(value) not in told for value in (ds.StudyInstanceUID, ds.PatientID, ds.PatientName))
    assert hospital.rows(select(func.count()).select_from(pixel_zone)) == [(1,)]
    assert hospital.details(EventName.STUDY_HELD) == []
