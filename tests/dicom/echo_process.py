"""A child process for tests: it answers with what it is told, prints nonsense first, and ends, sleeps or lies when asked to."""

import os
import signal
import sys

from kernel.dicom.processes.program import serve

MEMORY = 1024 * 1024 * 1024


def answer(question: str) -> object:
    """Do as the question says."""
    print("a library says something")  # noqa: T201 what must not reach the answers
    sys.stdout.flush()
    if question == "end":
        os._exit(1)
    if question == "hang":
        signal.pause()
    return {"a": 1} if question == "lie" else question if question != "swell" else len(bytearray(2 * MEMORY))


if __name__ == "__main__":
    serve(str, lambda: answer, question_bytes_max=1000, memory_bytes_max=MEMORY)
