"""A thread that looks every little while."""

import json
import threading

from kernel.clock import ManualClock
from kernel.errors import Busy
from kernel.rounds import Rounds


def test_rounds_go_on_after_one_failed_and_end_when_they_are_stopped(logged):
    looked = threading.Semaphore(0)
    failures = iter((Busy(what="a part"), ZeroDivisionError()))

    def look():
        looked.release()
        for failure in failures:
            raise failure

    rounds = Rounds("looking", ManualClock(), look)
    rounds.start()
    assert all(looked.acquire(timeout=30) for _ in range(3))
    rounds.stop(30)
    assert rounds.stopping
    assert all(thread.name != "looking" for thread in threading.enumerate())
    lines = map(json.loads, logged.getvalue().splitlines())
    assert [(one["round"], one["level"]) for one in lines if one["event"] == "round_failed"] == [
        ("looking", "warning"),
        ("looking", "error"),
    ]
