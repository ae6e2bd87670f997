"""Of a name that was burned in no single character is left, whatever its place, size, turn, contrast and frame."""

from dataclasses import dataclass

import numpy as np
import pytest

from anonymizer.pixels.cleaner import Cleaner
from tests.anonymizer.test_pixel_cleaner import an_ultrasound, cleaned
from tests.support.characters import characters_left
from tests.support.written import tissue, write


@dataclass(frozen=True)
class Written:
    """A text and where it stands in a picture."""

    text: str
    at: tuple[int, int]
    size: int = 18
    value: int = 235
    turned: int = 0

    def on(self, picture: np.ndarray) -> np.ndarray:
        return write(picture, self.text, self.at, size=self.size, value=self.value, turned=self.turned)

    def left_in(self, picture: np.ndarray) -> str:
        return characters_left(picture, self.text, self.at, size=self.size, turned=self.turned)


PLANTED = {
    "a header": (
        Written("NGUYỄN THỊ HƯƠNG", (6, 10), 20),
        Written("BN00123456", (34, 10), 16),
        Written("12/04/1970", (6, 460), 16),
    ),
    "grey and small": (Written("Trần Văn Đức", (8, 12), 13, 120), Written("0912345678", (30, 12), 13, 120)),
    "large": (Written("PHẠM HỒNG HÀ", (4, 20), 44),),
    "on its side": (Written("LÊ VĂN BÌNH", (120, 8), 20, turned=90), Written("BN00654321", (140, 600), 18, turned=270)),
    "in the fan": (Written("ĐOÀN MINH TUẤN", (300, 190), 22),),
    "at the edges": (Written("HOÀNG GIA BẢO", (456, 6), 18), Written("VŨ NGỌC ÁNH", (456, 470), 18)),
}


def a_picture(written: tuple[Written, ...]) -> np.ndarray:
    picture = tissue()
    for one in written:
        picture = one.on(picture)
    return picture


def _letters(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("written", PLANTED.values(), ids=PLANTED.keys())
def test_every_character_that_is_there_is_made_out_and_none_that_is_not(written):
    """So that a score means something."""
    for one in written:
        assert one.left_in(a_picture(written)) == _letters(one.text)
        assert one.left_in(tissue()) == ""


def test_a_mask_that_is_too_short_is_found_out():
    name = PLANTED["a header"][0]
    picture = a_picture((name,))
    picture[0:40, 0:180] = 0

    assert "NG" in name.left_in(picture)
    assert "NGUY" not in name.left_in(picture)


@pytest.mark.peer("pixels")
@pytest.mark.parametrize("written", PLANTED.values(), ids=PLANTED.keys())
def test_no_character_is_left(written):
    result, frames = cleaned(an_ultrasound(a_picture(written)), Cleaner())

    assert result.verdict == "cleaned"
    assert {one.text: one.left_in(frames[0]) for one in written} == {one.text: "" for one in written}


@pytest.mark.peer("pixels")
def test_no_character_is_left_in_any_frame_of_a_cine():
    name = Written("NGUYỄN THỊ HƯƠNG", (200, 150), 20)
    frames = [tissue(seed=number) for number in range(5)] + [name.on(tissue(seed=number)) for number in range(5, 8)]

    result, given = cleaned(an_ultrasound(np.stack(frames)), Cleaner())

    assert result.verdict == "cleaned"
    assert [number for number, frame in enumerate(given) if name.left_in(frame)] == []
