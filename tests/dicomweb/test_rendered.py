"""Pictures of every level and form (PS3.18 8.3.5, 10.4.1.1.4), and what is told when there is none."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms

from gateway.dicomweb.retrieve import rendered
from gateway.dicomweb.retrieve.frame_source import _grey
from kernel.dicom.pictures.picture_files import encode_jpeg
from kernel.dicom.pictures.render import drawn
from kernel.dicom.pixels.image import Window
from kernel.dicom.pixels.reading import open_pixels
from tests.dicomweb.test_wado import parts_of, stored, url_of
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine, as_file

REPORT = "1.2.840.10008.5.1.4.1.1.88.11"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def a_report(of):
    """An instance without pixels in the study of another."""
    report = a_ct(seed="report", SOPClassUID=REPORT, StudyInstanceUID=of.StudyInstanceUID)
    del report.PixelData
    return report


@pytest.mark.parametrize("level", ["study", "series"])
@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_a_study_and_a_series_are_drawn_a_part_for_each_frame(node, level, kind):
    slices = list(a_ct_series(3))
    node.store(*slices)
    study = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"
    path = study if level == "study" else f"{study}/series/{slices[0].SeriesInstanceUID}"

    response = node.get(f"{path}/rendered", Accept=f'multipart/related; type="{kind}"')

    parts = parts_of(response)
    assert [headers["content-type"] for headers, _ in parts] == [kind] * 3
    assert [opened(part).size for _, part in parts] == [(64, 64)] * 3


def test_a_report_among_images_does_not_stop_their_pictures(node):
    ds = a_ct()
    report = a_report(ds)
    node.store(report, ds)
    study = f"/dicom-web/studies/{ds.StudyInstanceUID}"

    assert len(parts_of(node.get(f"{study}/rendered"))) == 1
    assert node.get(f"{study}/thumbnail").status_code == 200
    for path in ("", f"/series/{report.SeriesInstanceUID}"):
        expected = 200 if not path else 404
        assert node.get(f"{study}{path}/rendered").status_code == expected
        assert node.get(f"{study}{path}/thumbnail").status_code == expected


def test_many_frames_come_as_parts_or_as_an_animation(archive):
    _, ds = stored(archive, "us_cine_native.dcm")
    count = int(ds.NumberOfFrames)

    parts = parts_of(archive.get(url_of(ds) + "/rendered", Accept='multipart/related; type="image/png"'))
    gif = opened(archive.get(url_of(ds) + "/rendered", Accept="image/gif").content)
    some = opened(archive.get(url_of(ds) + "/frames/2-3/rendered", Accept="image/gif").content)
    listed = parts_of(archive.get(url_of(ds) + "/frames/3,1/rendered", Accept="multipart/related"))

    assert len(parts) == gif.n_frames == count
    assert (some.n_frames, len(listed)) == (2, 2)
    assert opened(parts[0][1]).size == (ds.Columns, ds.Rows)
    assert gif.info["duration"] == round(float(ds.get("FrameTime", 40)))


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/gif", "image/jp2"])
def test_one_frame_comes_as_every_kind_of_picture(archive, kind):
    ds = a_cr(seed="kinds")
    archive.store(ds)

    response = archive.get(url_of(ds) + "/frames/1/rendered", Accept=kind)

    assert response.headers["content-type"] == kind
    assert opened(response.content).size == (ds.Columns, ds.Rows)


@pytest.mark.parametrize("accept", ["video/webm", "application/pdf", "image/webp"])
def test_other_media_types_are_not_made_and_the_answer_says_what_is(archive, accept):
    _, ds = stored(archive, "us_cine_native.dcm")

    response = archive.get(url_of(ds) + "/rendered", Accept=accept)

    assert response.status_code == 406
    assert "image/gif" in response.json()["detail"]


def test_a_browser_gets_a_picture(archive):
    ds = a_cr(seed="browser")
    archive.store(ds)

    response = archive.get(url_of(ds) + "/rendered", Accept="image/avif,image/webp,image/apng,image/*,*/*;q=0.8")

    assert response.headers["content-type"] == "image/jpeg"


def test_patient_and_technique_are_burned_in_on_request_only(node):
    ds = a_ct(rows=256, columns=256, PixelData=b"\0" * (2 * 256 * 256))
    node.store(ds)

    def picture(query: str) -> np.ndarray:
        return np.asarray(opened(node.get(f"{url_of(ds)}/rendered?accept=image/png{query}").content)).astype(int)

    plain, both = picture(""), picture("&annotation=patient,technique")
    assert len(np.unique(plain)) == 1
    assert np.abs(both - plain)[:64].max() > 100
    assert np.abs(both - plain)[-64:].max() > 100


def test_a_profile_is_embedded_when_it_is_asked_for(archive):
    _, ds = stored(archive, "us_cine_native.dcm")

    def profile(query: str) -> bytes | None:
        return opened(archive.get(f"{url_of(ds)}/rendered?{query}").content).info.get("icc_profile")

    assert profile("") is None
    assert profile("iccprofile=no") is None
    assert profile("iccprofile=srgb")[36:40] == b"acsp"
    assert profile("iccprofile=yes")[36:40] == b"acsp"


def with_profile(name: str, profile: bytes) -> pydicom.Dataset:
    ds = an_us_cine(seed=name, frames=1)
    ds.ICCProfile = profile + b"\0" * (len(profile) % 2)
    return ds


def swapped_profile() -> bytes:
    """A matrix profile whose red is sRGB's blue and the reverse."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


def test_colors_are_brought_to_srgb_when_that_is_asked_for(archive):
    ds = with_profile("swapped", swapped_profile())
    archive.store(ds)

    def picture(query: str) -> Image.Image:
        return opened(archive.get(f"{url_of(ds)}/rendered?accept=image/png&{query}").content)

    as_is, own, srgb = picture(""), picture("iccprofile=yes"), picture("iccprofile=srgb")
    at = (30, 4)
    assert as_is.getpixel(at) == own.getpixel(at) == (200, 120, 40)
    assert own.info["icc_profile"] == ds.ICCProfile
    assert np.abs(np.subtract(srgb.getpixel(at), (40, 120, 200))).max() <= 2
    assert srgb.info["icc_profile"] != ds.ICCProfile


@pytest.mark.parametrize("profile", [b"", b"\0" * 36 + b"acsp" + b"\xff" * 400])
def test_a_profile_that_is_none_is_never_trusted(archive, profile):
    ds = with_profile(f"damaged {len(profile)}", profile)
    archive.store(ds)

    response = archive.get(f"{url_of(ds)}/rendered?iccprofile=srgb")

    assert response.status_code == (200 if not profile else 400)
    if profile:
        assert "the ICC profile cannot be used" in response.json()["detail"]


def test_a_picture_has_an_etag_that_tells_its_parameters_apart(node):
    ds = a_ct()
    node.store(ds)
    first = node.get(url_of(ds) + "/rendered").headers["etag"]

    assert node.get(url_of(ds) + "/rendered", **{"If-None-Match": first}).status_code == 304
    assert node.get(url_of(ds) + "/rendered?quality=50", **{"If-None-Match": first}).status_code == 200


def test_pictures_are_of_the_slide_for_a_slide(node, samples: Path):
    paths = sorted(samples.glob("wsi-cmu1-dicom/*.dcm"), key=lambda path: path.stat().st_size)
    content = paths[0].read_bytes()
    ds = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    node.store(content)

    response = node.get(url_of(ds) + "/frames/1/rendered?iccprofile=yes")

    assert opened(response.content).size == (ds.Columns, ds.Rows)


@pytest.mark.parametrize("accept", ["*/*", "application/pdf"])
def test_a_pdf_report_rendered_is_a_pdf(archive, accept):
    _, ds = stored(archive, "pdf_report.dcm")
    document = bytes(ds.EncapsulatedDocument)
    length = int(ds.get("EncapsulatedDocumentLength", len(document)))

    whole = archive.get(url_of(ds) + "/rendered", Accept=accept)
    begin = archive.get(url_of(ds) + "/rendered", Accept=accept, Range="bytes=0-3")
    refused = archive.get(url_of(ds) + "/rendered", Accept="image/jpeg")

    assert whole.headers["content-type"] == "application/pdf"
    assert whole.content == document[:length]
    assert (begin.status_code, begin.content) == (206, b"%PDF")
    assert (refused.status_code, "application/pdf" in refused.json()["detail"]) == (406, True)


def test_the_bulk_data_of_a_pdf_report_are_a_pdf_for_who_asks_for_one(archive):
    _, ds = stored(archive, "pdf_report.dcm")
    url = url_of(ds) + "/bulkdata/00420011"

    as_ohif_asks = archive.get(url + "?accept=application/pdf")
    whatever = archive.get(url)

    assert as_ohif_asks.content == whatever.content == bytes(ds.EncapsulatedDocument)
    assert as_ohif_asks.headers["content-type"].startswith("application/pdf;")
    assert whatever.headers["content-type"].startswith("application/octet-stream;")


SHOWN = {
    "its own window": {"WindowCenter": 40, "WindowWidth": 80},
    "several windows": {"WindowCenter": [40, 300], "WindowWidth": [80, 1500]},
    "a sigmoid": {"WindowCenter": 40, "WindowWidth": 80, "VOILUTFunction": "SIGMOID"},
    "no window": {"WindowCenter": None, "WindowWidth": None},
    "white is least": {"PhotometricInterpretation": "MONOCHROME1"},
    "padding and no window": {"WindowCenter": None, "WindowWidth": None, "PixelPaddingValue": -2000},
    "a slope": {"RescaleSlope": 2, "RescaleIntercept": -500},
}


@pytest.mark.parametrize("change", SHOWN.values(), ids=SHOWN.keys())
@pytest.mark.parametrize("window", [None, Window(50.0, 350.0)], ids=["own", "asked for"])
def test_a_grey_picture_is_the_same_without_a_look_at_its_header(
    archive, monkeypatch, change: dict[str, object], window: Window | None
):
    ds = a_ct(seed=f"{change} {window}", rows=32, columns=48)
    for keyword, value in change.items():
        setattr(ds, keyword, value)
    archive.store(ds)
    monkeypatch.setattr(rendered, "opened", None)  # the header is not read again
    query = "" if window is None else f"?window={window.center},{window.width},linear"

    picture = archive.get(f"{url_of(ds)}/rendered{query}", Accept="image/jpeg")

    with open_pixels(as_file(ds)) as pixels:
        assert picture.content == encode_jpeg(drawn(pixels, window=window))
    assert archive.get(url_of(ds) + "/frames/2/rendered", Accept="image/jpeg").status_code == 404


def test_what_would_weigh_much_or_is_shown_frame_by_frame_is_not_remembered(archive):
    many = a_ct(seed="many windows")
    many.WindowCenter, many.WindowWidth = [40] * 17, [80] * 17
    enhanced = a_ct(seed="functional groups")
    enhanced.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    table = a_ct(seed="a table")
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTData = [2, 0, 8], [0, 255]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    table.VOILUTSequence = [item]
    for ds in (many, enhanced, table):
        archive.store(ds)
        with open_pixels(as_file(ds)) as pixels:
            picture = archive.get(url_of(ds) + "/rendered", Accept="image/jpeg")
            assert picture.content == encode_jpeg(drawn(pixels))
            assert _grey(pixels.header, pixels.image, pixels.frames) is None
