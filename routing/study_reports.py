"""The report of what de-identification made of a study at this node, for whoever must answer for it."""

import threading
from collections import Counter
from itertools import groupby
from typing import Final

from kernel.archive.blobs.store import Blobs
from kernel.database import Database
from kernel.errors import Busy, LimitExceeded, NotFound
from routing.copies import Copy, HeldInstance, copies_of, held_of, labels_kept
from routing.described import Piece, Report, described, masked

INSTANCES_MAX: Final = 50_000  # of one report; each is opened
SERIES_CHECKED_MAX: Final = 20  # by dciodvfy


class StudyReports:
    """Makes reports, one at a time: each opens every instance of a study. Safe to use from many threads."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs
        self._one = threading.Lock()

    def of(self, site: str, study_instance_uid: str) -> Report:
        """Return the report of a study, by its UID as received; one that went by two profiles has two copies.

        Raises
        ------
        NotFound
            There is no copy of it, and nothing is held.
        LimitExceeded
            It has more than `INSTANCES_MAX` copies and held instances.
        Busy
            Another report is being made.
        """
        with self._db.read() as connection:
            copies = copies_of(connection, site, study_instance_uid)
            held = held_of(connection, site, study_instance_uid)
            labels = labels_kept(connection, site, study_instance_uid)
        if not copies and not held:
            raise NotFound(what="de-identified copy of this study")
        count = len(copies) + len(held)
        if count > INSTANCES_MAX:
            raise LimitExceeded(limit="INSTANCES_MAX", value=count, bound=INSTANCES_MAX)
        if not self._one.acquire(blocking=False):
            raise Busy(what="another report is being made")
        try:
            return _report(self._blobs, copies, held, labels)
        finally:
            self._one.release()


def _report(blobs: Blobs, copies: list[Copy], held: list[HeldInstance], labels: int) -> Report:
    records = [copy.record for copy in copies]
    actions = Counter[str]()
    for record in records:
        actions.update(record["actions"])
    return {
        "profile": " ".join(sorted({record["profile"] for record in records})),
        "profile_digest": " ".join(sorted({record["profile_digest"] for record in records})),
        "method_codes": sorted({code for record in records for code in record["method_codes"]}),
        "key_id": " ".join(sorted({record["key_id"] for record in records})),
        "totals": {"written": len(copies), "held": len(held), "unreadable": 0, "labels_kept": labels},
        "actions": dict(sorted(actions.items())),
        "held": [{"input": one.sop_instance_uid, "reason": one.because, "tag": one.in_tag} for one in held],
        "unreadable": [],
        "masked": masked((copy.sop_instance_uid, copy.record.get("masks", ())) for copy in copies),
        "studies": [
            described(uid, [_piece(blobs, copy) for copy in found], series_checked_max=SERIES_CHECKED_MAX)
            for (_, uid), found in groupby(copies, key=lambda copy: (copy.variant, copy.study_instance_uid))
        ],
    }


def _piece(blobs: Blobs, copy: Copy) -> Piece:
    return Piece(copy.series_instance_uid, copy.sop_instance_uid, blobs.path(copy.blob_key))
