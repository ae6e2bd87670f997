"""Cleaning pixels: seconds to find text on a picture, milliseconds to mask a JPEG frame without decoding it.

./dev bench pixels. The budgets are 0.6 s a picture of 800 x 600 and 25 ms a frame, on a core that has nothing else to do.
"""

import io
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from anonymizer.pixels.finder import missing, shared_finders
from kernel.dicom.boxes import Box
from kernel.dicom.decoders import shared_decoders
from kernel.dicom.image import ImagePixel
from kernel.dicom.jpeg_masks import masked_jpeg
from tests.support.written import tissue, write

TIMES = 9
BAND = [Box(0, 0, 60, 800)]
IMAGE = ImagePixel(0x7FE00010, 1, 600, 800, 3, "YBR_FULL_422", 8, 8, 7, 0, 0)


def a_picture() -> np.ndarray:
    """Return an ultrasound picture with a name and a number."""
    return write(write(tissue(600, 800), "NGUYỄN THỊ HƯƠNG", (8, 10), size=20), "BN00123456", (40, 10), size=16)


def a_jpeg(subsampling: int) -> bytes:
    """Return it as a JPEG frame in color."""
    buffer = io.BytesIO()
    picture = Image.fromarray(np.repeat(a_picture()[:, :, None], 3, 2))
    picture.save(buffer, "JPEG", quality=90, subsampling=subsampling)
    return buffer.getvalue()


def measured(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> str:
    """Return median and least of TIMES runs after one, in milliseconds."""
    work()
    spent: list[float] = []
    for _ in range(TIMES):
        begun = clock()
        work()
        spent.append(1000 * (clock() - begun))
    return f"median {statistics.median(spent):.1f} ms, least {min(spent):.1f} ms"


def main() -> None:
    """Print one line for each."""
    print(f"load {os.getloadavg()[0]:.1f}")
    for subsampling, name in ((0, "4:4:4"), (2, "4:2:0")):
        frame = a_jpeg(subsampling)
        whole = measured(lambda frame=frame: shared_decoders().mask(frame, IMAGE, BAND))
        processor = measured(lambda frame=frame: masked_jpeg(frame, IMAGE, BAND), time.process_time)
        print(f"mask a band of an 800 x 600 JPEG frame, {name}: {whole}; processor time: {processor}")
    if missing():
        print(f"text is not looked for: install {missing()}")
        return
    for name, picture in (("with a name and a number", a_picture()), ("without text", tissue(600, 800))):
        print(
            f"find text on 800 x 600, {name}: {measured(lambda picture=picture: shared_finders().find(picture, 2000))}"
        )


if __name__ == "__main__":
    main()
