"""kill -9 at a chosen step: a child process that works until it kills itself, and what it said before.

Children come from one server process that has imported everything once, so that each costs a fork.
"""

import multiprocessing
import os
import signal

multiprocessing.set_forkserver_preload(["tests.archive.conftest", "tests.archive.test_crash"])


class Death:
    """Kills this process at one step of its work on one instance, the one of number `fatal`."""

    def __init__(self, step: str, fatal: int) -> None:
        self._step = step
        self._fatal = fatal
        self.number = 0

    def at(self, step: str) -> None:
        if step == self._step and self.number == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, step: str, call):
        def wrapped(*arguments, **named):
            result = call(*arguments, **named)
            self.at(step)
            return result

        return wrapped


def killed(target, *arguments) -> list[str]:
    """Run `target` in a process until it kills itself; return what it acknowledged."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=target, args=(*arguments, theirs))
    child.start()
    theirs.close()
    answers: list[str] = []
    try:
        while True:
            answers.append(ours.recv())
    except EOFError:
        pass
    child.join()
    assert child.exitcode == -signal.SIGKILL
    return answers
