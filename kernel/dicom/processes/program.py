"""The program's side of a child process: questions on standard input, answers on standard output, until the input ends.

Each message is MessagePack with its length before it; the program speaks first, when it is ready. `kernel.dicom.processes.child` is
the other side.
"""

import os
import resource
import sys
from collections.abc import Callable
from typing import IO, Final, TypeVar

import msgspec

_SIZE_BYTES: Final = 8

Question = TypeVar("Question")


def write_message(stream: IO[bytes], message: object) -> None:
    """Write one message with its length before it."""
    payload = msgspec.msgpack.encode(message)
    stream.write(len(payload).to_bytes(_SIZE_BYTES, "big"))
    stream.write(payload)
    stream.flush()


def read_message(stream: IO[bytes], bytes_max: int) -> bytes | None:
    """Return one message; None at the end of the stream, or if it is longer than it may be."""
    size = int.from_bytes(stream.read(_SIZE_BYTES), "big")
    if not 0 < size <= bytes_max:
        return None
    payload = stream.read(size)
    return payload if len(payload) == size else None


def serve(
    question_type: type[Question],
    begun: Callable[[], Callable[[Question], object]],
    *,
    question_bytes_max: int,
    memory_bytes_max: int,
    maps_files: bool = False,
) -> None:
    """Answer until the input ends, within so much address space, libraries included.

    `maps_files`: within so much memory of its own instead; files that it maps do not count.
    `begun` loads what is needed and returns what answers. What libraries print goes nowhere.
    """
    resource.setrlimit(resource.RLIMIT_DATA if maps_files else resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answer = begun()
    write_message(output, None)  # ready
    while (payload := read_message(sys.stdin.buffer, question_bytes_max)) is not None:
        write_message(output, answer(msgspec.msgpack.decode(payload, type=question_type)))
