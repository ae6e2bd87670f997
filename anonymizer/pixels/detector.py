"""Lines of text in a picture, found by the detector of PP-OCRv4: where something is written, never what.

The weights (4.7 MB, Apache-2.0) are in the wheel `rapidocr-onnxruntime`; none of its code is used. Run in the process of
`anonymizer.pixels.finder_process` alone: onnxruntime is native code.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonymizer.pixels.components import areas
from kernel.dicom.pixels.boxes import Box

WHEEL: Final = "rapidocr_onnxruntime"
WEIGHTS: Final = "models/ch_PP-OCRv4_det_infer.onnx"
SHORT_SIDE: Final = 736  # what the network likes at least
ENLARGED_MAX: Final = 2.0  # times; more makes letters of anatomy
STEP: Final = 32  # sides are multiples of it
THRESHOLD, MEAN_MIN, THICKNESS_MIN = 0.3, 0.5, 3  # of a pixel, of an area, in pixels of the network
GROWTH: Final = 1.6  # the network sees the core of a line; letters reach farther (PP-OCR's unclip ratio)


class Detector:
    """The network, loaded once."""

    def __init__(self) -> None:
        import onnxruntime  # an optional part, and native: not before this process asks for it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(str(_weights()), options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name

    def find(self, picture: NDArray[np.uint8], long_side: int) -> list[Box]:
        """Return where lines of text are in a picture, shape (rows, columns) or (rows, columns, 3).

        A picture with a longer side than `long_side` is looked at in that size.
        """
        rows, columns = picture.shape[:2]
        height, width = _size(rows, columns, long_side)
        scaled = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR), np.float32)
        planes = scaled[None] if scaled.ndim == 2 else scaled.transpose(2, 0, 1)[::-1]
        batch = np.ascontiguousarray(np.broadcast_to(planes / 127.5 - 1, (3, height, width))[None], np.float32)
        seen: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0][0, 0]
        found: list[Box] = []
        for area in areas(seen, THRESHOLD):
            box = area.box
            tall, wide = box.bottom - box.top, box.right - box.left
            if area.mean < MEAN_MIN or min(tall, wide) < THICKNESS_MIN:
                continue
            margin = GROWTH * area.pixels / (2 * (tall + wide)) + 1
            top, left = (box.top - margin) * rows / height, (box.left - margin) * columns / width
            bottom, right = (box.bottom + margin) * rows / height, (box.right + margin) * columns / width
            found.append(Box(int(top), int(left), int(bottom) + 1, int(right) + 1).within(rows, columns))
        return found


def is_installed() -> bool:
    """Whether the network's weights and what runs them are here."""
    return find_spec("onnxruntime") is not None and find_spec(WHEEL) is not None and _weights().is_file()


def _weights() -> Path:
    found = find_spec(WHEEL)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / WEIGHTS


def _size(rows: int, columns: int, long_side: int) -> tuple[int, int]:
    """Return the height and width in which the network sees a picture."""
    scale = min(max(1.0, SHORT_SIDE / min(rows, columns)), ENLARGED_MAX, long_side / max(rows, columns))
    return max(STEP, round(rows * scale / STEP) * STEP), max(STEP, round(columns * scale / STEP) * STEP)
