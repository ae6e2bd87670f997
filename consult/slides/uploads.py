"""Vendors' slides that come in over HTTP, in pieces: a line that breaks, or a node that starts again, loses none of them.

A slide that is whole is taken by one thread, one after the other; one that cannot be taken yet is tried again.
"""

import copy
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final

from consult.slides.intake import DECODING, Taken
from consult.slides.laying_out import laid_out
from consult.slides.upload_files import Turn, Upload, found
from consult.slides.upload_record import FINAL, Form, Owner, Record, State
from consult.slides.upload_taking import Taking
from kernel import telemetry
from kernel.archive.blobs.durable import flush_folder
from kernel.archive.blobs.stage import Space
from kernel.clock import Clock
from kernel.errors import Busy, ExchangeError, LimitExceeded, NotFound, Retriable, UploadMoved

OPEN_MAX: Final = 16  # slides that one caller sends at once
RECORDS_MAX: Final = 500  # of a node; what is over and longest so goes first
KEPT: Final = timedelta(days=1)  # after the last byte, or after it was taken
RETRY: Final = timedelta(minutes=1)  # between two attempts to take a slide that could not be taken yet
_RETRY_AFTER_S: Final = 60
_FAILED: Final = "The node failed; its log has the reason"

_log = telemetry.get_logger("consult.slides")


class _StoppedError(Exception):
    """The node stops, or nobody wants the slide any more."""


class Uploads:
    """The slides on their way into a node; safe in threads."""

    def __init__(
        self, folder: Path, space: Space, taking: Taking, clock: Clock, random: Callable[[int], str], *, bytes_max: int
    ) -> None:
        self._folder = folder
        self._space = space
        self._taking = taking
        self._clock = clock
        self._random = random
        self._bytes_max = bytes_max  # of one slide
        self._lock = threading.Lock()
        self._uploads: dict[str, Upload] = {}
        self._stopping = threading.Event()
        self._taker = ThreadPoolExecutor(1, "slide-uploads")

    def start(self) -> None:
        """Find what an earlier run left, and go on with it."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in self._folder.iterdir():
            one = found(folder)
            if one is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._uploads[folder.name] = one
        self.sweep()

    def stop(self) -> None:
        """Break off what is being taken; it begins anew when the node starts again."""
        self._stopping.set()
        self._taker.shutdown(wait=True, cancel_futures=True)

    def begin(self, owner: Owner, form: Form) -> Record:
        """Begin with a slide.

        Raises
        ------
        LimitExceeded, StorageFull, Busy
            It is too large, or there are too many.
        """
        if form.bytes > self._bytes_max:
            raise LimitExceeded(limit="body_bytes_max", value=form.bytes, bound=self._bytes_max)
        record = Record(self._random(16), owner, form, self._clock.now())
        with self._lock:
            going = [one.record for one in self._uploads.values() if one.record.state not in FINAL]
            if sum(owner.is_same(one.owner) for one in going) >= OPEN_MAX:
                raise Busy(what=f"{OPEN_MAX} slides of this caller are on their way", retry_after_s=_RETRY_AFTER_S)
            self._space.check_space(2 * form.bytes + sum(2 * one.form.bytes - one.offset for one in going))
            self._make_room()
            one = Upload(record, self._folder / record.upload)
            one.folder.mkdir(mode=0o700)
            one.file.touch(mode=0o600)
            one.keep()
            flush_folder(self._folder)
            self._uploads[record.upload] = one
            return copy.copy(record)

    def of(self, owner: Owner) -> list[Record]:
        """Return a caller's slides, the newest first."""
        with self._lock:
            mine = [copy.copy(one.record) for one in self._uploads.values() if owner.is_same(one.record.owner)]
        return sorted(mine, key=lambda one: one.changed_at, reverse=True)

    def get(self, owner: Owner, upload: str) -> Record:
        """Return how a caller's slide is. Raises NotFound."""
        return copy.copy(self._of(owner, upload).record)

    def turn(self, owner: Owner, upload: str, offset: int) -> Turn:
        """Let a caller send the bytes of its slide from `offset` on; call `end` after them, however they ended.

        Raises
        ------
        NotFound
            The caller has no such slide on its way.
        UploadMoved
            The next byte is another one, or the slide is whole.
        """
        one = self._of(owner, upload)
        with one.lock:
            if offset != one.record.offset or one.record.state is not State.RECEIVING:
                raise UploadMoved(offset=one.record.offset)
            one.turn = Turn(one, self._space, self._received)
            return one.turn

    def forget(self, owner: Owner, upload: str) -> None:
        """Forget a caller's slide; what was taken of it stays. Raises NotFound."""
        one = self._of(owner, upload)
        with one.lock:
            one.turn = None
            self._drop(one)

    def _received(self, upload: Upload) -> None:
        """Keep what came of a slide; have it taken if it is whole. Called with its lock held."""
        record = upload.record
        record.changed_at = self._clock.now()
        if record.offset == record.form.bytes:
            record.state = State.WAITING
        upload.keep()
        if record.state is State.WAITING:
            self._queue(upload)

    def sweep(self) -> None:
        """Forget what nobody asked for any more, and try again what could not be taken."""
        now = self._clock.now()
        with self._lock:
            all_of_them = list(self._uploads.values())
        for one in all_of_them:
            age = now - one.record.changed_at
            if one.record.state is State.WAITING and (age >= RETRY or not one.record.code):
                self._queue(one)
            elif age > KEPT and one.record.state in FINAL | {State.RECEIVING}:
                with one.lock:
                    one.turn = None
                    self._drop(one)

    def _of(self, owner: Owner, upload: str) -> Upload:
        with self._lock:
            one = self._uploads.get(upload)
        if one is None or not owner.is_same(one.record.owner):
            raise NotFound(what="slide on its way")
        return one

    def _make_room(self) -> None:
        """Forget what is over and longest so. Raises Busy."""
        if len(self._uploads) < RECORDS_MAX:
            return
        over = [one for one in self._uploads.values() if one.record.state in FINAL]
        if not over:
            raise Busy(what="too many slides are on their way", retry_after_s=_RETRY_AFTER_S)
        oldest = min(over, key=lambda one: one.record.changed_at)
        del self._uploads[oldest.record.upload]
        shutil.rmtree(oldest.folder, ignore_errors=True)

    def _drop(self, one: Upload) -> None:
        with self._lock:
            self._uploads.pop(one.record.upload, None)
        shutil.rmtree(one.folder, ignore_errors=True)

    def _queue(self, one: Upload) -> None:
        with self._lock:
            if one.is_queued or self._stopping.is_set():
                return
            one.is_queued = True
            self._taker.submit(self._take, one)

    def _take(self, one: Upload) -> None:
        record = one.record

        def go_on() -> None:
            if self._stopping.is_set() or record.upload not in self._uploads:
                raise _StoppedError

        def progress(what: str, done: int, total: int) -> None:
            go_on()
            record.state = State.DECODING if what == DECODING else State.STORING
            record.done, record.total = done, total

        try:
            with laid_out(one.file, record.form, self._space, self._bytes_max, go_on) as slide:
                taken = self._taking.take(slide, record, progress)
        except _StoppedError:
            return
        except ExchangeError as error:
            self._settle(one, State.WAITING if isinstance(error, Retriable) else State.FAILED, error.code, str(error))
        except Exception as error:  # noqa: BLE001 (a thread's edge: other slides come after it)
            _log.error("slide_not_taken", upload=record.upload, exc_info=error)
            self._settle(one, State.FAILED, "ProcessingFailure", f"{_FAILED} under {record.upload}.")
        else:
            _tell(record, taken)
            self._settle(one, State.STORED, "", "")

    def _settle(self, one: Upload, state: State, code: str, reason: str) -> None:
        """Write down how it went; only what may go better later is kept, and what cannot be audited now.

        Nobody sees a slide as over before all of that is done.
        """
        with one.lock:
            settled = copy.copy(one.record)
            settled.state, settled.code, settled.reason, settled.changed_at = state, code, reason, self._clock.now()
            if settled.upload in self._uploads:
                if state in FINAL:
                    try:
                        self._taking.audit(settled)
                    except Retriable as error:  # it is taken once more: what is here already is not taken twice
                        settled.state, settled.code, settled.reason = State.WAITING, error.code, str(error)
                    else:
                        one.file.unlink(missing_ok=True)
                one.record = settled
                one.keep()
            one.is_queued = False


def _tell(record: Record, taken: Taken) -> None:
    record.study, record.series = taken.study_instance_uid, taken.series_instance_uid
    record.instances, record.here, record.lossy = taken.instances, taken.here, bool(taken.derivation)
