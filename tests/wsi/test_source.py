"""A slide's file that changes while it is read becomes no DICOM of which a part is another's."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest

from kernel.errors import InvalidRequest, MalformedSlide
from tests.wsi.builders import an_svs, pixels_of, texture
from wsi.convert import Converter, Part, parts_of
from wsi.dicom_header import Identity
from wsi.limits import MPP_MAX
from wsi.source import Source, opened_source

SVS = an_svs()


def finest(source: Source) -> tuple[Converter, Part]:
    converter = Converter(source.read, source.slide, Identity(), source.digest)
    return converter, next(parts_of(source.slide, 1 << 40))


@pytest.mark.parametrize("change", ["cut off", "grown", "written over"])
def test_a_slide_that_is_written_to_while_it_is_read_is_refused_and_leaves_nothing(tmp_path, change):
    path, written = tmp_path / "a.svs", tmp_path / "a.dcm"
    path.write_bytes(SVS)
    with opened_source(path, 0.0, tmp_path, None) as source:
        converter, part = finest(source)
        {"cut off": cut_off, "grown": grown, "written over": written_over}[change](path)

        with pytest.raises(MalformedSlide, match="changed while it was read"):
            converter.write(part, written)

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mpp", [float("inf"), float("nan"), -0.25, MPP_MAX * 1.01])
def test_what_is_no_scale_is_refused_in_words(tmp_path, mpp):
    (tmp_path / "a.svs").write_bytes(SVS)

    with (
        pytest.raises(InvalidRequest, match="microns a pixel are more than 0 and at most 100"),
        opened_source(tmp_path / "a.svs", mpp, tmp_path, None),
    ):
        pass


def cut_off(path: Path) -> None:
    os.truncate(path, len(SVS) // 2)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def written_over(path: Path) -> None:
    path.write_bytes(SVS[::-1])
    os.utime(path, ns=(0, 1))  # a file system's clock may not have moved on yet


def test_a_slide_that_another_took_the_place_of_is_read_to_its_end(tmp_path):
    path, written = tmp_path / "a.svs", tmp_path / "a.dcm"
    path.write_bytes(SVS)
    with opened_source(path, 0.0, tmp_path, None) as source:
        converter, part = finest(source)
        (tmp_path / "new").write_bytes(b"another")
        (tmp_path / "new").replace(path)

        converter.write(part, written)

    ds = pydicom.dcmread(written)
    first = next(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=ds.NumberOfFrames))
    assert np.abs(pixels_of(first).astype(int) - texture(500, 380)[:64, :64]).mean() < 4
