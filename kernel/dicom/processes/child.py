"""A process that does native work for us, one question at a time: what crashes, hangs or swells it costs it, not us.

Its program reads questions from standard input and writes answers to standard output, each with its length before it
(`kernel.dicom.processes.program`), and speaks first, when it is ready. It sets its own bound on memory.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import Final

from kernel.dicom.processes.program import read_message, write_message
from kernel.errors import Busy

START_SECONDS_MAX: Final = 60.0  # until a new process has loaded its libraries
READY_BYTES_MAX: Final = 64 * 1024  # of its first words


class ChildEndedError(Exception):
    """The process ended instead of answering; `was_late` if we ended it."""

    def __init__(self, *, was_late: bool) -> None:
        super().__init__("late" if was_late else "ended")
        self.was_late = was_late


class Child:
    """One process, begun when it is first asked, and again after it ended."""

    def __init__(self, program: str, what: str) -> None:
        """`program` is a module's name, `what` says for a person what it does."""
        self._program = program
        self._what = what
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: object, bytes_max: int, seconds_max: float) -> bytes:
        """Return the encoded answer; the process is ended if there is none in time, or a longer one.

        Raises
        ------
        ChildEndedError
            There is no answer.
        Busy
            A new process could not be begun.
        """
        process = self._running()
        late = threading.Event()
        payload = _exchange(process, question, bytes_max, seconds_max, late)
        if payload is None:
            self.end()
            raise ChildEndedError(was_late=late.is_set())
        return payload

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.end()
        environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.defpath}
        self._process = subprocess.Popen(  # noqa: S603 this interpreter, and a module that we name
            [sys.executable, "-m", self._program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        if _exchange(self._process, None, READY_BYTES_MAX, START_SECONDS_MAX, threading.Event()) is None:
            self.end()
            raise Busy(what=f"starting a process for {self._what}")
        return self._process

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _exchange(
    process: "subprocess.Popen[bytes]",
    question: object | None,
    bytes_max: int,
    seconds_max: float,
    late: threading.Event,
) -> bytes | None:
    """Ask, and return the answer; None, and `late` if that is why, when the process ended. A new one speaks first."""

    def stop() -> None:
        late.set()
        process.kill()

    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(seconds_max, stop)
    timer.daemon = True
    begun_s = time.monotonic()
    timer.start()
    try:
        if question is not None:
            write_message(process.stdin, question)
        answer = read_message(process.stdout, bytes_max)
    except OSError:
        return None
    finally:
        timer.cancel()
    if time.monotonic() - begun_s > seconds_max:  # an answer that overtook the timer is late all the same
        late.set()
        return None
    return answer
