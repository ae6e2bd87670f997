"""Text that only some frames of a long cine show is shown to the finder, in a number of pictures that has a bound.

A made heart: speckle that beats, a thousand frames of it. Over so many frames every pixel was bright once, dark once and
changed much once, so no picture of a whole scene shows grey text that comes and goes.
"""

from functools import cache

import numpy as np
import pytest

from anonymizer.pixels import changes
from anonymizer.pixels.changes import CELLS, STEPS_MAX, Changes
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.views import views
from kernel.dicom.pixels.reading import open_pixels
from tests.anonymizer.test_pixel_cleaner import Sees, an_ultrasound, cleaned
from tests.support.builders import as_file
from tests.support.written import write

ROWS, COLUMNS, FRAMES = 96, 160, 1000
GREY = 85  # within what tissue becomes, at one time or another
PLACE, OTHER_PLACE = (40, 30), (70, 60)


@cache
def heart() -> np.ndarray:
    """Return speckle that moves and beats once in 24 frames, each beat of another strength."""
    rng = np.random.default_rng(1)
    grains = np.minimum(rng.gamma(2.0, 18.0, (24, ROWS, COLUMNS)), 150)
    moving = sum(np.roll(grains, step, axis=0) for step in range(6)) / 6  # a grain lasts for six frames
    strength = np.repeat(rng.uniform(0.2, 0.5, FRAMES // 24 + 1), 24)[:FRAMES]
    beat = 1 + strength * np.sin(np.arange(FRAMES) * (2 * np.pi / 24))
    noise = rng.integers(0, 30, (7, ROWS, COLUMNS))
    return np.stack([moving[at % 24] * beat[at] + noise[at % 7] for at in range(FRAMES)]).clip(0, 255).astype(np.uint8)


def letters(place: tuple[int, int], text: str) -> np.ndarray:
    return write(np.zeros((ROWS, COLUMNS), np.uint8), text, place, size=14, value=255) > 200


def with_text(frames: np.ndarray, at: range, place: tuple[int, int] = PLACE, text: str = "HUONG") -> np.ndarray:
    made = frames.copy()
    made[at.start : at.stop, letters(place, text)] = GREY
    return made


def shows(picture: np.ndarray, place: tuple[int, int], text: str) -> bool:
    """Whether letters stand out: they are even, and unlike what is around them."""
    drawn = letters(place, text)
    rows, columns = np.nonzero(drawn)
    around = np.zeros_like(drawn)
    around[rows.min() - 2 : rows.max() + 3, columns.min() - 2 : columns.max() + 3] = True
    rest = picture[around & ~drawn]
    return abs(float(picture[drawn].mean()) - float(rest.mean())) > float(rest.std()) + 8 > picture[drawn].std()


def shown(frames: np.ndarray) -> list[np.ndarray]:
    finder = Sees()
    cleaned(an_ultrasound(frames), Cleaner(finder))
    return finder.shown


@pytest.mark.parametrize(
    "at",
    [range(500, 501), range(300, 700), range(400, FRAMES), range(3), range(FRAMES - 2, FRAMES), range(611, 615)],
    ids=["one", "four hundred", "from some on", "the first three", "the last two", "four"],
)
def test_text_in_some_of_a_thousand_frames_is_shown(at):
    pictures = shown(with_text(heart(), at))

    assert any(shows(picture, PLACE, "HUONG") for picture in pictures)
    assert len(pictures) <= 3 + 2 * STEPS_MAX


@pytest.mark.parametrize("at", [range(300, 700), range(3), range(FRAMES - 2, FRAMES)])
def test_pictures_of_the_whole_scene_do_not_show_it(monkeypatch, at):
    monkeypatch.setattr(changes, "STEPS_MAX", 0)

    pictures = shown(with_text(heart(), at))

    assert len(pictures) == 3
    assert not any(shows(picture, PLACE, "HUONG") for picture in pictures)


def test_texts_at_two_places_in_other_frames_are_both_shown():
    frames = with_text(with_text(heart(), range(200, 203)), range(801, 802), OTHER_PLACE, "BN 0123")

    pictures = shown(frames)

    assert any(shows(picture, PLACE, "HUONG") for picture in pictures)
    assert any(shows(picture, OTHER_PLACE, "BN 0123") for picture in pictures)


def test_a_thousand_frames_of_tissue_alone_are_a_few_pictures():
    with open_pixels(as_file(an_ultrasound(heart()))) as pixels:
        assert len(list(views(pixels))) <= 3 + 2 * STEPS_MAX


def test_no_frame_of_a_still_picture_is_odd():
    seen = Changes()
    for _ in range(50):
        seen.add(np.zeros((ROWS, COLUMNS), np.float32), 255)

    assert seen.odd_frames() == []
    assert Changes().odd_frames() == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (7, 3), (CELLS, CELLS), (CELLS + 1, 2 * CELLS + 1), (480, 640)])
def test_an_odd_step_is_found_in_frames_of_any_size(shape):
    seen = Changes()
    for step in range(40):
        difference = np.full(shape, 5, np.float32)
        if step == 17:
            difference[-1, -1] = 4000
        seen.add(difference, 255)

    assert seen.odd_frames() == [17, 18]
