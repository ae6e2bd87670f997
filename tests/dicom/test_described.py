"""What a compressed frame says of its samples, against what the encoder was given, for every codec."""

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.dicom.pixels.described import described
from kernel.dicom.pixels.encoders import ENCODERS, Work
from kernel.dicom.vocabulary.syntaxes import (
    HTJ2K_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
)

JPEG_2000 = "1.2.840.10008.1.2.4.91"
NAMES = {
    "00280002": "samples",
    "00280004": "color",
    "00280006": "planar",
    "00280010": "rows",
    "00280011": "columns",
    "00280100": "allocated",
    "00280101": "bits",
    "00280102": "high",
    "00280103": "signed",
}


def said(frame: bytes, syntax: str) -> dict:
    return {NAMES[key]: element["Value"][0] for key, element in described(frame, syntax).items()}


def noise(dtype: str, *shape: int, below: int = 256) -> np.ndarray:
    return np.random.default_rng(1).integers(0, below, shape).astype(dtype)


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS_SV1, JPEG_LS_LOSSLESS, JPEG_2000_LOSSLESS, HTJ2K_LOSSLESS])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_grey_of_any_depth_is_described(syntax, bits):
    samples = noise("u1" if bits == 8 else "u2", 13, 18, below=1 << bits)

    found = said(ENCODERS[syntax].encode(Work(samples, bits, False, 90)), syntax)

    stored = 16 if syntax == HTJ2K_LOSSLESS and bits == 12 else bits  # its encoder knows no depth but the array's
    assert found == {
        "samples": 1, "color": "MONOCHROME2", "rows": 13, "columns": 18,
        "allocated": 8 if bits == 8 else 16, "bits": stored, "high": stored - 1, "signed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("syntax", "color"),
    [
        (JPEG_LOSSLESS_SV1, "RGB"),
        (JPEG_LS_LOSSLESS, "RGB"),
        (JPEG_2000_LOSSLESS, "YBR_RCT"),
        (HTJ2K_LOSSLESS, "YBR_RCT"),
        (JPEG_BASELINE, "YBR_FULL_422"),
    ],
)
def test_color_is_told_as_the_codestream_has_it(syntax, color):
    frame = ENCODERS[syntax].encode(Work(noise("u1", 16, 24, 3), 8, True, 90))

    found = said(frame, syntax)

    assert (found["samples"], found["color"], found["planar"], found["bits"]) == (3, color, 0, 8)
    assert color == ENCODERS[syntax].rgb_becomes


def test_what_other_encoders_make_of_color_is_told_apart():
    rgb = noise("u1", 16, 24, 3)
    full = imagecodecs.jpeg8_encode(rgb, colorspace="RGB", outcolorspace="YCBCR", subsampling="444")
    plain = imagecodecs.jpeg8_encode(rgb, colorspace="RGB", outcolorspace="RGB")
    irreversible = imagecodecs.jpeg2k_encode(rgb, level=30, codecformat="j2k", mct=True, reversible=False)
    separate = imagecodecs.jpeg2k_encode(rgb, level=0, codecformat="j2k", mct=False, reversible=True)

    found = [said(bytes(frame), JPEG_BASELINE)["color"] for frame in (full, plain)]
    found += [said(bytes(frame), JPEG_2000)["color"] for frame in (irreversible, separate)]

    assert found == ["YBR_FULL", "RGB", "YBR_ICT", "RGB"]


def test_jpeg_2000_says_whether_samples_are_signed():
    frame = ENCODERS[JPEG_2000_LOSSLESS].encode(Work(noise("i2", 13, 18) - 128, 16, False, 90))

    assert said(frame, JPEG_2000_LOSSLESS)["signed"] == 1


@pytest.mark.parametrize(
    ("frame", "syntax"),
    [
        (b"", JPEG_BASELINE),
        (b"\xff\xd8\xff\xd9", JPEG_BASELINE),
        (ENCODERS[RLE_LOSSLESS].encode(Work(noise("u1", 4, 4), 8, False, 90)), RLE_LOSSLESS),
        (ENCODERS[JPEG_2000_LOSSLESS].encode(Work(noise("u1", 16, 24, 3), 8, True, 90))[:60], JPEG_2000_LOSSLESS),
    ],
)
def test_what_says_nothing_is_not_guessed(frame, syntax):
    assert described(frame, syntax) == {}


@given(
    frame=st.binary(max_size=200).map(lambda data: b"\xff\x4f\xff\x51" + data) | st.binary(max_size=200),
    syntax=st.sampled_from([JPEG_BASELINE, JPEG_2000]),
)
def test_nothing_that_a_frame_holds_breaks_it(frame, syntax):
    described(frame, syntax)
    described(b"\xff\xd8" + frame, syntax)
