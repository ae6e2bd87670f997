"""Codecs in processes of their own: a frame that crashes, hangs or swells one costs that process, not the node.

Codecs are native code, and a few hundred damaged bytes are enough to keep one busy for half a minute or to end its
process. Each decoding process takes one frame at a time, within `seconds_allowed` and `DECODER_BYTES_MAX` of memory; if
it oversteps, it is ended, and the next frame gets a new one. What comes back is checked as if a stranger had sent it.

Uncompressed and RLE frames are decoded in our own process; see `kernel.dicom.pixels.reading`.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.codestream import stream_size
from kernel.dicom.pixels.decoder_messages import Answer, Question, array_of
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.jpeg_transform import Extent
from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import SYNTAXES

DECODE_SECONDS: Final = 5.0  # for any frame, however small
DECODED_BYTES_PER_SECOND: Final = 4 * MEBIBYTE  # of a slow codec on a busy machine; usual are 50 to 200
DECODER_BYTES_MAX: Final = 4096 * MEBIBYTE  # of address space, libraries included
DECODERS: Final = 2  # processes at once
WAIT_SECONDS_MAX: Final = 60.0  # for a free one

_OVERHEAD_BYTES: Final = 64 * 1024  # of an answer besides its pixels


def seconds_allowed(image: ImagePixel) -> float:
    """Return how long one frame may take."""
    return DECODE_SECONDS + image.decoded_bytes / DECODED_BYTES_PER_SECOND


class Decoders:
    """A few decoding processes, begun when they are first needed, shared by all threads."""

    def __init__(
        self, processes: int = DECODERS, *, seconds_of: Callable[[ImagePixel], float] = seconds_allowed
    ) -> None:
        self._seconds_of = seconds_of
        self._processes = processes
        self._children = Children(
            "kernel.dicom.pixels.decoder_process",
            "decoding frames",
            Answer,
            processes=processes,
            wait_seconds_max=WAIT_SECONDS_MAX,
        )
        self._threads = ThreadPoolExecutor(processes, "transcode")

    def decode(self, data: bytes, image: ImagePixel, transfer_syntax_uid: str) -> NDArray[Any]:
        """Return a compressed frame as an array; see `codecs.decode_compressed`.

        Raises
        ------
        MalformedInstance
            The frame is damaged.
        LimitExceeded
            It took longer than it may.
        Busy
            All processes were busy for `WAIT_SECONDS_MAX`.
        """
        return array_of(self._ask(Question(data, image, transfer_syntax_uid)), image)

    def transcode(self, question: Question) -> bytes:
        """Return a frame in another transfer syntax; errors as those of `decode`."""
        answer = self._ask(question)
        native_bytes = question.image.decoded_bytes
        if not SYNTAXES[question.target].encapsulated and len(answer.data) != native_bytes:
            raise malformed("a frame is not of the announced size")
        return answer.data

    def transcode_each(self, questions: Iterable[Question]) -> Iterator[bytes]:
        """Yield frames in another transfer syntax, in order; as many are worked on at once as there are processes."""
        waiting: deque[Future[bytes]] = deque()
        try:
            for question in questions:
                waiting.append(self._threads.submit(self.transcode, question))
                if len(waiting) > self._processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def mask(self, data: bytes, image: ImagePixel, boxes: Sequence[Box]) -> bytes:
        """Return a lossy JPEG frame with areas made black, see `jpeg_masks`; errors as those of `decode`."""
        made = self._ask(Question(data, image, "", boxes=tuple(boxes))).data
        size = stream_size(made)
        if size is None or (size.rows, size.columns, size.components) != (
            image.rows, image.columns, image.samples_per_pixel,
        ):  # fmt: skip
            raise malformed("a frame is not of the announced size")
        return made

    def crop(self, data: bytes, kept: Extent) -> bytes:
        """Return the upper left part of a lossy JPEG frame, see `jpeg_crops`; errors as those of `decode`."""
        size = stream_size(data)
        if size is None:
            raise malformed("a frame is no JPEG")
        made = self._ask(Question(data, _of_bytes(size.rows, size.columns, size.components), "", kept=kept)).data
        if stream_size(made) != size._replace(rows=kept.rows, columns=kept.columns):
            raise malformed("a frame is not of the announced size")
        return made

    def to_srgb(self, pixels: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
        """Return RGB that an ICC profile describes, shape (rows, columns, 3), as sRGB; errors as those of `decode`."""
        rows, columns, _ = pixels.shape
        answer = self._ask(Question(pixels.tobytes(), _of_bytes(rows, columns, 3), "", profile=profile))
        if len(answer.data) != pixels.size:
            raise malformed("the ICC profile cannot be used")
        return np.frombuffer(answer.data, np.uint8).reshape(pixels.shape)

    def _ask(self, question: Question) -> Answer:
        seconds_max = self._seconds_of(question.image)
        try:
            answer = self._children.ask(question, 2 * question.image.decoded_bytes + _OVERHEAD_BYTES, seconds_max)
        except ChildEndedError as error:
            if error.was_late:
                bound = math.ceil(seconds_max)
                raise exceeded("seconds to decode a frame", bound + 1, bound) from None
            raise malformed("a frame cannot be decoded (the codec failed)") from None
        if answer.refusal:
            raise malformed(answer.refusal[:300])
        return answer

    def close(self) -> None:
        """End the processes; a later frame begins new ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(self._processes, "transcode")
        self._children.close()


def _of_bytes(rows: int, columns: int, samples: int) -> ImagePixel:
    """Return the description of a picture of 8 bits a sample; the photometric interpretation is not looked at."""
    return ImagePixel(0x7FE00010, 1, rows, columns, samples, "RGB", 8, 8, 7, 0, 0)


shared_decoders: Final = OfThisProcess(Decoders)
