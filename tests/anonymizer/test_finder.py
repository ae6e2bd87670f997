"""Finders of text are believed as little as strangers, and everything that they are shown has a bound."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.pixels import components, finder, views
from anonymizer.pixels.components import areas
from anonymizer.pixels.finder import SIGHTINGS_MAX, Finders
from anonymizer.pixels.finder_messages import Sighting, Sightings
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.processes.child import ChildEndedError
from kernel.errors import LimitExceeded, MalformedInstance
from tests.support.builders import an_us_cine, as_file, with_pixels

PICTURE = np.zeros((20, 30), np.uint8)


class Answers:
    """A process that answers what it is told, or ends."""

    def __init__(self, answer: bytes | Sightings | ChildEndedError) -> None:
        self.answer = answer

    def ask(self, _question, _bytes_max, _seconds_max):
        if isinstance(self.answer, ChildEndedError):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else msgspec.msgpack.encode(self.answer)

    def end(self):
        pass


def finders(answer) -> Finders:
    made = Finders(0)
    made._children._free.put(Answers(answer))
    return made


def test_what_is_told_is_cut_to_the_picture():
    sightings = Sightings((Sighting(-5, 3, 900, 12, "text"), Sighting(1, 1, 2, 2, "mark")))

    assert finders(sightings).find(PICTURE, 100) == ((Box(0, 3, 20, 12), "text"), (Box(1, 1, 2, 2), "mark"))


@pytest.mark.parametrize(
    "answer",
    [
        b"no answer",
        Sightings(failure="memory"),
        Sightings((Sighting(0, 0, 1, 1, "text"),) * (SIGHTINGS_MAX + 1)),
        ChildEndedError(was_late=False),
    ],
    ids=["garbage", "failure", "too many", "ended"],
)
def test_without_a_sensible_answer_nobody_knows_what_is_on_a_picture(answer):
    with pytest.raises(MalformedInstance, match="text cannot be found"):
        finders(answer).find(PICTURE, 100)


def test_a_finder_has_so_much_time():
    with pytest.raises(LimitExceeded, match="seconds to find text"):
        finders(ChildEndedError(was_late=True)).find(PICTURE, 100)


def test_a_picture_has_a_bound(monkeypatch):
    monkeypatch.setattr(finder, "PICTURE_BYTES_MAX", 1000)

    with pytest.raises(LimitExceeded, match="PICTURE_BYTES_MAX"):
        finders(Sightings()).find(PICTURE, 100)


@pytest.mark.parametrize(("limit", "bound"), [("FRAMES_MAX", 4), ("PICTURE_PIXELS_MAX", 3000)])
def test_cines_and_frames_have_bounds(monkeypatch, limit, bound):
    monkeypatch.setattr(views, limit, bound)

    with open_pixels(as_file(an_us_cine())) as pixels, pytest.raises(LimitExceeded, match=limit):
        list(views.views(pixels))


def test_the_scenes_of_a_cine_have_a_bound(monkeypatch):
    monkeypatch.setattr(views, "SCENES_MAX", 2)
    flashes = np.stack([np.full((8, 8), 255 * (number % 2), np.uint8) for number in range(4)])

    with (
        open_pixels(as_file(with_pixels(an_us_cine(), flashes))) as pixels,
        pytest.raises(LimitExceeded, match="SCENES"),
    ):
        list(views.views(pixels))


def test_noise_has_a_bound(monkeypatch):
    monkeypatch.setattr(components, "RUNS_MAX", 10)

    with pytest.raises(LimitExceeded, match="RUNS_MAX"):
        areas(np.eye(20, dtype=np.float32), 0.5)


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=8))
def test_areas_are_the_pixels_that_can_be_walked_to(rows):
    seen = np.array(rows, np.float32)
    expected = set()
    left = {(int(row), int(column)) for row, column in np.argwhere(seen > 0.5)}
    while left:
        todo, area = [left.pop()], []
        while todo:
            row, column = todo.pop()
            area.append((row, column))
            near = {(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)} & left
            left -= near
            todo += near
        ys, xs = [row for row, _ in area], [column for _, column in area]
        expected.add((Box(min(ys), min(xs), max(ys) + 1, max(xs) + 1), len(area)))

    assert {(one.box, one.pixels) for one in areas(seen, 0.5)} == expected
    assert all(one.mean == 1 for one in areas(seen, 0.5))
