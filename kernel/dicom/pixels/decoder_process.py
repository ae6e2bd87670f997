"""The program of a decoding process: questions on standard input, answers on standard output, until the input ends."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.codecs import as_allocated, decode
from kernel.dicom.pixels.color import decoded_photometric_interpretation
from kernel.dicom.pixels.decoder_messages import Answer, Question
from kernel.dicom.pixels.decoders import DECODER_BYTES_MAX
from kernel.dicom.pixels.encoders import encode
from kernel.dicom.pixels.icc import as_srgb
from kernel.dicom.pixels.jpeg_crops import cropped_jpeg
from kernel.dicom.pixels.jpeg_masks import masked_jpeg
from kernel.dicom.processes.program import serve
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from kernel.errors import MalformedInstance


def answer(question: Question) -> Answer:
    """Decode one frame, and encode it again if that was asked for; or mask or cut one, or bring colors to sRGB."""
    try:
        if question.profile:
            return Answer(data=as_srgb(question.data, question.image, question.profile))
        if question.boxes:
            return Answer(data=masked_jpeg(question.data, question.image, question.boxes))
        if question.kept:
            return Answer(data=cropped_jpeg(question.data, question.kept))
        array = np.ascontiguousarray(decode(question.data, question.image, question.transfer_syntax_uid))
        if question.target:
            return Answer(data=_transcoded(array, question))
    except MalformedInstance as error:
        return Answer(refusal=str(error.fields["reason"]))
    except MemoryError:
        return Answer(refusal="a frame cannot be decoded (it takes too much memory)")
    except RuntimeError as error:  # what the encoders raise
        return Answer(refusal=f"a frame cannot be encoded ({type(error).__name__})")
    return Answer(dtype=array.dtype.str, shape=array.shape, data=array.tobytes())


def _transcoded(array: NDArray[Any], question: Question) -> bytes:
    image, target = question.image, question.target
    samples = as_allocated(array, image)
    if not SYNTAXES[target].encapsulated:
        return samples.tobytes()
    color = decoded_photometric_interpretation(
        image.photometric_interpretation, image.samples_per_pixel, question.transfer_syntax_uid
    )
    return encode(samples, image, target, is_rgb=color == "RGB", quality=question.quality)


if __name__ == "__main__":
    serve(Question, lambda: answer, question_bytes_max=DECODER_BYTES_MAX, memory_bytes_max=DECODER_BYTES_MAX)
