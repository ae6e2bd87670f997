"""Where a stored instance is: from a granted study to the bytes of its instances. Searching is in search.py."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Boolean, ColumnElement, Connection, Row, Select, bindparam, or_, select

from kernel.archive.records import Located
from kernel.archive.tables import instance, series, study
from kernel.errors import AmbiguousStudy, NotFound

NAMES_MAX: Final = 500  # UIDs in one statement


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

    @property
    def labels(self) -> bool:
        """Whether the pictures of slides' labels are among what may be read."""
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
    asked = granted_values(granted) | {"series_": series_instance_uid, "instance_": sop_instance_uid}
    row = connection.execute(_ONE, asked).first()
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
    located = _all(connection.execute(_OF_SERIES, granted_values(granted) | {"series_": series_instance_uid}))
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
    located = _all(connection.execute(_OF_STUDY, granted_values(granted)))
    if not located:
        raise NotFound(what="study")
    return located


def locate_some(connection: Connection, granted: Granted, sop_instance_uids: Sequence[str]) -> list[Located]:
    """Return those of the named instances that a granted study has, in the study's order."""
    found: list[Located] = []
    for names in batched(sop_instance_uids):
        found += _all(connection.execute(_SOME, granted_values(granted) | {"instances_": list(names)}))
    return found


def studies_of_instances(
    connection: Connection, sop_instance_uids: Sequence[str], sites: frozenset[str] | None
) -> list[tuple[str, str]]:
    """Return (site, Study Instance UID) of the studies of `sites` (None: of any) that have one of these instances.

    For who has leave to search: what is found must still be opened.
    """
    found: dict[tuple[str, str], None] = {}
    for names in batched(sop_instance_uids):
        query = (
            select(study.c.site, study.c.study_instance_uid)
            .distinct()
            .join_from(instance, series)
            .join(study)
            .where(instance.c.sop_instance_uid.in_(names))
        )
        rows = connection.execute(query if sites is None else query.where(instance.c.site.in_(sites)))
        found |= dict.fromkeys((row.site, row.study_instance_uid) for row in rows)
    return list(found)


def known_instances(connection: Connection, site: str, sop_instance_uids: Sequence[str]) -> set[str]:
    """Return those of the named instances that a site has. For the node's own tools: it asks for no leave."""
    found: set[str] = set()
    for names in batched(sop_instance_uids):
        query = select(instance.c.sop_instance_uid)
        found.update(
            connection.execute(query.where(instance.c.site == site, instance.c.sop_instance_uid.in_(names))).scalars()
        )
    return found


def located_by_uid(connection: Connection, site: str, sop_instance_uids: Sequence[str]) -> list[Located]:
    """Return those of the named instances that a site has, labels too. It asks for no leave: who asks for another must."""
    found: list[Located] = []
    for names in batched(sop_instance_uids):
        query = _ANY_LOCATED.where(instance.c.site == site, instance.c.sop_instance_uid.in_(names))
        found += _all(connection.execute(query))
    return found


def batched(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield `names` in pieces that one statement can hold."""
    for start in range(0, len(names), NAMES_MAX):
        yield names[start : start + NAMES_MAX]


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


# What a grant lets read of `study` and `instance`: for statements that are run with `granted_values`.
GRANTED_ROWS: Final[tuple[ColumnElement[bool], ...]] = (
    study.c.site == bindparam("site_"),
    study.c.study_instance_uid == bindparam("study_"),
    or_(bindparam("labels_", type_=Boolean()), instance.c.shows_label.is_(False)),
)

_AnyRow = Row[*tuple[Any, ...]]
# Made once: to build a statement costs as much as to run it.
_ANY_LOCATED: Final[Select[*tuple[Any, ...]]] = (
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
        instance.c.shows_label,
    )
    .join_from(instance, series)
    .join(study)
)
_LOCATED: Final = _ANY_LOCATED.where(*GRANTED_ROWS)
_IN_ONE_SERIES: Final = _LOCATED.where(series.c.series_instance_uid == bindparam("series_"))
_ONE: Final = _IN_ONE_SERIES.where(instance.c.sop_instance_uid == bindparam("instance_"))
_OF_SERIES: Final = _IN_ONE_SERIES.order_by(*IN_SERIES)
_OF_STUDY: Final = _LOCATED.order_by(*IN_STUDY, *IN_SERIES)
_SOME: Final = _OF_STUDY.where(instance.c.sop_instance_uid.in_(bindparam("instances_", expanding=True)))


def whose_answers(granted: Granted) -> str:
    """Return what answers of one study are remembered by: the site, and whether labels are among them."""
    return f"{granted.site} with labels" if granted.labels else granted.site


def granted_values(granted: Granted) -> dict[str, object]:
    """Return the values of `GRANTED_ROWS`."""
    return {"site_": granted.site, "study_": granted.study_instance_uid, "labels_": granted.labels}


def _all(rows: Iterable[_AnyRow]) -> list[Located]:
    return [_from(row) for row in rows]


def _from(row: _AnyRow) -> Located:
    return Located(*row)
