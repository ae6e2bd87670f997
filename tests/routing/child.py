"""A site node's archive and routing in a process of its own, to be killed at any moment; run by test_worker.py.

Arguments: database URL, folder, number of slices. It says `acknowledged UID` after ingest, `took UID` when the
destination (a folder that outlives it) has an instance, and `delivered` when the study is.
"""

import hashlib
import sys
import threading
from pathlib import Path

from sqlalchemy import select

from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.keys import derive
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.clock import SystemClock
from kernel.config import Config, RoutingConfig
from kernel.database import Database
from routing.planning import Planner
from routing.reidentification import Reidentifier
from routing.settings import parse
from routing.steps import Deidentifier
from routing.tables import consignment
from routing.transport import Receipt, ReceiptState
from routing.worker import Worker
from tests.support.builders import a_ct_series, as_dataset_bytes

HUB = {"name": "hub", "kind": "stow", "url": "http://hub.example"}


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")  # whole lines: many threads tell
    sys.stdout.flush()


class Folder:
    """A destination that keeps instances as files, and remembers each time that one was offered."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(exist_ok=True)

    def deliver(self, batch, manifest=None):
        return [self._take(parcel) for parcel in batch]

    def _take(self, parcel) -> Receipt:
        digest = hashlib.sha256(b"".join(bytes(c) for c in parcel.chunks(parcel.dataset_offset))).hexdigest()
        offers = self._root / f"{parcel.sop_instance_uid}.offers"
        with offers.open("a") as file:
            file.write(f"{digest}\n")
        say("took", parcel.sop_instance_uid)
        is_first = offers.read_text().count("\n") == 1
        return Receipt(parcel.sop_instance_uid, ReceiptState.DELIVERED if is_first else ReceiptState.DUPLICATE)

    def announce(self, manifest) -> None:
        (self._root / "manifest").write_text(f"{manifest.study_instance_uid} {manifest.instances} {manifest.complete}")

    def probe(self) -> Receipt:
        return Receipt("", ReceiptState.DELIVERED)

    def close(self) -> None:
        pass


def main(url: str, folder: Path, count: int) -> None:
    clock, database = SystemClock(), Database.open(url)
    database.migrate()
    blobs = Blobs(folder / "blobs", free_bytes_min=0)
    blobs.sweep()
    planner = Planner(parse(Config(rule=({"to": "hub"},), destination=(HUB,))), clock)
    committer = LocalCommitter(
        database,
        clock,
        participants=[planner.participant],
        completion_participants=[planner.on_complete],
        quarantine_bytes_max=1 << 30,
    )
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)
    keys = derive(bytes(range(32)), site="BVA")
    worker = Worker(
        database,
        blobs,
        clock,
        RoutingConfig(batch_instances=4),
        owner="bva",
        reidentifier=Reidentifier(database, blobs, ingest, lambda _: keys, clock, from_peers=()),
        deidentifier=Deidentifier(database, blobs, load, lambda _: keys),
        transports={"hub": lambda: Folder(folder / "hub")},
    )
    worker.start()
    origin = Origin("BVA", "dimse", "CT1", "VIENANH", "10.0.0.1", "s1")
    for ds in a_ct_series(count, rows=8, columns=8):
        stage = blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1")
        stage.write(as_dataset_bytes(ds))
        ingest.ingest(stage.finish(), origin)
        say("acknowledged", ds.SOPInstanceUID)
    committer.end_session("BVA", "s1", "association-released")
    wait_until_delivered(database)
    say("delivered")
    assert worker.stop(10)
    database.close()


def wait_until_delivered(database: Database) -> None:
    pause = threading.Event()
    while True:
        with database.read() as connection:
            if connection.execute(select(consignment.c.delivered_at)).scalar() is not None:
                return
        pause.wait(0.02)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
