"""The steps that this node does by itself. The one there is now: de-identify an instance, and search what is left.

`derive` reads and writes blobs and returns what it made as a value; `record_outcome` writes that value's rows in one
transaction with the end of the job. Done twice, it makes the same bytes under the same UIDs.
"""

import hashlib
import json
import mmap
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from anonymizer.engine.result import Deidentified, chunks_of
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.layouts import Layout
from anonymizer.pixels.learning import Known, Look
from anonymizer.pixels.zones import Device
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import NONCE_BYTES, Sealed, seal
from anonymizer.release import Held, Released, release
from kernel.archive.blobs.store import Blobs
from kernel.archive.tables import instance
from kernel.database import Database, upsert
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.scanning.scanner import scan_every_frame
from kernel.errors import BlobMissing
from kernel.events import Event, EventName, record_many
from kernel.telemetry import stage
from routing import consignments, drawn_zones, pixel_reviews, pixel_zones, vault
from routing.promises import Derivative, deliver_derived, tell_deidentified
from routing.queue import Holder, Job, complete
from routing.tables import VARIANT_CHARACTERS, derived

DIGEST_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Source:
    """A stored instance, as far as the step needs it."""

    blob_key: str
    dataset_offset: int
    transfer_syntax_uid: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived instance whose blob is durable: ready for its rows."""

    variant: str
    made: Deidentified
    blob_key: str
    size_bytes: int
    dataset_offset: int
    sha256: str
    sealed: tuple[Sealed, ...]
    pixel_review: str  # why its pixels want a look, or empty
    proposed: tuple[Box, ...]  # and then what may be masked
    look: Look | None = None  # what they teach of their device
    zones_used: frozenset[str] = frozenset()  # that a person drew, by their names


def source_of(db: Database, site: str, sop_instance_uid: str) -> Source:
    """Return where an instance is. Raises BlobMissing when it is no longer in the index."""
    with db.read() as connection:
        row = connection.execute(
            select(instance.c.blob_key, instance.c.dataset_offset, instance.c.transfer_syntax_uid).where(
                instance.c.site == site, instance.c.sop_instance_uid == sop_instance_uid
            )
        ).one_or_none()
    if row is None:
        raise BlobMissing(key=sop_instance_uid)
    return Source(row.blob_key, row.dataset_offset, row.transfer_syntax_uid)


class Deidentifier:
    """Makes derived instances. Safe to use from many threads."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        profile_of: Callable[[str], Profile],
        keys_of: Callable[[str], Keys],
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        *,
        cleaner: Cleaner | None = None,
    ) -> None:
        """`profile_of` takes a profile's name; `keys_of` a site, as every site's patients have keys of their own.

        `cleaner` looks at pixels if a profile has them cleaned; None: nobody does, and they wait for a person.
        """
        self._db = db
        self._blobs = blobs
        self._profile_of = profile_of
        self._keys_of = keys_of
        self._random_bytes = random_bytes
        self._cleaner = cleaner

    def derive(self, job: Job) -> Derived | Held:
        """De-identify the job's instance and search the result.

        Raises
        ------
        Refused
            The instance is not understood; it is to be held, never passed on.
        StorageFull
            Later may work.
        BlobMissing
            Our own bytes are gone.
        """
        with stage("deidentify"):
            source = source_of(self._db, job.site, job.sop_instance_uid)
            with self._blobs.open(source.blob_key) as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            header = scan_every_frame(content, source.transfer_syntax_uid, offset=source.dataset_offset)
            profile, keys = self._profile_of(job.profile), self._keys_of(job.site)
            fallback = job.fallback_charset or None
            with self._db.read() as connection:
                drawn = pixel_reviews.drawn_on(connection, job)
            used: set[str] = set()
            result = release(
                content,
                header,
                profile=profile,
                keys=keys,
                issuer=job.site,
                fallback_charset=fallback,
                cleaner=self._cleaner_for(job, used),
                drawn=drawn,
            )
            if isinstance(result, Held):
                return result
            made = self._keep(result, content, variant_of(profile, keys, _masks(result, drawn)), keys)
            return replace(made, zones_used=frozenset(used))

    def _cleaner_for(self, job: Job, used: set[str]) -> Cleaner | None:
        """Return the cleaner with what the job's site learnt of its devices, and drew for them; `used` is told which."""

        def known(layout: Layout) -> Known | None:
            with self._db.read() as connection:
                return pixel_zones.known(connection, job.site, job.study_instance_uid, layout)

        def drawn(devices: Sequence[Device]) -> tuple[Box, ...]:
            with self._db.read() as connection:
                found = drawn_zones.boxes_of(connection, job.site, devices)
            used.update(found)
            return tuple(box for boxes in found.values() for box in boxes)

        return replace(self._cleaner, known=known, drawn=drawn) if self._cleaner else None

    def _keep(self, released: Released, content: mmap.mmap, variant: str, keys: Keys) -> Derived:
        made, identity = released.made, released.made.identity
        writing = self._blobs.stage(
            identity.sop_class_uid, identity.sop_instance_uid, identity.transfer_syntax_uid, made.size_bytes
        )
        try:
            writing.write(memoryview(made.head)[made.dataset_offset :])
            for chunk in chunks_of(made.pixels, content):
                writing.write(chunk)
            writing.write(made.trailer)
            staged = writing.finish()
        except BaseException:
            writing.discard()
            raise
        sealed = tuple(seal(entry, keys, nonce=self._random_bytes(NONCE_BYTES)) for entry in made.vault_entries)
        return Derived(
            variant=variant,
            made=made,
            blob_key=self._blobs.promote(staged),
            size_bytes=staged.size_bytes,
            dataset_offset=staged.dataset_offset,
            sha256=staged.sha256,
            sealed=sealed,
            pixel_review=released.pixel_review,
            proposed=released.cleaning.proposed if released.cleaning else (),
            look=released.cleaning.look if released.cleaning else None,
        )


def _masks(released: Released, drawn: Sequence[Box] | None) -> Sequence[Box] | None:
    """Return masks that are not of the instance alone: what a person drew, or what was learnt of its device."""
    cleaning = released.cleaning
    return cleaning.boxes if cleaning is not None and cleaning.learnt else drawn


def variant_of(profile: Profile, keys: Keys, given: Sequence[Box] | None = None) -> str:
    """Return the name of what this profile makes with these keys, and with masks that were given to it.

    Another edition, key or mask makes another variant: a derived instance is never changed.
    """
    masks = "" if given is None else f"+{hashlib.sha256(repr(tuple(given)).encode()).hexdigest()[:DIGEST_CHARACTERS]}"
    name = f"{profile.label}+{profile.digest[:DIGEST_CHARACTERS]}+{keys.key_id}"
    return name[: VARIANT_CHARACTERS - len(masks)] + masks


@dataclass(frozen=True, slots=True)
class Made:
    """A derived instance on its way into the tables, and who made it."""

    holder: Holder
    job: Job
    result: Derived
    at: datetime


def record_derived(connection: Connection, group: list[Made]) -> list[bool]:
    """End jobs: derived rows, vault, events and deliveries, in one transaction; False for a job no longer its holder's.

    A batcher of `Database.submit_batch`: what was made while the last commit ran shares the statements of the next.
    """
    ended: set[int] = set()
    for holder in {made.holder for made in group}:
        ended |= complete(connection, holder, [made.job for made in group if made.holder == holder])
    ours = [made for made in group if made.job.pk in ended]
    if ours:
        now = ours[-1].at
        upsert(connection, derived, [_row(made) for made in ours], key=["site", "sop_instance_uid", "variant"])
        for site in {made.job.site for made in ours}:
            vault.store(
                connection, site, [one for made in ours if made.job.site == site for one in made.result.sealed], now
            )
        for made in ours:
            if made.result.pixel_review and _waits_for_pixels(made.job):
                pixel_reviews.ask(connection, made.job, made.result.pixel_review, made.result.proposed, now)
            if made.result.look is not None:
                pixel_zones.learn(connection, made.job.site, made.job.study_instance_uid, made.result.look, now)
            if made.result.zones_used:
                drawn_zones.note_use(connection, made.job.site, made.result.zones_used, now)
        _tell_sent_studies(connection, ours)
        record_many(connection, [_event(made) for made in ours])
        deliver_derived(connection, [(made.job, _derivative(made)) for made in ours], now)
        for site, study_instance_uid in {(made.job.site, made.job.study_instance_uid) for made in ours}:
            tell_deidentified(connection, site, study_instance_uid, now)
    return [made.job.pk in ended for made in group]


def _waits_for_pixels(job: Job) -> bool:
    return any(hold == pixel_reviews.PIXEL_REVIEW for _, hold in json.loads(job.targets or "[]"))


def _row(made: Made) -> dict[str, Any]:
    job, result, identity = made.job, made.result, made.result.made.identity
    return {
        "site": job.site,
        "sop_instance_uid": job.sop_instance_uid,
        "variant": result.variant,
        "new_study_instance_uid": identity.study_instance_uid,
        "new_series_instance_uid": identity.series_instance_uid,
        "new_sop_instance_uid": identity.sop_instance_uid,
        "sop_class_uid": identity.sop_class_uid,
        "transfer_syntax_uid": identity.transfer_syntax_uid,
        "blob_key": result.blob_key,
        "size_bytes": result.size_bytes,
        "dataset_offset": result.dataset_offset,
        "sha256": result.sha256,
        "record": json.dumps(asdict(result.made.record) | {"actions": dict(result.made.record.actions)}),
        "at": made.at,
    }


def _tell_sent_studies(connection: Connection, group: Sequence[Made]) -> None:
    sent = {
        (made.job.site, made.job.study_instance_uid, made.job.profile): made.result.made.identity.study_instance_uid
        for made in group
    }
    for (site, study_instance_uid, profile), new in sent.items():
        consignments.set_sent_study(connection, site, study_instance_uid, profile, new)


def _event(made: Made) -> Event:
    job = made.job
    detail = {"sop_instance_uid": job.sop_instance_uid, "profile": made.result.made.record.profile}
    return Event(EventName.INSTANCE_DEIDENTIFIED, made.at, job.site, job.study_instance_uid, job.trace_id, detail)


def _derivative(made: Made) -> Derivative:
    return Derivative(made.result.variant, made.result.size_bytes, made.result.pixel_review)
