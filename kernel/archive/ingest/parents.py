"""The patient, study and series rows that an instance hangs on: found in memory, found in the tables, or made.

Only rows of committed transactions are remembered, and only the writer's thread looks: no locks. Nobody else changes
what is remembered here (identity, never counts), so a remembered row is right until it is deleted; whoever deletes
studies must call `forget`. A failure forgets everything, which costs a few queries.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, not_, update

from kernel.archive import rows
from kernel.archive.ingest import parent_rows
from kernel.archive.records import Received
from kernel.archive.tables import study
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

    def __init__(self, connection: Connection, remembered: Parents, new_trace_id: Callable[[], str]) -> None:
        self._connection = connection
        self._remembered = remembered
        self._new_trace_id = new_trace_id  # of a study whose sender named none
        self._studies: dict[tuple[str, str], StudyParent] = {}
        self._days = Counter[str]()  # new studies by their date
        self.found: dict[SeriesKey, Parent] = {}

    def known(self, received: Received) -> Parent | None:
        """Return the instance's parents if they need no query."""
        key = rows.series_key(received)
        return self.found.get(key) or self._remembered.get(key)

    def of(self, received: Received) -> Parent:
        """Return the instance's parents; make those that are missing."""
        parent = self.known(received)
        if parent is None:
            study_parent = self._study(received)
            parent = Parent(self._series(received, study_parent), self._studies[_study_key(received)])
            self.found[rows.series_key(received)] = parent
        return self._checked(received, parent)

    def count_days(self) -> None:
        """Count the studies that were made, once each; in order, as transactions that share days wait for each other."""
        days = [{"study_date": day, "studies": made} for day, made in sorted(self._days.items())]
        parent_rows.COUNT_DAY.run(self._connection, days)
        self._days.clear()

    def _study(self, received: Received) -> StudyParent:
        key = _study_key(received)
        if key not in self._studies:
            self._studies[key] = self._find_study(*key) or self._make_study(received)
        return self._studies[key]

    def _find_study(self, site: str, study_instance_uid: str) -> StudyParent | None:
        found = parent_rows.FIND_STUDY.run(self._connection, [{"site_": site, "uid_": study_instance_uid}])
        for pk, trace_id, issuer, patient_id, disputed, study_date, modalities, body_part in found:
            return StudyParent(
                pk=pk,
                trace_id=trace_id,
                patient=(issuer, patient_id),
                disputed=bool(disputed),
                study_date=study_date,
                modalities=frozenset(filter(None, modalities.split("\\"))),
                body_part=body_part,
            )
        return None

    def _make_study(self, received: Received) -> StudyParent:
        connection, values = self._connection, rows.study_values(received)
        trace_id = received.origin.trace_id or self._new_trace_id()
        whose = {"site_": values["site"], "uid_": values["study_instance_uid"]}
        for expected, priority in parent_rows.FIND_MANIFEST.run(connection, [whose]):
            values |= rows.urgency(priority, received.received_at) | {"expected_instances": expected}
        values |= {"patient_pk": self._patient(received), "trace_id": trace_id}
        parent_rows.INSERT_NAME.run(connection, [values])
        made = parent_rows.INSERT_STUDY.run(connection, [parent_rows.UNSAID_OF_A_STUDY | values])
        if not made:  # another node of this database was faster
            found = self._find_study(values["site"], values["study_instance_uid"])
            assert found is not None, "a row that conflicts is there"
            return found
        ((pk,),) = made
        self._days[values["study_date"]] += 1
        return StudyParent(
            pk=pk,
            trace_id=trace_id,
            patient=(values["issuer"], values["patient_id"]),
            disputed=False,
            study_date=values["study_date"],
            modalities=frozenset(),
            body_part="",
        )

    def _patient(self, received: Received) -> int:
        values = rows.patient_values(received)
        parent_rows.INSERT_PATIENT.run(self._connection, [values])
        ((pk,),) = parent_rows.FIND_PATIENT.run(
            self._connection, [{f"{name}_": values[name] for name in parent_rows.IDENTITY}]
        )
        return pk

    def _series(self, received: Received, parent: StudyParent) -> int:
        uid = received.attributes.series.series_instance_uid
        for (pk,) in parent_rows.FIND_SERIES.run(self._connection, [{"study_": parent.pk, "uid_": uid}]):
            return pk
        values = rows.series_values(received) | {"study_pk": parent.pk}
        ((pk,),) = parent_rows.INSERT_SERIES.run(self._connection, [parent_rows.UNSAID_OF_A_SERIES | values])
        self._add_to_study(received, parent, values)
        return pk

    def _add_to_study(self, received: Received, parent: StudyParent, values: Mapping[str, Any]) -> None:
        """Count a new series, and add its modality and body part to what the study says of itself."""
        modality = values["modality"]
        modalities = parent.modalities | ({modality} if modality else frozenset[str]())
        if modality and modality not in parent.modalities:
            row = {"modality": modality, "study_date": parent.study_date, "study_pk": parent.pk}
            parent_rows.INSERT_MODALITY.run(self._connection, [row])
        body_part = parent.body_part or values["body_part_examined"]
        self._studies[_study_key(received)] = replace(parent, modalities=modalities, body_part=body_part)
        counted = {"pk_": parent.pk, "modalities_": "\\".join(sorted(modalities)), "body_part_": body_part}
        parent_rows.ADD_SERIES.run(self._connection, [counted])

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
