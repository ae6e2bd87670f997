"""The DICOM JSON of stored instances as objects: for attributes that no column has.

A series is described by its first instance, a study by the first of each of its series: attributes above the instance
are the same in all of them (PS3.3 A.1.4), and what differs all the same is told by whoever came first.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import zstandard
from sqlalchemy import Connection, func, select

from kernel.archive.tables import instance, series
from kernel.dicom.queries.identifier import Model
from kernel.dicom.vocabulary.levels import Level

BATCH: Final = 100  # models read by one statement


def representatives(connection: Connection, level: Level, pks: Sequence[int]) -> dict[int, list[int]]:
    """Return the keys of the instances that describe each row of `level`; of studies for patients."""
    if level == "instance":
        return {pk: [pk] for pk in pks}
    # A subquery for each series: the index gives the first of thousands at once, where GROUP BY would read all.
    first = select(func.min(instance.c.pk)).where(instance.c.series_pk == series.c.pk).scalar_subquery()
    column = series.c.pk if level == "series" else series.c.study_pk
    found: dict[int, list[int]] = {}
    for pk, one in connection.execute(select(column, first).where(column.in_(pks)).order_by(series.c.pk)):
        if one is not None:
            found.setdefault(pk, []).append(one)
    return found


def models(connection: Connection, instance_pks: Iterable[int], kept: frozenset[str] | None = None) -> dict[int, Model]:
    """Return the DICOM JSON object of each instance, of `kept` alone unless that is None.

    Bulk data is named by the archive's own placeholder (`kernel.dicom.models.json_model`).
    """
    decompressor, found = zstandard.ZstdDecompressor(), dict[int, Model]()
    pks = list(instance_pks)
    for start in range(0, len(pks), BATCH):
        some = instance.c.pk.in_(pks[start : start + BATCH])
        rows = connection.execute(select(instance.c.pk, instance.c.metadata).where(some))
        for pk, content in rows:
            model: Model = msgspec.json.decode(decompressor.decompress(content))
            found[pk] = model if kept is None else {name: model[name] for name in kept & model.keys()}
    return found
