"""The patient, study and series rows that an instance hangs on: found in memory, found in the tables, or made.

Only rows of committed transactions are remembered, and only the writer's thread looks: no locks. Nobody else changes
what is remembered here (identity, never counts), so a remembered row is right until it is deleted; whoever deletes
studies must call `forget`. A failure forgets everything, which costs a few queries.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, not_, select, update

from kernel.archive import rows
from kernel.archive.records import Received
from kernel.archive.tables import manifest, patient, series, study, study_modality
from kernel.database import insert as engine_insert
from kernel.database import is_sqlite, upsert
from kernel.events import Event, EventName, record

SERIES_REMEMBERED_MAX: Final = 20_000
SeriesKey = tuple[str, str, str]  # site, Study Instance UID, Series Instance UID


@dataclass(frozen=True, slots=True)
class StudyParent:
    """What must be known of a study to add to it."""

    pk: int
    trace_id: str
    patient: tuple[str, str]  # issuer and Patient ID, as the study's first instance said
    disputed: bool
    study_date: str
    modalities: frozenset[str]
    body_part: str


@dataclass(frozen=True, slots=True)
class Parent:
    """A series and its study."""

    series_pk: int
    study: StudyParent


class Parents:
    """Remembered parents, bounded; the least used is forgotten first."""

    def __init__(self, series_max: int = SERIES_REMEMBERED_MAX) -> None:
        self._series_max = series_max
        self._known: OrderedDict[SeriesKey, Parent] = OrderedDict()

    def get(self, key: SeriesKey) -> Parent | None:
        """Return a remembered series."""
        parent = self._known.get(key)
        if parent is not None:
            self._known.move_to_end(key)
        return parent

    def remember(self, found: Mapping[SeriesKey, Parent]) -> None:
        """Remember what a committed transaction found or made."""
        for key, parent in found.items():
            self._known[key] = parent
            self._known.move_to_end(key)
        while len(self._known) > self._series_max:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()


class Family:
    """Parents as one running transaction sees them; nothing is remembered until it has committed."""

    def __init__(self, connection: Connection, remembered: Parents) -> None:
        self._connection = connection
        self._remembered = remembered
        self._studies: dict[tuple[str, str], StudyParent] = {}
        self.found: dict[SeriesKey, Parent] = {}

    def known(self, received: Received) -> Parent | None:
        """Return the instance's parents if they need no query."""
        key = rows.series_key(received)
        return self.found.get(key) or self._remembered.get(key)

    def of(self, received: Received, trace_id: str) -> Parent:
        """Return the instance's parents; make those that are missing, the study with `trace_id`."""
        parent = self.known(received)
        if parent is None:
            study_parent = self._study(received, trace_id)
            parent = Parent(self._series(received, study_parent), self._studies[_study_key(received)])
            self.found[rows.series_key(received)] = parent
        return self._checked(received, parent)

    def _study(self, received: Received, trace_id: str) -> StudyParent:
        key = _study_key(received)
        if key not in self._studies:
            self._studies[key] = self._find_study(*key) or self._make_study(received, trace_id)
        return self._studies[key]

    def _find_study(self, site: str, study_instance_uid: str) -> StudyParent | None:
        row = self._connection.execute(_FIND_STUDY, {"site_": site, "uid_": study_instance_uid}).first()
        if row is None:
            return None
        return StudyParent(
            pk=row.pk,
            trace_id=row.trace_id,
            patient=(row.issuer, row.patient_id),
            disputed=row.patient_disputed,
            study_date=row.study_date,
            modalities=frozenset(filter(None, row.modalities.split("\\"))),
            body_part=row.body_part,
        )

    def _make_study(self, received: Received, trace_id: str) -> StudyParent:
        connection, values = self._connection, rows.study_values(received)
        promised = connection.execute(
            select(manifest.c.instances_expected, manifest.c.priority).where(
                manifest.c.site == values["site"], manifest.c.study_instance_uid == values["study_instance_uid"]
            )
        ).first()
        if promised is not None:
            values |= rows.urgency(promised.priority, received.received_at)
            values["expected_instances"] = promised.instances_expected
        values |= {"patient_pk": self._patient(received), "trace_id": trace_id}
        made = connection.execute(
            engine_insert(connection, study).values(values).on_conflict_do_nothing().returning(study.c.pk)
        ).scalar()
        if made is None:  # another node of this database was faster
            found = self._find_study(values["site"], values["study_instance_uid"])
            assert found is not None, "a row that conflicts is there"
            return found
        if is_sqlite(connection) and values["name_fold"]:
            connection.execute(rows.INSERT_NAME, {"pk": made, "name_fold": values["name_fold"]})
        return StudyParent(
            pk=made,
            trace_id=trace_id,
            patient=(values["issuer"], values["patient_id"]),
            disputed=False,
            study_date=values["study_date"],
            modalities=frozenset(),
            body_part="",
        )

    def _patient(self, received: Received) -> int:
        values = rows.patient_values(received)
        key = ("site", "issuer", "patient_id", "only_in_study")
        upsert(self._connection, patient, [values], key=key)
        return self._connection.execute(_FIND_PATIENT, {f"{name}_": values[name] for name in key}).scalar_one()

    def _series(self, received: Received, parent: StudyParent) -> int:
        uid = received.attributes.series.series_instance_uid
        pk = self._connection.execute(_FIND_SERIES, {"study_": parent.pk, "uid_": uid}).scalar()
        if pk is not None:
            return pk
        values = rows.series_values(received) | {"study_pk": parent.pk}
        pk = self._connection.execute(insert(series).values(values).returning(series.c.pk)).scalar_one()
        self._add_to_study(received, parent, values)
        return pk

    def _add_to_study(self, received: Received, parent: StudyParent, values: Mapping[str, Any]) -> None:
        """Count a new series, and add its modality and body part to what the study says of itself."""
        modality = values["modality"]
        modalities = parent.modalities | ({modality} if modality else frozenset[str]())
        if modality and modality not in parent.modalities:
            row = {"modality": modality, "study_date": parent.study_date, "study_pk": parent.pk}
            upsert(self._connection, study_modality, [row], key=("modality", "study_date", "study_pk"))
        body_part = parent.body_part or values["body_part_examined"]
        self._studies[_study_key(received)] = replace(parent, modalities=modalities, body_part=body_part)
        self._connection.execute(
            _ADD_SERIES, {"pk_": parent.pk, "modalities_": "\\".join(sorted(modalities)), "body_part_": body_part}
        )

    def _checked(self, received: Received, parent: Parent) -> Parent:
        """Note when an instance names another patient than its study: the first stands, a person must look.

        The instance is kept with its study (nothing is lost and no study is torn apart); the study is marked, and
        `InstanceConflict` of kind `patient` is recorded once.
        """
        person = received.attributes.patient
        if parent.study.disputed or parent.study.patient == rows.patient_of(person):
            return parent
        disputed = replace(parent, study=replace(parent.study, disputed=True))
        self.found[rows.series_key(received)] = disputed
        self._studies[_study_key(received)] = disputed.study
        marked = self._connection.execute(
            update(study)
            .where(study.c.pk == parent.study.pk, not_(study.c.patient_disputed))
            .values(patient_disputed=True)
        )
        if marked.rowcount:
            record(
                self._connection,
                Event(
                    EventName.INSTANCE_CONFLICT,
                    at=received.received_at,
                    site=received.origin.site,
                    study_instance_uid=received.attributes.study.study_instance_uid,
                    trace_id=parent.study.trace_id,
                    detail={"kind": "patient", "sop_instance_uid": received.attributes.sop_instance_uid},
                ),
            )
        return disputed


def _study_key(received: Received) -> tuple[str, str]:
    return received.origin.site, received.attributes.study.study_instance_uid


_FIND_STUDY: Final = select(
    study.c.pk,
    study.c.trace_id,
    study.c.issuer,
    study.c.patient_id,
    study.c.patient_disputed,
    study.c.study_date,
    study.c.modalities,
    study.c.body_part,
).where(study.c.site == bindparam("site_"), study.c.study_instance_uid == bindparam("uid_"))
_FIND_PATIENT: Final = select(patient.c.pk).where(
    patient.c.site == bindparam("site_"),
    patient.c.issuer == bindparam("issuer_"),
    patient.c.patient_id == bindparam("patient_id_"),
    patient.c.only_in_study == bindparam("only_in_study_"),
)
_FIND_SERIES: Final = select(series.c.pk).where(
    series.c.study_pk == bindparam("study_"), series.c.series_instance_uid == bindparam("uid_")
)
_ADD_SERIES: Final = (
    update(study)
    .where(study.c.pk == bindparam("pk_"))
    .values(
        number_of_series=study.c.number_of_series + 1,
        modalities=bindparam("modalities_"),
        body_part=bindparam("body_part_"),
    )
)
