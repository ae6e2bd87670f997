"""Where a stored instance is: from a granted study to the bytes of its instances. Searching is in search.py."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row, Select, select

from kernel.archive.records import Located
from kernel.archive.tables import instance, series, study
from kernel.errors import AmbiguousStudy, NotFound


class Granted(Protocol):
    """Leave to read one study of one site; `kernel.access.StudyGrant` is one."""

    @property
    def site(self) -> str:
        """Whose study."""
        ...

    @property
    def study_instance_uid(self) -> str:
        """Which study."""
        ...


def locate_instance(
    connection: Connection, granted: Granted, series_instance_uid: str, sop_instance_uid: str
) -> Located:
    """Return one instance of a granted study.

    Raises
    ------
    NotFound
        The study has no such series or instance.
    """
    query = _located(granted).where(
        series.c.series_instance_uid == series_instance_uid, instance.c.sop_instance_uid == sop_instance_uid
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(what="instance")
    return _from(row)


def locate_series(connection: Connection, granted: Granted, series_instance_uid: str) -> list[Located]:
    """Return the instances of a series in order of their numbers.

    Raises
    ------
    NotFound
        The study has no such series.
    """
    query = _located(granted).where(series.c.series_instance_uid == series_instance_uid)
    located = _all(connection.execute(query.order_by(*IN_SERIES)))
    if not located:
        raise NotFound(what="series")
    return located


def locate_study(connection: Connection, granted: Granted) -> list[Located]:
    """Return the instances of a granted study, series by series.

    Raises
    ------
    NotFound
        There is no such study.
    """
    located = _all(connection.execute(_located(granted).order_by(*IN_STUDY, *IN_SERIES)))
    if not located:
        raise NotFound(what="study")
    return located


def study_row(connection: Connection, study_instance_uid: str, sites: frozenset[str] | None = None) -> Row[Any]:
    """Return the row of a study of one of `sites` (None: of any). For the node's own tools: it asks for no leave.

    Raises
    ------
    NotFound, AmbiguousStudy
        No site, or more than one, has this UID.
    """
    query = select(study).where(study.c.study_instance_uid == study_instance_uid).limit(2)
    found = connection.execute(query if sites is None else query.where(study.c.site.in_(sites))).all()
    if not found:
        raise NotFound(what="study")
    if len(found) > 1:
        raise AmbiguousStudy(study_instance_uid=study_instance_uid)
    return found[0]


# Numbers first, those without one last; the row's age settles the rest, so that an answer never changes its order.
IN_SERIES: Final = (instance.c.instance_number.is_(None), instance.c.instance_number, instance.c.pk)
IN_STUDY: Final = (series.c.series_number.is_(None), series.c.series_number, series.c.pk)


def _located(granted: Granted) -> Select[*tuple[Any, ...]]:
    return (
        select(
            instance.c.site,
            study.c.study_instance_uid,
            series.c.series_instance_uid,
            instance.c.sop_instance_uid,
            instance.c.sop_class_uid,
            instance.c.transfer_syntax_uid,
            instance.c.blob_key,
            instance.c.size_bytes,
            instance.c.dataset_offset,
            instance.c.number_of_frames,
            instance.c.sha256,
        )
        .join_from(instance, series)
        .join(study)
        .where(study.c.site == granted.site, study.c.study_instance_uid == granted.study_instance_uid)
    )


def _all(rows: Iterable[Row[Any]]) -> list[Located]:
    return [_from(row) for row in rows]


def _from(row: Row[Any]) -> Located:
    return Located(*row)
