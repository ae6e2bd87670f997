"""From claimed jobs to parcels: which bytes leave, under which UIDs."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from kernel.archive.blobs.store import Blobs
from kernel.archive.tables import instance
from routing.destinations import NO_PROFILE
from routing.queue import Job
from routing.rules import Priority
from routing.tables import derived
from routing.transport import Parcel


def load_parcels(connection: Connection, blobs: Blobs, jobs: Sequence[Job]) -> dict[int, Parcel]:
    """Return the parcels of a batch (one study, one profile) by job key; a job whose row is gone has none."""
    rows = _rows(connection, jobs)
    found: dict[int, Parcel] = {}
    for job in jobs:
        row = rows.get((job.sop_instance_uid, job.variant))
        if row is not None:
            found[job.pk] = Parcel(
                sop_class_uid=row["sop_class_uid"],
                sop_instance_uid=row["new_sop_instance_uid"],
                transfer_syntax_uid=row["transfer_syntax_uid"],
                study_instance_uid=row.get("new_study_instance_uid") or job.study_instance_uid,
                sha256=row["sha256"],
                size_bytes=row["size_bytes"],
                dataset_offset=row["dataset_offset"],
                path=blobs.path(row["blob_key"]),
                tail_offset=0,
                tail_bytes=row["size_bytes"],
                trace_id=job.trace_id,
                priority=Priority(job.priority).word,
            )
    return found


def is_whole(parcel: Parcel) -> bool:
    """Return whether the blob is there with all its bytes."""
    try:
        return parcel.path.stat().st_size == parcel.size_bytes
    except OSError:
        return False


def _rows(connection: Connection, jobs: Sequence[Job]) -> dict[tuple[str, str], RowMapping]:
    uids = [job.sop_instance_uid for job in jobs]
    site, is_derived = jobs[0].site, jobs[0].profile != NO_PROFILE
    table = derived if is_derived else instance
    columns = ["sop_instance_uid", "sop_class_uid", "transfer_syntax_uid", "sha256", "size_bytes", "dataset_offset"]
    query = select(*(table.c[name] for name in [*columns, "blob_key"]))
    if is_derived:
        query = query.add_columns(derived.c.variant, derived.c.new_sop_instance_uid, derived.c.new_study_instance_uid)
    else:
        query = query.add_columns(instance.c.sop_instance_uid.label("new_sop_instance_uid"))
    found = connection.execute(query.where(table.c.site == site, table.c.sop_instance_uid.in_(uids))).mappings()
    return {(row["sop_instance_uid"], row.get("variant", "")): row for row in found}
