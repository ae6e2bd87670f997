"""Slides are made ready when they are complete: opening one builds nothing."""

import json
from typing import NamedTuple

import pytest
from pydicom.sequence import Sequence

from consult.slides.kept import Kept
from consult.slides.making import Making
from consult.slides.room import SlideRoom
from kernel.clock import ManualClock
from kernel.errors import Busy
from kernel.rounds import LOOK_EVERY_S
from tests.wsi.builders import jpeg, pixels_of, texture
from tests.wsi.dicom_builders import SERIES, STUDY, a_header, a_volume, an_optical_path, as_file, tiles_of
from wsi.slide import Address


class Grant(NamedTuple):
    site: str = "BV1"
    study_instance_uid: str = STUDY
    labels: bool = False


@pytest.fixture
def slides(node, tmp_path):
    room = SlideRoom.on(node.db, node.blobs, Kept(tmp_path / "kept", 1 << 30, node.blobs))
    yield room
    room.close()


@pytest.fixture
def readying(node, slides):
    one = slides.readying(node.db, ManualClock())
    one.follow()
    return one


@pytest.fixture
def nothing_is_built(monkeypatch):
    """From when it is called."""

    def forbid() -> None:
        monkeypatch.setattr("consult.slides.shelf.shared_index_maker", None)
        monkeypatch.setattr("wsi.slide.Slide.reduced", None)

    return forbid


def reopened(node, tmp_path) -> SlideRoom:
    """Return what a node that was started again has: what is on the disk."""
    return SlideRoom.on(node.db, node.blobs, Kept(tmp_path / "kept", 1 << 30, node.blobs))


def a_concatenation() -> list[bytes]:
    """Make 2 optical paths of 2 focal planes of 3 x 2 tiles, in parts of 10 and 14 frames."""
    tiles = [jpeg(one) for one in tiles_of(texture(192, 128), 64)] * 4
    paths = Sequence([an_optical_path("1", "Brightfield"), an_optical_path("2", "Fluorescence")])
    parts: list[bytes] = []
    for number, (first, last) in enumerate([(0, 10), (10, 24)], 1):
        header = a_header(
            *(192, 128, 64, last - first),
            SOPInstanceUID=f"1.2.9.{number}",
            ConcatenationUID="1.2.9",
            ConcatenationFrameOffsetNumber=first,
            InConcatenationNumber=number,
            TotalPixelMatrixFocalPlanes=2,
            OpticalPathSequence=paths,
        )
        parts.append(as_file(header, tiles[first:last]))
    return parts


def test_opening_a_complete_slide_builds_neither_its_index_nor_its_coarsest_tile(
    node, readying, tmp_path, nothing_is_built
):
    node.store(a_volume(300, 200, 64))
    node.committer.settle_quiet(0)
    assert readying.look() > 0
    nothing_is_built()

    room = reopened(node, tmp_path)
    opened = room.shelf.current(Grant(), SERIES)
    coarsest = room.making.ask_tile(opened, Address(0, 0, opened.slide.octaves[-1].number, 0, 0)).future.result()

    assert pixels_of(coarsest).shape == (25, 38, 3)
    room.close()


def test_a_concatenation_with_its_paths_and_planes_is_ready_when_its_last_part_is_there(
    node, readying, tmp_path, nothing_is_built
):
    first, second = a_concatenation()
    node.store(first)
    node.committer.settle_quiet(0)
    readying.look()
    node.store(second)
    node.committer.settle_quiet(0)
    readying.look()
    nothing_is_built()

    (index,) = [reopened(node, tmp_path).shelf.current(Grant(), SERIES).slide.index]

    assert (len(index.focal_planes), len(index.optical_paths)) == (2, 2)
    assert (index.levels[0].planes, index.levels[0].paths, len(index.levels[0].offsets)) == (2, 2, 24)


def test_what_was_looked_at_is_not_looked_at_again_and_what_came_before_waits_until_it_is_opened(node, slides):
    node.store(a_volume())
    node.committer.settle_quiet(0)
    late = slides.readying(node.db, ManualClock())
    late.follow()

    assert late.look() == 0


def test_a_slide_that_cannot_be_read_does_not_end_it(node, readying):
    node.store(as_file(a_header(300, 200, 64, 2), [b"no tile", b"as well"]))
    node.committer.settle_quiet(0)

    assert readying.look() > 0
    assert readying.look() == 0


def full(monkeypatch, times: int) -> list[Address]:
    """Have no place for the next tiles that are asked for, so many times; return what is asked for from now on."""
    asked, ask_tile = [], Making.ask_tile

    def ask(self, opened, address):
        asked.append(address)
        if len(asked) <= times:
            raise Busy(what="too many tiles of slides are being made", retry_after_s=1)
        return ask_tile(self, opened, address)

    monkeypatch.setattr(Making, "ask_tile", ask)
    return asked


def test_a_slide_that_finds_no_place_comes_again_in_the_next_round(
    node, readying, tmp_path, monkeypatch, nothing_is_built
):
    asked = full(monkeypatch, 1)
    node.store(a_volume(300, 200, 64))
    node.committer.settle_quiet(0)

    assert [readying.look() for _ in range(3)] == [1, 1, 0]

    assert len(asked) == 2
    nothing_is_built()
    room = reopened(node, tmp_path)
    opened = room.shelf.current(Grant(), SERIES)
    room.making.ask_tile(opened, asked[0]).future.result()
    room.close()


def test_a_slide_that_never_finds_a_place_is_left_to_who_looks_at_it(node, readying, monkeypatch, logged):
    asked = full(monkeypatch, 1000)
    monkeypatch.setattr("consult.slides.readying.SPENT_S_MAX", 3 * LOOK_EVERY_S)
    node.store(a_volume(300, 200, 64))
    node.committer.settle_quiet(0)

    assert looks(readying) == len(asked) == 3

    (line,) = [line for line in map(json.loads, logged.getvalue().splitlines()) if line["event"] == "slide_not_ready"]
    assert (line["series"], line["reason"]) == (SERIES, "Busy")


def test_a_slide_is_made_ready_once_and_again_only_for_who_sees_its_label(node, readying, slides, monkeypatch):
    asked = full(monkeypatch, 0)
    label = a_header(64, 64, 64, 1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"], SOPInstanceUID="1.2.3.1.1.9")
    other = {"SeriesInstanceUID": f"{SERIES}.2", "SOPInstanceUID": "1.2.3.1.2.1"}
    node.store(a_volume(300, 200, 64))
    node.store(as_file(label, [jpeg(texture(64, 64))]))
    node.store(a_volume(200, 200, 64, **other))
    node.committer.settle_quiet(0)

    readying.look()

    revisions = {slides.shelf.current(Grant(labels=labels), SERIES).revision for labels in (False, True)}
    assert len(revisions) == 2
    assert len(asked) == 3


@pytest.fixture
def outcomes(monkeypatch) -> list:
    """What became of each time that a coarsest tile was asked for; 64 stored tiles are decoded for each."""
    told, leave = [], Making.leave

    def left(self, errand):
        told.append((errand.key[0], errand.future.exception()))
        leave(self, errand)

    monkeypatch.setattr(Making, "leave", left)
    monkeypatch.setattr("consult.slides.making.DECODED_MAX", 64)
    monkeypatch.setattr("consult.slides.readying.TURN_MAX", 1)
    return told


def looks(readying) -> int:
    """Look until there is nothing left to do; return how often there was something."""
    return next(number for number in range(100) if not readying.look())


def test_a_coarsest_tile_that_stands_on_many_is_made_in_turns(node, readying, slides, outcomes, nothing_is_built):
    node.store(a_volume(1024, 1024, 64))  # 256 tiles
    node.committer.settle_quiet(0)

    assert looks(readying) > 2
    nothing_is_built()

    assert isinstance(outcomes[0][1], Busy)  # not at once
    assert outcomes[-1][1] is None
    opened = slides.shelf.current(Grant(), SERIES)
    coarsest = slides.making.ask_tile(opened, Address(0, 0, opened.slide.octaves[-1].number, 0, 0)).future.result()
    assert pixels_of(coarsest).shape == (64, 64, 3)


@pytest.mark.parametrize("bound", ["SPENT_S_MAX", "UNMADE_MAX"])
def test_it_is_left_to_who_looks_at_it_at_the_bounds_of_time_and_of_those_that_wait(
    node, readying, outcomes, monkeypatch, bound
):
    monkeypatch.setattr(f"consult.slides.readying.{bound}", 0)
    node.store(a_volume(1024, 1024, 64))
    node.committer.settle_quiet(0)

    assert looks(readying) == 1
    assert {type(error) for _, error in outcomes} == {Busy}


def test_a_slide_that_comes_meanwhile_has_its_turn_first(node, readying, outcomes):
    node.store(a_volume(1024, 1024, 64))
    node.committer.settle_quiet(0)
    readying.look()
    large = {revision for revision, _ in outcomes}
    outcomes.clear()
    other = {"StudyInstanceUID": "1.2.3.9", "SeriesInstanceUID": "1.2.3.9.1", "SOPInstanceUID": "1.2.3.9.1.1"}
    node.store(a_volume(300, 200, 64, **other))
    node.committer.settle_quiet(0)

    readying.look()

    first, error = outcomes[0]
    assert first not in large
    assert error is None
    assert {revision for revision, _ in outcomes} >= large
