"""Pictures of an instance for whoever looks for text: each frame of a few, and of a cine what any of its frames shows.

A name may be in one frame only. A cine is parted into scenes where much changes at once, as when a machine shows another
page: else one scene would hide what is written in another. Of a scene the greatest value of each pixel over its frames
shows bright text, the least shows dark text, the greatest change from one frame to the next shows what comes and goes.
Frames of a scene of one or two, and those beside a step that is odd in some small place (`changes`), are looked at by
themselves: of hundreds of frames of moving tissue neither the greatest value nor the greatest change shows grey text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anonymizer.pixels.changes import Changes
from kernel.dicom.pixels.palette import apply_palette
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.vocabulary.limits import exceeded

FRAMES_MAX: Final = 3000  # of one cine
SINGLE_FRAMES_MAX: Final = 2  # an instance of no more frames is looked at frame by frame
SCENES_MAX: Final = 60  # of one cine; each takes up to three looks
CUT: Final = 0.15  # of the range of values, by which the mean pixel changes between scenes; or
CUT_TIMES, CUT_MORE, CUT_AFTER = 1.5, 0.01, 3  # so many times the median step, and a share of the range; after steps
PICTURE_PIXELS_MAX: Final = 64 * 1024 * 1024
FLAT: Final = 1e-9

Picture = NDArray[np.uint8]


def views(pixels: Pixels) -> Iterator[Picture]:
    """Yield pictures of 8 bits, grey or RGB, that together show all that is written on any frame.

    Raises
    ------
    LimitExceeded
        More frames than FRAMES_MAX, or larger ones than PICTURE_PIXELS_MAX.
    UnsupportedTransferSyntax, MalformedInstance
        A frame cannot be decoded.
    """
    changes, shown = Changes(), set[int]()
    for scene in _scenes(pixels, changes):
        yield from map(eight_bits, scene.few if scene.is_short else (scene.most, scene.least, scene.change))
        shown.update(scene.shown)
    for index in changes.odd_frames():
        if index not in shown:
            yield eight_bits(frame(pixels, index))


class Overview(NamedTuple):
    """A picture for a person: a frame, or what is brightest or darkest in any frame of a scene."""

    kind: Literal["frame", "brightest", "darkest"]
    first_frame: int  # counted from one
    last_frame: int
    picture: Picture


def overviews(pixels: Pixels) -> Iterator[Overview]:
    """Yield what a person must have seen before all frames were shown: every scene. Errors are those of `views`."""
    for scene in _scenes(pixels, Changes()):
        if scene.is_short:
            for number, shown in enumerate(scene.few, scene.first_frame):
                yield Overview("frame", number, number, eight_bits(shown))
        else:
            last_frame = scene.first_frame + scene.count - 1
            yield Overview("brightest", scene.first_frame, last_frame, eight_bits(scene.most))
            yield Overview("darkest", scene.first_frame, last_frame, eight_bits(scene.least))


def frame(pixels: Pixels, index: int) -> NDArray[Any]:
    """Return a decoded frame for the eye, grey or RGB, white as the greatest value."""
    array = pixels.decode(index)
    if pixels.image.photometric_interpretation == "PALETTE COLOR":
        return apply_palette(array, pixels.header, pixels.image)
    if pixels.image.photometric_interpretation == "MONOCHROME1":
        return array.max() - array
    return array[..., :3] if array.ndim == 3 else array


def _scenes(pixels: Pixels, changes: Changes) -> Iterator["_Scene"]:
    """Yield the scenes of an instance; an instance of few frames is one. `changes` takes the steps of a longer one."""
    image, count = pixels.image, pixels.frames.number_of_frames
    if image.rows * image.columns > PICTURE_PIXELS_MAX:
        raise exceeded("PICTURE_PIXELS_MAX", image.rows * image.columns, PICTURE_PIXELS_MAX)
    if count > FRAMES_MAX:
        raise exceeded("FRAMES_MAX", count, FRAMES_MAX)
    scene = _Scene.begun(frame(pixels, 0), 1)
    scenes, steps = 1, list[float]()
    for index in range(1, count):
        shown = frame(pixels, index)
        step = scene.step_to(shown)
        if count > SINGLE_FRAMES_MAX and _is_cut(step.mean, steps):
            yield scene
            scene, scenes = _Scene.begun(shown, index + 1), scenes + 1
            if scenes > SCENES_MAX:
                raise exceeded("SCENES_MAX", scenes, SCENES_MAX)
        else:
            scene.goes_on(shown, step)
        if count > SINGLE_FRAMES_MAX:
            steps.append(step.mean)
            changes.add(step.difference, step.reach)
    yield scene


def _is_cut(step: float, steps: Sequence[float]) -> bool:
    """Whether another scene begins after a step, a share of the range of values, that follows others."""
    is_odd = len(steps) >= CUT_AFTER and step > CUT_TIMES * float(np.median(steps)) + CUT_MORE
    return step > CUT or is_odd


class _Step(NamedTuple):
    """From one frame to the next."""

    now: NDArray[np.float32]  # the next frame, (rows, columns)
    difference: NDArray[np.float32]  # of each pixel
    reach: float  # of values: from black to white

    @property
    def mean(self) -> float:
        """By how much the mean pixel changes, as a share of the range of values."""
        return float(self.difference.mean()) / self.reach


@dataclass(slots=True)
class _Scene:
    """Frames that look alike: what any of them shows. Arrays are of shape (rows, columns)."""

    first_frame: int  # its number, counted from one
    few: list[NDArray[Any]]  # the first frames as they are
    last: NDArray[np.float32]
    most: NDArray[np.float32]
    least: NDArray[np.float32]
    change: NDArray[np.float32]
    count: int = 1

    @classmethod
    def begun(cls, shown: NDArray[Any], first_frame: int) -> "_Scene":
        grey = _grey(shown)
        return cls(first_frame, [shown], grey, grey.copy(), grey.copy(), np.zeros_like(grey))

    @property
    def is_short(self) -> bool:
        """Whether its frames are looked at as they are."""
        return self.count <= SINGLE_FRAMES_MAX

    @property
    def shown(self) -> range:
        """The indices of frames that are looked at as they are."""
        first = self.first_frame - 1
        return range(first, first + self.count if self.is_short else first)

    def step_to(self, shown: NDArray[Any]) -> _Step:
        now = _grey(shown)
        difference = np.abs(now - self.last)
        reach = max(float(self.most.max()), float(now.max())) - min(float(self.least.min()), float(now.min()))
        return _Step(now, difference, 255.0 if shown.dtype == np.uint8 else max(reach, FLAT))

    def goes_on(self, shown: NDArray[Any], step: _Step) -> None:
        np.maximum(self.most, step.now, out=self.most)
        np.minimum(self.least, step.now, out=self.least)
        np.maximum(self.change, step.difference, out=self.change)
        self.last = step.now
        self.count += 1
        if self.is_short:
            self.few.append(shown)


def _grey(array: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(array.max(axis=2) if array.ndim == 3 else array, np.float32)


def eight_bits(array: NDArray[Any], window: tuple[float, float] = (0.0, 1.0)) -> Picture:
    """Return samples from black to white over all values that there are, or over a window of them from 0 to 1."""
    if array.dtype == np.uint8 and window == (0.0, 1.0):
        return np.ascontiguousarray(array)
    values = array.astype(np.float32)
    least, reach = (0.0, 255.0) if array.dtype == np.uint8 else (float(values.min()), float(np.ptp(values)))
    low, high = least + window[0] * reach, least + window[1] * reach
    return np.asarray(np.clip((values - low) * (255 / max(high - low, FLAT)), 0, 255), np.uint8)
