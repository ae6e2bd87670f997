"""What is drawn on an overlay stays, what is written on it goes, and a plane of which anything is not understood goes whole."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from anonymizer.pixels import overlays
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.profiles.options import OPTIONS
from anonymizer.profiles.profile import load, merge
from anonymizer.release import Released, release
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import MalformedInstance
from tests.anonymizer.conftest import read
from tests.anonymizer.test_pixel_cleaner import Sees, legible
from tests.support.builders import a_cr, a_ct, as_file, with_pixels
from tests.support.written import chest, write

ROWS, COLUMNS = 300, 400
WRITTEN = Box(20, 30, 45, 250)
RING = (slice(150, 250), slice(100, 200))
GRAPHICS = OPTIONS["clean_graphics"].code


def a_drawing(text: str = "") -> np.ndarray:
    """Return a bitmap with a ring around a finding, and a text if there is one."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    ring = np.abs(np.hypot(y - 200, x - 150) - 40) < 2
    grey = write(np.zeros((ROWS, COLUMNS), np.uint8), text, (20, 30), size=22, value=255) if text else 0
    return (ring | (np.asarray(grey) > 100)).astype(np.uint8)


def with_overlay(ds: Dataset, bits: np.ndarray, group: int = 0x6000, **changed: object) -> Dataset:
    """Add a plane; `changed` are values by element number in hexadecimal, such as `x0040`."""
    rows, columns = bits.shape[-2:]
    values = {0x10: ("US", rows), 0x11: ("US", columns), 0x22: ("LO", "drawn by KTV Hoa"), 0x40: ("CS", "G")}
    values |= {0x50: ("SS", [1, 1]), 0x100: ("US", 1), 0x102: ("US", 0)}
    if bits.ndim == 3:
        values |= {0x15: ("IS", str(len(bits))), 0x51: ("US", 1)}
    data = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    values |= {0x1500: ("LO", "of Nguyen"), 0x3000: ("OW", data + b"\0" * (len(data) % 2))}
    for key, value in changed.items():
        values[int(key[1:], 16)] = (values[int(key[1:], 16)][0], value)
    for number, (vr, value) in values.items():
        ds.add_new(group << 16 | number, vr, value)
    return ds


def a_radiograph() -> Dataset:
    return with_pixels(a_cr(), chest(ROWS, COLUMNS), BitsStored=12, HighBit=11)


def released(ds: Dataset, keys, finder, profile=None) -> Dataset:
    source = as_file(ds)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    result = release(
        source, header, profile=profile or load("tele-read"), keys=keys, issuer="x", cleaner=Cleaner(finder)
    )
    assert isinstance(result, Released), result
    assert result.pixel_review == ""
    return read(result.made.to_bytes(source))


def bits_of(ds: Dataset, group: int = 0x6000) -> np.ndarray:
    data = np.frombuffer(ds[group << 16 | 0x3000].value, np.uint8)
    return np.unpackbits(data, bitorder="little")[: ROWS * COLUMNS].reshape(ROWS, COLUMNS)


def tags_of(ds: Dataset) -> set[int]:
    return {element.tag.element for element in ds if element.tag.group >> 8 == 0x60}


def codes_of(ds: Dataset) -> set[str]:
    return {item.CodeValue for item in ds.DeidentificationMethodCodeSequence}


class SeesOnOverlays(Sees):
    """Sees what it is told on bitmaps alone; its pictures of pixels are empty."""

    def find(self, picture, long_side):
        return super().find(picture, long_side) if set(np.unique(picture)) <= {0, 255} else ()


def test_what_is_drawn_stays_and_what_is_written_goes(keys):
    given = released(with_overlay(a_radiograph(), a_drawing("NGUYEN")), keys, SeesOnOverlays((WRITTEN, "text")))

    assert np.array_equal(bits_of(given)[RING], a_drawing()[RING])
    assert not bits_of(given)[20:45, 30:250].any()
    assert tags_of(given) == {0x10, 0x11, 0x40, 0x50, 0x100, 0x102, 0x3000}
    assert GRAPHICS in codes_of(given)


def test_a_mark_stays(keys):
    given = released(with_overlay(a_radiograph(), a_drawing("R")), keys, SeesOnOverlays((WRITTEN, "mark")))

    assert np.array_equal(bits_of(given), a_drawing("R"))


def test_each_frame_is_looked_at(keys):
    frames = np.stack([a_drawing(), a_drawing("NGUYEN")])

    given = released(with_overlay(a_radiograph(), frames), keys, SeesOnOverlays((WRITTEN, "text")))

    data = np.unpackbits(np.frombuffer(given[0x60003000].value, np.uint8), bitorder="little")
    first, second = data[: frames.size].reshape(frames.shape)
    assert np.array_equal(first, a_drawing())
    assert not second[20:45, 30:250].any()


class SeesAlways(Sees):
    def find(self, picture, long_side):
        return self.found if set(np.unique(picture)) <= {0, 255} else ()


class Fails(Sees):
    def find(self, picture, long_side):
        if set(np.unique(picture)) <= {0, 255}:
            raise MalformedInstance(reason="it fell over")
        return ()


@pytest.mark.parametrize("finder", [SeesAlways((WRITTEN, "text")), Fails()])
def test_a_plane_that_still_shows_text_or_that_nobody_can_look_at_goes(keys, finder):
    given = released(with_overlay(a_radiograph(), a_drawing("NGUYEN")), keys, finder)

    assert tags_of(given) == set()
    assert GRAPHICS not in codes_of(given)


HIDDEN = b"NGUYEN VAN AN 0912345678".ljust(ROWS * COLUMNS // 8, b"\0")


@pytest.mark.parametrize(
    "changed",
    [
        {"x0102": 12}, {"x0100": 16}, {"x0040": "NGUYEN"}, {"x3000": b"\1\0"}, {"x0010": 0}, {"x0011": 65535},
        {"x3000": bytes(ROWS * COLUMNS // 8)}, {"x3000": HIDDEN},
    ],
)  # fmt: skip
def test_a_plane_that_is_odd_empty_or_letters_in_bytes_goes(keys, changed):
    given = released(with_overlay(a_radiograph(), a_drawing(), **changed), keys, Sees())

    assert tags_of(given) == set()


def test_without_the_option_or_in_a_kind_that_is_not_looked_at_every_plane_goes(keys):
    pixels_alone = merge("mine", ("clean_pixel_data",))

    assert tags_of(released(with_overlay(a_radiograph(), a_drawing()), keys, Sees(), pixels_alone)) == set()
    assert tags_of(released(with_overlay(a_ct(), a_drawing()), keys, Sees())) == set()


@pytest.mark.parametrize(("bound", "limit"), [("FRAMES_MAX", 1), ("PIXELS_MAX", 1000)])
def test_planes_have_bounds(keys, monkeypatch, bound, limit):
    monkeypatch.setattr(overlays, bound, limit)

    assert tags_of(released(with_overlay(a_radiograph(), np.stack([a_drawing()] * 2)), keys, Sees())) == set()


@pytest.mark.peer("pixels")
def test_no_name_can_be_read_on_it_afterwards_and_the_ring_is_there(keys):
    drawn = a_drawing("NGUYEN VAN HAI")
    assert "NGUYEN" in legible(drawn * np.uint8(255))

    given = released(with_overlay(a_radiograph(), drawn), keys, None)

    assert not {"NGUYEN", "HAI"} & set(legible(bits_of(given) * np.uint8(255)).split())
    assert "UYEN" not in legible(bits_of(given) * np.uint8(255))
    assert np.array_equal(bits_of(given)[RING], a_drawing()[RING])
