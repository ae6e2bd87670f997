"""A name in unused bits of the pixel data goes with the overlay that it belonged to; samples stay as they were."""

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from anonymizer.engine import embedded_overlays
from anonymizer.engine.opening import in_little_endian
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from kernel.errors import LimitExceeded, UnsupportedTransferSyntax
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file, with_pixels
from tests.support.written import write

SAMPLES = np.random.default_rng(5).integers(0, 4096, (64, 96)).astype(np.uint16)
DRAWN = write(np.zeros((64, 96), np.uint8), "AN", (10, 10), size=30) > 100


def an_image(position: int = 12, samples: np.ndarray = SAMPLES, **attributes):
    """An image of 12 bits with an overlay in one of the others."""
    with_overlay = samples | (DRAWN.astype(np.uint16) << position)
    ds = with_pixels(a_ct(), with_overlay, BitsStored=12, HighBit=11, PixelRepresentation=0)
    for number, vr, value in ((0x10, "US", 64), (0x11, "US", 96), (0x100, "US", 16), (0x102, "US", position)):
        ds.add_new(0x60020000 | number, vr, value)
    ds.add_new(0x60020040, "CS", "G")
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("position", [12, 15])
def test_an_overlay_in_unused_bits_is_cleared_and_the_samples_stay(site, syntax, position):
    ds = an_image(position)
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = (SAMPLES | (DRAWN.astype(np.uint16) << position)).astype(">u2").tobytes()

    given = site.gives(ds, "tele-read", syntax=syntax)

    assert np.array_equal(np.frombuffer(given.PixelData, "<u2").reshape(64, 96), SAMPLES)
    assert not any(element.tag.group == 0x6002 for element in given)


def test_what_is_released_holds_it_no_more(keys):
    source = as_file(an_image())
    opened = in_little_endian(source)

    result = release(source, opened.header, profile=load("tele-read"), keys=keys, issuer="x")

    assert isinstance(result, Released)
    assert np.array_equal(np.frombuffer(read(result.made.to_bytes(source)).PixelData, "<u2").reshape(64, 96), SAMPLES)


def test_a_bit_that_holds_samples_is_no_overlays_whatever_the_header_says(site):
    ds = an_image(12, BitsStored=16, HighBit=15)

    assert site.gives(ds, "tele-read").PixelData == ds.PixelData


def test_the_sign_of_samples_stays(site):
    negative = np.full((64, 96), -5, np.int16)
    ds = with_pixels(a_ct(), negative, BitsStored=12, HighBit=11, PixelRepresentation=1)

    assert site.gives(ds, "tele-read").PixelData == ds.PixelData


def test_an_image_with_nothing_in_the_claimed_bit_is_not_copied():
    source = as_file(an_image(samples=SAMPLES & ~DRAWN.astype(np.uint16)))
    clean = in_little_endian(source).source

    assert in_little_endian(clean).source is clean


def test_in_compressed_frames_it_holds_the_instance(site):
    ds = read(as_file(an_image()))
    ds.compress(RLELossless, generate_instance_uid=False)

    with pytest.raises(UnsupportedTransferSyntax, match="unused bits"):
        site.deidentifies(as_file(ds, RLELossless), "tele-read")


def test_what_is_cleared_in_memory_is_bounded(site, monkeypatch):
    monkeypatch.setattr(embedded_overlays, "COPIED_BYTES_MAX", 1000)

    with pytest.raises(LimitExceeded, match="COPIED_BYTES_MAX"):
        site.deidentifies(as_file(an_image()), "tele-read")
