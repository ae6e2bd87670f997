"""Segmentations of a slide are listed, and their tiles served, to those who may read its study."""

import gc
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from consult.slides import segment_making, segments
from kernel.dicom.scanning.part10 import read_file_meta
from tests.server.test_slides import SLIDE, client, takes
from tests.wsi.dicom_builders import SERIES, a_volume
from tests.wsi.segment_builders import SPACE, a_segmentation
from tests.wsi.test_segments import HEIGHT, STROMA, TUMOUR, WIDTH, a_mask, on_slide
from wsi.segment_tiles import SIDE, Planes, decoded

__all__ = ["client"]
ALL = f"{SLIDE}/segmentations"
OTHER = a_segmentation({1: STROMA}, SOPInstanceUID="1.2.3.8.2")


def a_slide() -> bytes:
    """Make a slide whose space has a name."""
    return a_volume(WIDTH, HEIGHT, 64, FrameOfReferenceUID=SPACE)


def listed(client) -> list[dict]:
    """Ask which segmentations there are."""
    return client.get(ALL).raise_for_status().json()["segmentations"]


def tile(client, segmentation: dict, place: str = "0/0_0") -> Planes:
    """Ask for a tile."""
    answer = client.get(f"{segmentation['tiles']}/{place}").raise_for_status()
    # The client has unzipped it already.
    count = int.from_bytes(answer.content[4:8], "little")
    numbers = np.frombuffer(answer.content, "<u4", count, 8)
    planes = np.frombuffer(answer.content, np.uint8, offset=8 + 4 * count).reshape(-1, SIDE, SIDE)
    return dict(zip(numbers.tolist(), planes, strict=True))


@pytest.fixture
def segmented(room, client):
    """A client at a node with a slide on which two segments are."""
    takes(room, a_slide(), a_segmentation({1: TUMOUR, 2: STROMA}))
    return client


def test_segmentations_are_listed_with_what_they_are(segmented):
    (one,) = listed(segmented)

    assert (one["label"], one["reason"]) == ("Vùng u", None)
    assert [(segment["number"], segment["label"]) for segment in one["segments"]] == [
        (1, "Phân vùng 1"),
        (2, "Phân vùng 2"),
    ]
    assert one["segments"][0]["type"] == "Neoplasm"


def test_a_tile_is_what_each_segment_has_there_and_is_kept_by_the_browser(segmented):
    (one,) = listed(segmented)

    planes = tile(segmented, one)

    assert (on_slide(planes[1]) == TUMOUR).all()
    assert (on_slide(planes[2]) == STROMA).all()
    answer = segmented.get(f"{one['tiles']}/0/0_0")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"


def test_a_tile_of_the_slide_where_no_segment_is_has_no_planes(room, client):
    corner = a_mask(0, 0, 200, 200, width=2100, height=1600)
    takes(room, a_volume(2100, 1600, 512, FrameOfReferenceUID=SPACE), a_segmentation({1: corner}, tile=256))
    (one,) = listed(client)

    assert list(tile(client, one, "0/0_0")) == [1]
    assert tile(client, one, "0/2_1") == {}


def test_from_afar_it_is_made_of_what_is_near_and_where_the_slide_is(segmented):
    (one,) = listed(segmented)

    plane = tile(segmented, one, "1/0_0")[1]

    assert (plane[: HEIGHT // 2, : WIDTH // 2] == TUMOUR[::2, ::2] * 255).all()


def test_a_tile_that_takes_several_requests_is_made_in_steps(room, client, monkeypatch):
    large = a_mask(0, 0, 2096, 1500, width=2100, height=1600)
    takes(room, a_volume(2100, 1600, 512, FrameOfReferenceUID=SPACE), a_segmentation({1: large}, tile=256))
    monkeypatch.setattr(segment_making, "REQUEST_SAMPLES_MAX", 0)
    (one,) = client.get(ALL).json()["segmentations"]

    statuses = [client.get(f"{one['tiles']}/2/0_0").status_code for _ in range(3)]

    # It stands on two tiles of the octave between, of which the first request makes one.
    assert statuses == [503, 200, 200]
    assert tile(client, one, "2/0_0")[1].sum() == 524 * 375 * 255


def test_a_tile_from_afar_takes_no_more_memory_than_one_that_is_nearer(room, client):
    masks = dict.fromkeys(range(1, 5), a_mask(0, 0, 20_000, 8, width=20_000, height=8))
    takes(room, a_volume(20_000, 8, 512, FrameOfReferenceUID=SPACE), a_segmentation(masks, tile=512))
    (one,) = listed(client)

    near, far = (memory_of(lambda at=octave: tile(client, one, f"{at}/0_0")) for octave in (2, 5))

    assert far < 1.25 * near


def memory_of(work: Callable[[], object]) -> int:
    """Return how many bytes some work holds at most."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_levels_of_a_pyramid_are_one_segmentation_and_the_coarse_one_is_seen_from_afar(room, client):
    coarse = a_mask(0, 0, 5, 5, width=75, height=50)
    origin = (20 - 1.5 * 0.0005, 40 - 1.5 * 0.00025)
    of_coarse = {"spacing_mm": (0.002, 0.001), "origin_mm": origin, "SOPInstanceUID": "1.2.3.8.2"}
    takes(
        room,
        a_slide(),
        a_segmentation({1: TUMOUR}, PyramidUID="1.2.3.8.9"),
        a_segmentation({1: coarse}, PyramidUID="1.2.3.8.9", **of_coarse),
    )

    (one,) = listed(client)

    assert (on_slide(tile(client, one)[1]) == TUMOUR).all()
    assert (tile(client, one, "2/0_0")[1][:50, :75] == coarse * 255).all()


def test_parts_of_a_concatenation_are_one_segmentation_when_all_are_here(room, client):
    def part(number: int, mask: np.ndarray) -> bytes:
        return a_segmentation(
            {1: mask},
            SOPInstanceUID=f"1.2.3.8.{number}",
            ConcatenationUID="1.2.3.8.9",
            InConcatenationNumber=number,
            InConcatenationTotalNumber=2,
        )

    takes(room, a_slide(), part(1, TUMOUR))
    before = listed(client)
    takes(room, part(2, STROMA))
    (after,) = listed(client)

    assert [one["reason"] for one in before] == ["incomplete"]
    assert (on_slide(tile(client, after)[1]) == np.maximum(TUMOUR, STROMA)).all()


REASONS = {
    "kind": {"SegmentationType": "CONTOUR"},
    "elsewhere": {"FrameOfReferenceUID": "1.2.3.7"},
    "unplaced": {"spacing_mm": None},
    "damaged": {"PerFrameFunctionalGroupsSequence": []},
    "large": {"TotalPixelMatrixColumns": (1 << 20) + 1},
}


def test_those_that_cannot_be_shown_say_why_and_have_no_tiles(room, client):
    files = [
        a_segmentation({1: TUMOUR}, SOPInstanceUID=f"1.2.3.8.{at}", **attributes)
        for at, attributes in enumerate(REASONS.values(), 1)
    ]
    takes(room, a_slide(), *files)

    found = listed(client)

    assert [one["reason"] for one in found] == list(REASONS)
    for one in found:
        assert client.get(f"{one['tiles']}/0/0_0").status_code == 404


@pytest.fixture
def two(room, client) -> Path:
    """A slide with two segmentations; the file of the second."""
    takes(room, a_slide(), a_segmentation({1: TUMOUR}), OTHER)
    meta = read_file_meta(OTHER)
    digest = hashlib.sha256(OTHER[meta.dataset_offset :]).hexdigest()
    return room.stores.blobs.path(f"{digest[:2]}/{digest}-{meta.transfer_syntax_uid}")


def reasons(client) -> list[str | None]:
    """Ask of each segmentation why it cannot be shown."""
    return [one["reason"] for one in listed(client)]


def test_one_whose_bytes_are_missing_is_told_and_logged_and_the_others_are_shown(two, client, logged):
    two.unlink()

    (here, gone) = listed(client)

    assert (here["reason"], gone["reason"]) == (None, "damaged")
    assert (on_slide(tile(client, here)[1]) == TUMOUR).all()
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (line["event"], line["instance"]) == ("segmentation_missing", "1.2.3.8.2")
    assert "Hoa" not in logged.getvalue()
    assert "BN-1" not in logged.getvalue()


def test_one_whose_bytes_are_there_again_is_shown(room, two, client, read):
    two.unlink()
    assert reasons(client) == [None, "damaged"]

    takes(room, a_volume(64, 64, 64, SeriesInstanceUID=f"{SERIES}.2", SOPInstanceUID="1.2.3.1.2.1"))
    assert reasons(client) == [None, "damaged"]
    assert read == ["once"]  # what is still missing is no reason to read the others again

    takes(room, OTHER)
    assert reasons(client) == [None, None]


def test_one_whose_file_is_empty_is_damaged_and_the_others_are_shown(two, client):
    two.write_bytes(b"")

    assert reasons(client) == [None, "damaged"]


def test_one_of_other_images_is_none_of_this_slide_s(room, client):
    other = pydicom.Dataset()
    other.SeriesInstanceUID = "1.2.3.4"
    takes(room, a_slide(), a_segmentation({1: TUMOUR}, ReferencedSeriesSequence=[other]))

    assert listed(client) == []


def test_one_that_names_no_images_is_of_the_slide_in_whose_space_it_lies(room, client):
    here, elsewhere = (
        a_segmentation({1: TUMOUR}, ReferencedSeriesSequence=[], FrameOfReferenceUID=space, SOPInstanceUID=f"{space}.1")
        for space in (SPACE, "1.2.3.7")
    )

    takes(room, a_slide(), elsewhere)
    assert listed(client) == []

    takes(room, here)
    assert len(listed(client)) == 1


def test_a_tile_that_is_not_there_is_404(segmented):
    (one,) = listed(segmented)

    for place in ("0/x", "0/0_0_0", "21/0_0", "-1/0_0", "0", "0/1_0", "0/0_1", "9/1_0"):
        assert segmented.get(f"{one['tiles']}/{place}").status_code == 404


def test_another_segmentation_or_revision_is_404(segmented):
    base, revision, overlay = listed(segmented)[0]["tiles"].rsplit("/", 2)

    assert segmented.get(f"{base}/{revision}/{overlay}/0/0_0").status_code == 200
    for other in (f"{revision}/{'0' * 32}", f"{'0' * 32}/{overlay}"):
        assert segmented.get(f"{base}/{other}/0/0_0").status_code == 404


def test_nobody_without_the_right_to_the_study_sees_any(room, segmented):
    tiles = listed(segmented)[0]["tiles"]
    with room.client() as stranger:
        assert stranger.get(ALL).status_code == 401
        assert stranger.get(f"{tiles}/0/0_0").status_code == 401


def test_tiles_that_are_kept_in_part_are_made_anew(room, segmented):
    (one,) = listed(segmented)
    far = tile(segmented, one, "2/0_0")
    folder = room.slides.kept.path(one["tiles"].split("/")[-2], "x").parent
    (whole,), (part,) = folder.glob("segments-*-2-0_0"), folder.glob("segments-*-1-0_0")
    for kept in (whole, part):
        kept.write_bytes(kept.read_bytes()[:-9])

    again = tile(segmented, one, "2/0_0")

    assert sorted(again) == sorted(far) == [1, 2]
    assert (again[1] == far[1]).all()
    assert sorted(decoded(part.read_bytes())) == [1, 2]


def test_a_study_with_too_many_instances_of_them_is_refused(segmented, monkeypatch):
    monkeypatch.setattr(segments, "INSTANCES_MAX", 0)

    assert segmented.get(ALL).json()["code"] == "LimitExceeded"


def test_a_tile_of_too_many_frames_is_refused(segmented, monkeypatch):
    (one,) = listed(segmented)
    monkeypatch.setattr(segment_making, "TILE_SAMPLES_MAX", 1000)

    assert segmented.get(f"{one['tiles']}/0/0_0").json()["code"] == "LimitExceeded"


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """What is read from now on."""
    read: list[str] = []
    real = segments.read_segmentation

    def counted(*arguments):
        read.append("once")
        return real(*arguments)

    monkeypatch.setattr(segments, "read_segmentation", counted)
    return read


@pytest.mark.parametrize("bound", ["REMEMBERED_MAX", "REMEMBERED_FRAMES_MAX"])
def test_more_than_is_remembered_is_read_again(room, segmented, read, monkeypatch, bound):
    other = f"{SLIDE}.2/segmentations"
    slide = a_volume(64, 64, 64, SeriesInstanceUID=f"{SERIES}.2", SOPInstanceUID="1.2.3.1.2.1")
    takes(room, slide)
    listed(segmented)
    segmented.get(other).raise_for_status()
    listed(segmented)
    assert read == ["once"]

    monkeypatch.setattr(segments, bound, 1)
    takes(room, a_segmentation({1: STROMA}, SOPInstanceUID="1.2.3.8.2"))  # which is of the first slide
    before = len(read)
    listed(segmented)
    segmented.get(other).raise_for_status()
    listed(segmented)
    assert len(read) == before + 4


def test_what_was_read_is_remembered_until_another_comes(room, segmented, read):
    (one,) = listed(segmented)
    tile(segmented, one)
    assert read == ["once"]

    takes(room, a_segmentation({1: STROMA}, SOPInstanceUID="1.2.3.8.2"))

    assert one["id"] in [each["id"] for each in listed(segmented)]
    assert read == ["once"] * 3
