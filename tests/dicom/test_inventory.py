"""Every real sample that should open is drawn by the renderer of /rendered, and the others say why not."""

from pathlib import Path
from typing import Final

import pytest

from kernel.dicom.pictures.render import render
from kernel.dicom.pixels.reading import open_pixels
from kernel.errors import MalformedInstance, NotFound, UnsupportedTransferSyntax

LARGE_BYTES: Final = 8_000_000  # they add time and nothing else
# Damaged on purpose, or in a syntax that was retired before anybody used it: which error, and words of its reason.
REFUSED: Final = {
    "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm": (UnsupportedTransferSyntax, "no codec"),
    "CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm": (UnsupportedTransferSyntax, "no codec"),
    "broken_truncated_pixels.dcm": (MalformedInstance, "longer than what holds it"),
    "MR_truncated.dcm": (MalformedInstance, "longer than what holds it"),
    "rtplan_truncated.dcm": (MalformedInstance, "longer than what holds it"),
    "emri_small_jpeg_2k_lossless_too_short.dcm": (MalformedInstance, "ends inside a fragment"),
    "JPEG2000-embedded-sequence-delimiter.dcm": (MalformedInstance, "a compressed frame of"),
    "meta_missing_tsyntax.dcm": (MalformedInstance, "no Transfer Syntax UID"),
    "nested_priv_SQ.dcm": (MalformedInstance, "Bits Allocated are missing"),
    "DICOMDIR-nooffset": (MalformedInstance, "longer than its sequence"),
}
SLOW: Final = "NM_Kakadu44_SOTmarkerincons.dcm"  # whether it is decoded in time is the machine's


def said_of(path: Path) -> str:
    """Return what keeps a file from being drawn; empty when it is drawn."""
    wanted = REFUSED.get(path.name)
    prefixed = path.read_bytes()[128:132] == b"DICM"
    try:
        with open_pixels(path) as pixels:
            picture = render(pixels)
    except NotFound:
        return "no pixels"
    except (MalformedInstance, UnsupportedTransferSyntax) as error:
        if not prefixed:
            return "no DICOM file" if "no DICM prefix" in str(error) else f"{path.name}: {error}"
        if wanted and type(error) is wanted[0] and wanted[1] in str(error):
            return "refused"
        return f"{path.name}: {error}"
    return f"{path.name} was drawn" if wanted or picture.size < (1, 1) else ""


@pytest.mark.slow
def test_every_real_sample_is_drawn_or_says_why_not(samples: Path):
    files = [path for path in samples.rglob("*") if path.is_file() and path.suffix not in (".csv", ".md", ".json")]
    told = [said_of(path) for path in files if path.stat().st_size <= LARGE_BYTES and path.name != SLOW]

    assert set(told) <= {"", "no pixels", "refused", "no DICOM file"}
    assert told.count("") > 200
    assert told.count("refused") > 5
