"""Cleaning pixels: how long to find text on a picture, to clean it, and to mask a JPEG frame without decoding it.

To clean is to look, mask and look again. ./dev bench pixels. The budgets are 0.6 s a picture of 800 x 600 and 25 ms a
frame, on a core that has nothing else to do.
"""

import io
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from anonymizer.pixels.cleaner import Cleaner, Cleaning
from anonymizer.pixels.finder import missing, shared_finders
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.jpeg_masks import masked_jpeg
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.support.builders import a_dataset, as_file, with_pixels
from tests.support.written import tissue, write

TIMES = 9
BAND = [Box(0, 0, 60, 800)]
IMAGE = ImagePixel(0x7FE00010, 1, 600, 800, 3, "YBR_FULL_422", 8, 8, 7, 0, 0)


def a_picture() -> np.ndarray:
    """Return an ultrasound picture with a name and a number."""
    return write(write(tissue(600, 800), "NGUYỄN THỊ HƯƠNG", (8, 10), size=20), "BN00123456", (40, 10), size=16)


def a_screen() -> np.ndarray:
    """Return it with ten lines more, as a full screen has."""
    picture = a_picture()
    for line in range(10):
        picture = write(
            picture, f"D{line} 2{line}.4 mm" if line % 2 else f"CHẨN ĐOÁN {line}", (90 + 40 * line, 10), size=14
        )
    return picture


def an_instance(picture: np.ndarray) -> bytes:
    """Return a picture as a file of an ultrasound image."""
    return as_file(with_pixels(a_dataset("1.2.840.10008.5.1.4.1.1.6.1", seed="bench", Modality="US"), picture))


def cleaned(source: bytes) -> Cleaning | None:
    """Clean an instance as a node does."""
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    return Cleaner().clean(source, header, meta.transfer_syntax_uid)


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
    pictures = {"a name and a number": a_picture(), "twelve lines": a_screen(), "no text": tissue(600, 800)}
    for name, picture in pictures.items():
        found = measured(lambda picture=picture: shared_finders().find(picture, 2000))
        source = an_instance(picture)
        whole = measured(lambda source=source: cleaned(source))
        print(f"800 x 600 with {name}: find text {found}; clean {whole}")


if __name__ == "__main__":
    main()
