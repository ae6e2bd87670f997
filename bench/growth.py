"""New series for an archive, through the kernel's committer: real CT slices' attributes and DICOM JSON, no pixels."""

import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import zstandard
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import func, select

from bench import slices
from kernel.archive.blobs.durable import Flush
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import METADATA_LEVEL
from kernel.archive.records import Ingested, Origin, Received
from kernel.archive.tables import study
from kernel.clock import SystemClock
from kernel.database import Database
from kernel.dicom.models.json_model import to_json
from kernel.dicom.scanning.attributes import read_attributes
from kernel.dicom.scanning.scanner import scan

if TYPE_CHECKING:
    from concurrent.futures import Future

NUMBERS: Final = 10_000_000  # of new studies, with the number of those that are there
WAITING: Final = 64  # instances on their way at a time, as of so many associations
_EXPLICIT: Final = str(ExplicitVRLittleEndian)


class Growth:
    """Inserts series of `slices` instances into the database at `target`; `last` names the newest one."""

    def __init__(self, folder: Path, target: str, count: int) -> None:
        self._target = target
        (path,) = slices.write_slices(folder, 1)
        content = path.read_bytes()
        offset = content.index(b"\x08\x00\x05\x00CS")  # Specific Character Set, the data set's first element
        header = scan(content, _EXPLICIT, offset=offset)
        self._attributes = read_attributes(header, transfer_syntax_uid=_EXPLICIT)
        self._json = to_json(header)
        self._count = count
        self._clock = SystemClock()
        self.last = ("", "")

    @staticmethod
    def migrate(target: str) -> None:
        """Make the tables."""
        database = Database.open(target)
        database.migrate()
        database.close()

    def insert(self, series: int) -> float:
        """Insert so many series; return the instances per second, counted until the last one was durable."""
        database = Database.open(self._target)
        committer = LocalCommitter(database, self._clock, quarantine_bytes_max=0)
        with database.read() as connection:  # numbers that no study has, not even of an earlier run
            last = connection.execute(select(func.max(study.c.pk))).scalar() or 0
        made = [list(self._series(NUMBERS + last + number)) for number in range(series)]
        begun = time.perf_counter()
        waiting: deque[Future[Ingested]] = deque()
        on_disk = Flush()  # there are no blobs
        on_disk.succeed()
        for received in itertools.chain.from_iterable(made):
            if len(waiting) >= WAITING:
                waiting.popleft().result()
            waiting.append(committer.submit(received, on_disk))
        for future in waiting:
            future.result()
        elapsed_s = time.perf_counter() - begun
        for received, *_ in made:
            committer.end_session(received.origin.site, received.origin.session, "association-released")
        database.close()
        return series * self._count / elapsed_s

    def _series(self, number: int) -> Iterator[Received]:
        study_uid, series_uid = self.last = slices.study_uids(number)
        was_study, _ = slices.study_uids(100_000)
        compressor = zstandard.ZstdCompressor(level=METADATA_LEVEL)
        described = replace(self._attributes.study, study_instance_uid=study_uid)
        series = replace(self._attributes.series, series_instance_uid=series_uid)
        content = self._json.replace(was_study.encode(), study_uid.encode())
        first = slices.instance_uid(number, 0)
        for index in range(self._count):
            uid = slices.instance_uid(number, index)
            metadata = content.replace(b'"' + first.encode() + b'"', b'"' + uid.encode() + b'"').replace(
                b'"00200013":{"vr":"IS","Value":[1]}', b'"00200013":{"vr":"IS","Value":[%d]}' % (index + 1)
            )
            yield Received(
                origin=Origin("BV01", "dimse", "BENCH", "VIENANH", "127.0.0.1", study_uid),
                attributes=replace(
                    self._attributes,
                    study=described,
                    series=series,
                    sop_instance_uid=uid,
                    instance_number=index + 1,
                ),
                blob_key=f"bench/{uid}",
                size_bytes=525_000,
                dataset_offset=400,
                sha256=f"{index:064x}",
                metadata=compressor.compress(metadata),
                received_at=self._clock.now(),
            )
