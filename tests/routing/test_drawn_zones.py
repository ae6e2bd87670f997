"""What a person drew for a device is masked in its next instances, whatever a finder sees."""

import io

import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.zones import Device
from kernel.dicom.pixels.boxes import Box
from kernel.errors import LimitExceeded
from routing import drawn_zones
from routing.drawn_zones import NOTED_EVERY
from routing.pixel_reviews import Reviewer
from routing.tables import derived
from tests.routing.test_pixel_zones import a_capture, an_exam

SITE = "BVA"
LAN = Reviewer("bs.lan", "10.0.0.7")
BAND = Box(20, 0, 30, 40)


class SeesNothing:
    def find(self, picture, long_side):
        return ()


@pytest.fixture
def hospital_that_cleans(hospital):
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(SeesNothing())
    return hospital


def draws(hospital, device: Device, *boxes: Box, site: str = SITE) -> None:
    now = hospital.clock.now()
    hospital.database.write(lambda connection: drawn_zones.save(connection, site, device, boxes, by=LAN, now=now))


def receives(hospital, ds) -> np.ndarray:
    """Return the pixels of an instance as they arrive at the hub."""
    hospital.receives(ds, session=f"s{ds.SOPInstanceUID}")
    hospital.settles()
    *_, last = hospital.hub.contents.values()
    given = pydicom.dcmread(io.BytesIO(last), force=True)
    assert given.BurnedInAnnotation == "NO"
    return np.frombuffer(given.PixelData, np.uint8).reshape(-1, ds.Rows, ds.Columns, 3)


def is_black(frames: np.ndarray, box: Box) -> bool:
    return not frames[:, box.top : box.bottom, box.left : box.right].any()


def listed(hospital) -> list[drawn_zones.Drawn]:
    with hospital.database.read() as connection:
        return drawn_zones.listed(connection)


def sono(ds) -> Device:
    return Device("acme", "sono 5", ds.Rows, ds.Columns)


def test_what_was_drawn_is_masked_in_every_frame_of_the_device_and_of_no_other(hospital_that_cleans):
    (one,), (other,) = an_exam(1), an_exam(2)
    other.ManufacturerModelName = "Sono 6"
    draws(hospital_that_cleans, sono(one), BAND)

    assert is_black(receives(hospital_that_cleans, one), BAND)
    assert not is_black(receives(hospital_that_cleans, other), BAND)


def test_another_sites_zones_are_not_ours(hospital_that_cleans):
    (one,) = an_exam(1)
    draws(hospital_that_cleans, sono(one), BAND, site="ELSEWHERE")

    assert not is_black(receives(hospital_that_cleans, one), BAND)


def test_a_capture_is_known_by_what_captured_it_too(hospital_that_cleans):
    ds = a_capture(1)
    ds.SecondaryCaptureDeviceManufacturer, ds.SecondaryCaptureDeviceManufacturerModelName = "Grabber", "G 1"
    draws(hospital_that_cleans, Device("grabber", "g 1", ds.Rows, ds.Columns), BAND)

    assert is_black(receives(hospital_that_cleans, ds), BAND)


def test_what_is_masked_by_other_zones_is_another_variant(hospital_that_cleans):
    exams = [an_exam(number)[0] for number in (1, 2, 3)]
    draws(hospital_that_cleans, sono(exams[0]), BAND)
    receives(hospital_that_cleans, exams[0])
    receives(hospital_that_cleans, exams[1])
    assert len(variants(hospital_that_cleans)) == 1

    draws(hospital_that_cleans, sono(exams[0]), Box(0, 0, 5, 5))
    receives(hospital_that_cleans, exams[2])

    assert len(variants(hospital_that_cleans)) == 2


def variants(hospital) -> set[str]:
    with hospital.database.read() as connection:
        return set(connection.scalars(select(derived.c.variant)))


def test_when_it_was_used_last_is_noted_once_an_hour(hospital_that_cleans):
    exams = [an_exam(number)[0] for number in (1, 2, 3)]
    draws(hospital_that_cleans, sono(exams[0]), BAND)
    assert listed(hospital_that_cleans)[0].used_at is None

    receives(hospital_that_cleans, exams[0])
    first = listed(hospital_that_cleans)[0].used_at
    receives(hospital_that_cleans, exams[1])
    assert listed(hospital_that_cleans)[0].used_at == first
    hospital_that_cleans.clock.advance(NOTED_EVERY.total_seconds() + 60)
    receives(hospital_that_cleans, exams[2])

    assert listed(hospital_that_cleans)[0].used_at > first + NOTED_EVERY


def test_a_site_has_so_many(hospital_that_cleans, monkeypatch):
    monkeypatch.setattr(drawn_zones, "ZONES_MAX", 1)
    draws(hospital_that_cleans, Device("a", "b", 48, 64), BAND)

    draws(hospital_that_cleans, Device("a", "b", 48, 64), BAND)
    with pytest.raises(LimitExceeded, match="ZONES_MAX"):
        draws(hospital_that_cleans, Device("a", "c", 48, 64), BAND)
