"""Videos over DICOMweb: made of frames by ffmpeg, and those that are stored as one (PS3.18 8.7.3.3.2, 8.7.4)."""

import io

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

from gateway.dicomweb.retrieve import drawing, videos
from kernel.dicom.pictures.video import encode_mp4
from tests.dicom.test_video import a_moving_bar, decoded, needs_ffmpeg, probed
from tests.dicomweb.test_wado import parts_of, url_of
from tests.support.builders import a_ct, an_us_cine

MP4 = "video/mp4"
H264, H264_FRAGMENTABLE, MPEG2 = "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.102.1", "1.2.840.10008.1.2.4.100"


def a_video(stream: bytes, syntax: str = H264, *, seed: str, fragments: int = 1) -> tuple[Dataset, bytes]:
    """An instance that is stored as a video, and its Part 10 file."""
    ds = an_us_cine(seed=seed, frames=3, PhotometricInterpretation="YBR_PARTIAL_420")
    size = (len(stream) // fragments + 1) // 2 * 2 or len(stream)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    ds.PixelData = encapsulate(pieces, has_bot=False)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, FileDataset("", ds, preamble=b"\0" * 128, file_meta=meta), enforce_file_format=True)
    return ds, buffer.getvalue()


# --- made of frames ---------------------------------------------------------------------------------------------------


@needs_ffmpeg
@pytest.mark.parametrize(
    ("told", "rate"),
    [
        ({"FrameTime": "80"}, "25/2"),
        ({"FrameTime": None, "CineRate": "15"}, "15/1"),
        ({"FrameTime": None, "RecommendedDisplayFrameRate": "10", "CineRate": "15"}, "10/1"),
        ({"FrameTime": None}, "25/1"),
    ],
)
def test_a_cine_is_a_video_with_all_its_frames_at_the_speed_that_it_names(archive, told, rate):
    ds = an_us_cine(seed=f"speed {told}", frames=7, **told)
    archive.store(ds)

    response = archive.get(url_of(ds) + "/rendered", Accept=MP4)

    stream = probed(response.content)
    assert (response.status_code, response.headers["content-type"]) == (200, MP4)
    assert (stream["codec_name"], stream["nb_read_frames"], stream["avg_frame_rate"]) == ("h264", "7", rate)
    assert (stream["width"], stream["height"]) == (ds.Columns, ds.Rows)


@needs_ffmpeg
def test_frames_viewport_and_window_are_obeyed(archive):
    ds = an_us_cine(seed="some", frames=7)
    archive.store(ds)

    response = archive.get(f"{url_of(ds)}/frames/2-4,6/rendered?accept=video/mp4&viewport=32,24")

    stream = probed(response.content)
    assert (stream["nb_read_frames"], stream["width"], stream["height"]) == ("4", 32, 24)
    rows = decoded(response.content, 32, 24).mean(axis=2)
    tops = (rows > rows.mean(axis=1, keepdims=True)).argmax(axis=1)
    assert [round(int(top) / 2) for top in tops] == [1, 2, 3, 5]  # the block is 4 rows further down in each frame


@needs_ffmpeg
def test_a_player_asks_for_ranges_of_a_video_that_is_made_once(archive, monkeypatch):
    made: list[int] = []
    monkeypatch.setattr(drawing, "encode_mp4", lambda *a: made.append(1) or encode_mp4(*a))
    ds = an_us_cine(seed="player")
    archive.store(ds)
    url = url_of(ds) + "/rendered"

    whole = archive.get(url, Accept=MP4)
    begin = archive.get(url, Accept=MP4, Range="bytes=0-99")
    end = archive.get(url, Accept=MP4, Range="bytes=100-")
    known = archive.get(url, Accept=MP4, **{"If-None-Match": whole.headers["etag"]})

    assert (begin.status_code, end.status_code, known.status_code) == (206, 206, 304)
    assert begin.content + end.content == whole.content
    assert begin.headers["content-range"] == f"bytes 0-99/{len(whole.content)}"
    assert made == [1]


@needs_ffmpeg
def test_a_picture_stays_what_comes_when_anything_will_do(archive):
    ds = an_us_cine(seed="anything")
    archive.store(ds)

    assert archive.get(url_of(ds) + "/rendered").headers["content-type"] == "image/jpeg"
    assert archive.get(url_of(ds) + "/rendered", Accept="video/*").headers["content-type"] == MP4
    assert archive.get(url_of(ds) + "/frames/1/rendered", Accept=MP4).status_code == 406


def test_who_wants_a_picture_does_not_wait_for_the_program(archive, monkeypatch):
    looked: list[int] = []
    monkeypatch.setattr(videos, "video_program", lambda: looked.append(1))
    ds = an_us_cine(seed="no wait")
    archive.store(ds)

    answers = [archive.get(url_of(ds) + "/rendered", Accept=accept).status_code for accept in ("", "image/png", "*/*")]
    refused = archive.get(url_of(ds) + "/rendered", Accept="text/html")

    assert (answers, refused.status_code, looked) == ([200] * 3, 406, [1])


@needs_ffmpeg
def test_a_refusal_names_video_where_it_is_made(archive):
    ds = an_us_cine(seed="refusal")
    archive.store(ds)

    assert MP4 in archive.get(url_of(ds) + "/rendered", Accept="text/html").json()["detail"]
    assert archive.get(url_of(ds) + "/rendered", Accept="image/png;q=0.1, video/mp4").headers["content-type"] == MP4


def test_without_the_program_the_answer_says_what_is_on_offer(archive, monkeypatch):
    monkeypatch.setattr(videos, "video_program", lambda: None)
    ds = an_us_cine(seed="without")
    archive.store(ds)

    response = archive.get(url_of(ds) + "/rendered", Accept=MP4)

    assert response.status_code == 406
    assert "image/gif" in response.json()["detail"]
    assert MP4 not in response.json()["detail"]


@needs_ffmpeg
def test_what_has_no_pixels_is_no_video(archive):
    ds = a_ct(seed="no video", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    del ds.PixelData
    archive.store(ds)

    assert 400 <= archive.get(url_of(ds) + "/rendered", Accept=MP4).status_code < 500


# --- stored as one ----------------------------------------------------------------------------------------------------


@needs_ffmpeg
@pytest.mark.parametrize(("syntax", "fragments"), [(H264, 1), (H264_FRAGMENTABLE, 3)])
def test_a_stored_video_plays_as_it_is(archive, syntax, fragments):
    stream = encode_mp4(a_moving_bar(3, mode="RGB"), 40)
    stream += b"\0" * (len(stream) % 2)
    ds, content = a_video(stream, syntax, seed=f"stored {fragments}", fragments=fragments)
    assert archive.store(content).status_code == 200

    rendered = archive.get(url_of(ds) + "/rendered", Accept="video/mp4,*/*;q=0.5")
    (item,) = archive.get(url_of(ds) + "/metadata").json()
    bulk = archive.get(item["7FE00010"]["BulkDataURI"], Accept=MP4)
    part = archive.get(item["7FE00010"]["BulkDataURI"], Accept=MP4, Range="bytes=10-19")
    (several,) = parts_of(archive.get(item["7FE00010"]["BulkDataURI"], Accept=f'multipart/related; type="{MP4}"'))

    assert rendered.content == bulk.content == several[1] == stream
    assert probed(rendered.content)["nb_read_frames"] == "3"
    assert (rendered.headers["content-type"], several[0]["content-type"]) == (MP4, f"{MP4}; transfer-syntax={syntax}")
    assert bulk.headers["content-type"] == f"{MP4}; transfer-syntax={syntax}"
    assert (part.status_code, part.content) == (206, stream[10:20])


def test_a_stored_video_in_another_container_is_bulk_data_alone(archive):
    stream = b"\x47" + bytes(187)
    ds, content = a_video(stream, MPEG2, seed="transport stream")
    archive.store(content)

    rendered = archive.get(url_of(ds) + "/rendered", Accept=MP4)
    plain = archive.get(url_of(ds) + "/bulkdata/7FE00010", Accept="application/octet-stream")
    typed = archive.get(url_of(ds) + "/bulkdata/7FE00010", Accept="video/*")

    assert rendered.status_code == 406
    assert "bulk data as video/mpeg2" in rendered.json()["detail"]
    assert plain.content == typed.content == stream
    assert typed.headers["content-type"] == f"video/mpeg2; transfer-syntax={MPEG2}"


def test_a_frame_of_a_stored_video_is_drawn_by_nobody(archive):
    ds, content = a_video(b"\0\0\0\x18ftypmp42" + bytes(100), seed="a frame")
    archive.store(content)

    for path in ("/frames/1/rendered", "/thumbnail", "/frames/1"):
        assert 400 <= archive.get(url_of(ds) + path).status_code < 500
