"""The step that leads home: an object about a released study gets its patient and study back, and is ingested as theirs.

What does not belong to a study that left this site, for the patient that it names, from a peer that may bring such
objects back, is held, and an audit line says so. The object that arrived stays as it is; what is made of it is another
instance and has a UID of its own, which the vault knows by the other, for objects that refer to it later.
"""

import mmap
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from anonymizer.pdf.shown_uids import uids_shown
from anonymizer.pseudonyms.identifiers import new_uid
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import NONCE_BYTES, Sealed, VaultEntry, VaultKind, seal
from anonymizer.reidentify.dicom import ENCRYPTED, UID_LEFT, Reidentified, named_in, reidentify
from anonymizer.release import Held
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.records import Ingested, Origin, Outcome
from kernel.clock import Clock
from kernel.database import Database
from kernel.events import Event, EventName, record
from kernel.telemetry import stage
from routing import vault
from routing.queue import Holder, Job, complete
from routing.returning import REIDENTIFIED
from routing.steps import source_of
from routing.vault import Asker
from routing.ways_back import note_refusal, way_back

CHUNK: Final = 1024 * 1024
NOT_FROM_HERE: Final = "not-from-a-hub"
DOCUMENT_ENCRYPTED: Final = "document-encrypted"  # its PDF is: nobody can tell what it names
DOCUMENT_UID: Final = "document-uid"  # its PDF names a UID that left, where nobody can put the original in its place
ASKER: Final = "re-identifier"


@dataclass(frozen=True, slots=True)
class Home:
    """An object that is in its study, or a copy of what left, which needs no way home."""

    ingested: Ingested | None
    changed: int = 0
    document: str = ""
    sealed: tuple[Sealed, ...] = ()  # by which UID it is known here


class Reidentifier:
    """Leads objects home. Safe to use from many threads."""

    def __init__(  # noqa: PLR0913 (the parts that one page wires)
        self,
        db: Database,
        blobs: Blobs,
        ingest: Ingest,
        keys_of: Callable[[str], Keys],
        clock: Clock,
        *,
        from_peers: Collection[str],
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`from_peers` are the names of peers that may bring something back."""
        self._db = db
        self._blobs = blobs
        self._ingest = ingest
        self._keys_of = keys_of
        self._clock = clock
        self._from_peers = from_peers
        self._random_bytes = random_bytes

    def bring_home(self, job: Job) -> Home | Held:
        """Re-identify the job's instance and ingest the result; done twice, it is known already.

        Raises
        ------
        Refused
            The object is not understood, or the result was not taken.
        StorageFull, Busy, DatabaseUnavailable
            Later may work.
        BlobMissing, VaultDamaged
            Ours is damaged.
        """
        with stage("reidentify"):
            asker = Asker(ASKER, "system", "", "returned")
            if job.variant not in self._from_peers:
                note_refusal(self._db, job.site, asker, NOT_FROM_HERE, now=self._clock.now())
                return Held(NOT_FROM_HERE, "")
            source = source_of(self._db, job.site, job.sop_instance_uid)
            with self._blobs.open(source.blob_key) as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            named, shown = named_in(content), uids_shown(content)
            named = replace(named, uids=named.uids | shown)
            keys = self._keys_of(job.site)
            way = way_back(self._db, keys, named, asker, now=self._clock.now())
            if isinstance(way, str):
                return Held(way, "(0010,0020)")
            uid = named.sop_instance_uid
            known_as = new_uid(keys.uid, uid.encode("ascii", "replace")).decode("ascii")
            if way.uids.get(uid, known_as) != known_as:
                return Home(None)  # a copy of what left: the original is here
            made = reidentify(content, replace(way, uids={**way.uids, uid: known_as}))
            if made.document == ENCRYPTED:
                return Held(DOCUMENT_ENCRYPTED, "(0042,0011)")
            if made.document == UID_LEFT or (shown & way.uids.keys() and uids_shown(made.content) & way.uids.keys()):
                return Held(DOCUMENT_UID, "(0042,0011)")
            entry = VaultEntry(VaultKind.UID, uid, {"UID": known_as})
            return self._taken_in(job, made, (seal(entry, keys, nonce=self._random_bytes(NONCE_BYTES)),))

    def _taken_in(self, job: Job, made: Reidentified, sealed: tuple[Sealed, ...]) -> Home | Held:
        writing = self._blobs.stage(
            made.sop_class_uid, made.sop_instance_uid, made.transfer_syntax_uid, len(made.content)
        )
        try:
            with memoryview(made.content)[made.dataset_offset :] as data:
                for start in range(0, len(data), CHUNK):
                    writing.write(data[start : start + CHUNK])
            staged = writing.finish()
        except BaseException:
            writing.discard()
            raise
        origin = Origin(job.site, "returned", REIDENTIFIED, "", "", f"returned-{made.sop_instance_uid}", job.trace_id)
        ingested = self._ingest.ingest(staged, origin, study_instance_uid=made.study_instance_uid)
        if ingested.outcome is Outcome.CONFLICT:
            return Held("conflict", "(0008,0018)")
        return Home(ingested, made.changed, made.document, sealed)


def record_home(connection: Connection, holder: Holder, job: Job, home: Home, now: datetime) -> None:
    """End the job, and tell of the object under its study's own UID."""
    if not complete(connection, holder, [job]) or home.ingested is None:
        return
    vault.store(connection, job.site, home.sealed, now)
    detail = {
        "sop_instance_uid": home.ingested.sop_instance_uid,
        "sop_class_uid": home.ingested.sop_class_uid,
        "values": home.changed,
        "document": home.document,
        "returned_sop_instance_uid": job.sop_instance_uid,
        "returned_study_instance_uid": job.study_instance_uid,
    }
    study = home.ingested.study_instance_uid
    record(connection, Event(EventName.REPORT_RETURNED, now, job.site, study, home.ingested.trace_id, detail))
