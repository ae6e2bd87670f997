"""What a screen needs to show the pixels that wait for a person: where an instance is and how large it is.

The picture itself comes over DICOMweb, with the leave and the audit line that every look at a study has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from kernel.archive.index import batched
from kernel.archive.tables import instance, series
from routing.pixel_reviews import Review


@dataclass(frozen=True, slots=True)
class Shown:
    """An instance as received; `rows` and `columns` are 0 where it has none, as of a document."""

    series_instance_uid: str
    modality: str
    rows: int
    columns: int
    number_of_frames: int


def shown(connection: Connection, waiting: Sequence[Review]) -> dict[tuple[str, str], Shown]:
    """Return the instances of reviews by (site, SOP Instance UID), without those that are no longer here."""
    found: dict[tuple[str, str], Shown] = {}
    for names in batched([one.sop_instance_uid for one in waiting]):
        query = (
            select(
                instance.c.site,
                instance.c.sop_instance_uid,
                series.c.series_instance_uid,
                series.c.modality,
                instance.c.rows,
                instance.c.columns,
                instance.c.number_of_frames,
            )
            .join_from(instance, series)
            .where(instance.c.sop_instance_uid.in_(names))
        )
        for site, uid, series_uid, modality, rows, columns, frames in connection.execute(query):
            found[site, uid] = Shown(series_uid, modality, rows or 0, columns or 0, frames)
    return found
