"""The program of a decoding process: questions on standard input, answers on standard output, until the input ends."""

import os
import resource
import sys

import msgspec
import numpy as np

from kernel.dicom.codecs import decode_compressed
from kernel.dicom.decoders import DECODER_BYTES_MAX, Answer, Question, read_message, write_message
from kernel.errors import MalformedInstance


def answer(question: Question) -> Answer:
    """Decode one frame."""
    try:
        array = np.ascontiguousarray(decode_compressed(question.data, question.image, question.transfer_syntax_uid))
    except MalformedInstance as error:
        return Answer(refusal=str(error.fields["reason"]))
    except MemoryError:
        return Answer(refusal="a frame cannot be decoded (it takes too much memory)")
    return Answer(dtype=array.dtype.str, shape=array.shape, data=array.tobytes())


def main() -> None:
    """Answer until the input ends. Codecs may print what they like: their output goes nowhere."""
    resource.setrlimit(resource.RLIMIT_AS, (DECODER_BYTES_MAX, DECODER_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    write_message(output, Answer())  # ready
    while (payload := read_message(sys.stdin.buffer, DECODER_BYTES_MAX)) is not None:
        write_message(output, answer(msgspec.msgpack.decode(payload, type=Question)))


if __name__ == "__main__":
    main()
