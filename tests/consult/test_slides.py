"""Tiles that no slide stores are made once, within bounds, only while somebody waits, and kept up to a number of bytes."""

import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from consult.slides import making
from consult.slides.kept import Kept
from consult.slides.making import Errand, Making
from consult.slides.shelf import OpenSlide
from kernel.archive.blobs.store import Blobs
from kernel.errors import BlobMissing, Busy, MalformedSlide
from tests.wsi.builders import pixels_of
from tests.wsi.dicom_builders import a_header, a_volume, as_file, slide_of
from wsi.slide import Address, Slide

REVISION = "0" * 32
TOP = Address(0, 0, 2, 0, 0)


def open_slide(folder: Path, content: bytes) -> OpenSlide:
    path = folder / "slide.dcm"
    path.write_bytes(content)
    return OpenSlide(REVISION, slide_of(content), (), (path,))


def kept_in(folder: Path, bytes_max: int = 1 << 30, free_bytes_min: int = 0) -> Kept:
    return Kept(folder / "kept", bytes_max, Blobs(folder / "blobs", free_bytes_min=free_bytes_min))


def asked(makers: Making, opened: OpenSlide, address: Address) -> Errand:
    return makers.ask(opened, str(address), lambda tile_of: tile_of(address))


@pytest.fixture
def opened(tmp_path) -> OpenSlide:
    return open_slide(tmp_path, a_volume(256, 256, 64))


@pytest.fixture
def held(monkeypatch):
    """Hold every tile that is being made until told; yields (begun, go on, times)."""
    begun, go_on, times = threading.Event(), threading.Event(), []
    reduced = Slide.reduced

    def slow(self, *arguments):
        times.append(arguments[0])
        begun.set()
        assert go_on.wait(20)
        return reduced(self, *arguments)

    monkeypatch.setattr(Slide, "reduced", slow)
    yield begun, go_on, times
    go_on.set()


def test_many_who_ask_for_one_tile_have_it_made_once(tmp_path, opened, held):
    begun, go_on, times = held
    makers = Making(kept_in(tmp_path), threads=2)

    errands = [asked(makers, opened, Address(0, 0, 1, 0, 0)) for _ in range(4)]
    begun.wait(20)
    go_on.set()

    assert len({errand.future.result(20) for errand in errands}) == 1
    assert len(times) == 1
    makers.close()


def test_a_tile_that_nobody_waits_for_any_more_is_not_made_to_its_end(tmp_path, opened, held):
    begun, go_on, _ = held
    kept = kept_in(tmp_path)
    makers = Making(kept, threads=1)

    errand = asked(makers, opened, TOP)
    begun.wait(20)
    makers.leave(errand)
    go_on.set()

    with pytest.raises(CancelledError):
        errand.future.result(20)
    assert kept.get(REVISION, str(TOP)) is None
    makers.close()


def test_who_asks_anew_after_everybody_left_gets_the_tile(tmp_path, opened, held):
    begun, go_on, _ = held
    makers = Making(kept_in(tmp_path), threads=1)
    first = asked(makers, opened, TOP)
    begun.wait(20)
    makers.leave(first)

    second = asked(makers, opened, TOP)
    go_on.set()

    assert pixels_of(second.future.result(20)).shape == (64, 64, 3)
    makers.close()


def test_too_many_tiles_at_once_are_put_off(tmp_path, opened, held, monkeypatch):
    monkeypatch.setattr(making, "QUEUE_MAX", 1)
    makers = Making(kept_in(tmp_path), threads=1)
    asked(makers, opened, TOP)

    with pytest.raises(Busy) as refusal:
        asked(makers, opened, Address(0, 0, 1, 0, 0))

    assert refusal.value.fields["retry_after_s"] == 1
    held[1].set()
    makers.close()


def test_a_tile_that_stands_on_too_many_is_made_in_several_requests(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(making, "DECODED_MAX", 6)
    slide = opened.slide
    monkeypatch.setattr("wsi.pyramid.REDUCTION_MAX", 1)
    opened = OpenSlide(REVISION, Slide(slide.index), (), opened.paths)
    makers = Making(kept_in(tmp_path), threads=1)

    refused = 0
    while True:
        errand = asked(makers, opened, TOP)
        try:
            tile = errand.future.result(20)
            break
        except Busy:
            refused += 1
            assert refused < 5

    assert refused == 3  # 16 tiles of the finest octave, four for each that is kept on the way
    assert pixels_of(tile).shape == (64, 64, 3)
    makers.close()


def test_who_waits_is_told_what_is_wrong(tmp_path):
    broken = open_slide(tmp_path, as_file(a_header(256, 256, 64, 16), [b"\xff\xd8 no picture"] * 16))
    makers = Making(kept_in(tmp_path), threads=1)

    with pytest.raises(MalformedSlide):
        asked(makers, broken, TOP).future.result(20)

    broken.paths[0].unlink()
    with pytest.raises(BlobMissing):
        asked(makers, broken, TOP).future.result(20)
    makers.close()


def test_the_slide_that_was_longest_not_looked_at_makes_room(tmp_path):
    kept = kept_in(tmp_path, bytes_max=250)

    for revision in ("a", "b", "a", "c"):
        kept.put(revision, f"tile-{revision}", b"x" * 80)

    assert [kept.get(one, f"tile-{one}") is None for one in ("a", "b", "c")] == [False, True, False]


def test_one_slide_does_not_take_more_than_there_is(tmp_path):
    kept = kept_in(tmp_path, bytes_max=250)

    for number in range(10):
        kept.put("a", str(number), b"x" * 80)

    assert sum(path.stat().st_size for path in (tmp_path / "kept").glob("*/*")) <= 250


def test_what_earlier_runs_kept_counts(tmp_path):
    kept_in(tmp_path).put("old", "tile", b"x" * 200)

    kept_in(tmp_path, bytes_max=250).put("new", "tile", b"x" * 100)

    assert [path.parent.name for path in (tmp_path / "kept").glob("*/*")] == ["new"]


def test_nothing_is_kept_when_the_disk_is_nearly_full(tmp_path):
    kept = kept_in(tmp_path, free_bytes_min=1 << 60)

    kept.put("a", "tile", b"x")

    assert kept.get("a", "tile") is None
