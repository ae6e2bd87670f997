"""A slide that nobody's tissue lies on: glands, stroma and nuclei drawn in the colors of haematoxylin and eosin.

It looks, zooms and compresses like a scan of stained colon at 20 times; there is nothing in it to diagnose.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

MPP = 0.5  # microns a pixel
WIDTH, HEIGHT = 6400, 4352
_COARSE = 8  # pixels of the slide in one of the plan
_ROWS, _COLUMNS = HEIGHT // _COARSE, WIDTH // _COARSE
_GRAIN = 128  # pixels, after which it comes again
_GLANDS_TRIED = 4500  # where there is room, there is one
_NUCLEI = 52_000
_GLASS, _STROMA, _CYTOPLASM, _LUMEN = (242, 240, 243), (232, 176, 205), (214, 150, 198), (246, 238, 245)
_NUCLEUS = ((92, 58, 140), (112, 76, 158), (76, 46, 122))

Plan = NDArray[np.float32]


def drawn() -> Image.Image:
    """Return the slide as it is scanned, `WIDTH` by `HEIGHT` pixels, RGB; the same each time."""
    chance = np.random.default_rng(20261122)
    tissue, glands = _piece(chance), _glands(chance)
    base = _stained(tissue, glands, chance)
    picture = base.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    _draw_nuclei(picture, tissue, glands, chance)
    return _with_grain(picture.filter(ImageFilter.GaussianBlur(0.8)), chance)


def _piece(chance: np.random.Generator) -> Plan:
    """Return how much of a place is tissue, 0 to 1: one piece in the middle of the glass."""
    y, x = np.mgrid[0:_ROWS, 0:_COLUMNS].astype(np.float32)
    bent = _clouds(chance, 6) * 0.18
    shape = ((x / _COLUMNS - 0.5) / 0.42) ** 2 + ((y / _ROWS - 0.5) / 0.38) ** 2 + bent
    return np.clip((1.0 - shape) * 12, 0, 1)


def _glands(chance: np.random.Generator) -> Plan:
    """Return how deep in a gland a place is: 0 outside, 1 in its middle."""
    y, x = np.mgrid[0:_ROWS, 0:_COLUMNS].astype(np.float32)
    depth, wobble = np.zeros((_ROWS, _COLUMNS), np.float32), _clouds(chance, 40) * 0.22
    placed: list[tuple[float, float, float]] = []
    for _ in range(_GLANDS_TRIED):
        at_y, at_x, radius = chance.uniform(0, _ROWS), chance.uniform(0, _COLUMNS), chance.uniform(9, 19)
        if any((at_y - b) ** 2 + (at_x - a) ** 2 < (radius + r + 3) ** 2 for b, a, r in placed):
            continue
        placed.append((at_y, at_x, radius))
        reach = int(radius * 1.8)
        top, left = max(0, int(at_y) - reach), max(0, int(at_x) - reach)
        part = np.s_[top : int(at_y) + reach, left : int(at_x) + reach]
        turn, long = chance.uniform(0, np.pi), chance.uniform(1.0, 1.45)
        dy, dx = y[part] - at_y, x[part] - at_x
        along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        distance = np.sqrt((along / long) ** 2 + (across * long**0.5) ** 2) / radius + wobble[part]
        depth[part] = np.maximum(depth[part], np.clip(1.0 - distance, 0, 1))
    return depth


def _stained(tissue: Plan, glands: Plan, chance: np.random.Generator) -> Image.Image:
    """Return the plan in its colors: glass, stroma with its fibres, cytoplasm, lumen."""
    fibres = _clouds(chance, 90, stretch=3)
    picture: Any = np.empty((_ROWS, _COLUMNS, 3), np.float32)
    picture[:] = _STROMA
    picture += fibres[..., None] * np.array((10, 26, 14), np.float32)
    for depth, color in ((0.04, _CYTOPLASM), (0.52, _LUMEN)):
        share = np.clip((glands - depth) * 14, 0, 1)[..., None]
        picture = picture * (1 - share) + np.array(color, np.float32) * share
    share = tissue[..., None]
    picture = np.array(_GLASS, np.float32) * (1 - share) + picture * share
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def _draw_nuclei(picture: Image.Image, tissue: Plan, glands: Plan, chance: np.random.Generator) -> None:
    """Draw nuclei: close together where glands have their border, few and thin in the stroma, none in a lumen."""
    draw = ImageDraw.Draw(picture)
    border = np.exp(-(((glands - 0.13) / 0.07) ** 2))
    density = tissue * np.where(glands > 0.02, border, 0.10)
    places = chance.choice(density.size, _NUCLEI, p=(density / density.sum()).ravel())
    rows, columns = np.unravel_index(places, density.shape)
    at_y, at_x = (rows + chance.random(_NUCLEI)) * _COARSE, (columns + chance.random(_NUCLEI)) * _COARSE
    is_epithelial = glands[rows, columns] > 0.02
    long = np.where(is_epithelial, chance.uniform(7, 10, _NUCLEI), chance.uniform(5, 11, _NUCLEI))
    wide = np.where(is_epithelial, chance.uniform(4.5, 6.5, _NUCLEI), chance.uniform(2.5, 4.5, _NUCLEI))
    turn, kind = chance.uniform(0, np.pi, _NUCLEI), chance.integers(0, len(_NUCLEUS), _NUCLEI)
    round_ = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    cosine, sine = np.cos(round_), np.sin(round_)
    for y, x, a, b, t, k in zip(at_y, at_x, long, wide, turn, kind, strict=True):
        along, across = a * cosine, b * sine
        outline = np.stack((x + along * np.cos(t) - across * np.sin(t), y + along * np.sin(t) + across * np.cos(t)), 1)
        draw.polygon(outline.ravel().tolist(), fill=_NUCLEUS[k])


def _with_grain(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Return it with a camera's noise."""
    grain = chance.integers(-5, 6, (_GRAIN, _GRAIN, 1), dtype=np.int16)
    noise = np.tile(grain, (HEIGHT // _GRAIN, WIDTH // _GRAIN, 1))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def _clouds(chance: np.random.Generator, fine: int, stretch: int = 1) -> Plan:
    """Return smooth noise of mean 0 and deviation 1, about `fine` hills in a row."""
    few = chance.standard_normal((max(4, fine * _ROWS // _COLUMNS * stretch), fine)).astype(np.float32)
    made = np.asarray(Image.fromarray(few).resize((_COLUMNS, _ROWS), Image.Resampling.BICUBIC))
    return (made - made.mean()) / made.std()
