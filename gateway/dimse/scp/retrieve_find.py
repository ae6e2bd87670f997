"""From what a retrieval asks for to the stored instances that it may have: every study is opened through `kernel.access`."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.retrieve_identifier import Wanted
from gateway.dimse.scp.retrieve_progress import COUNT_MAX
from gateway.dimse.scp.services import Session
from gateway.dimse.scp.who import principal_of
from kernel.access import Action, StudyGrant
from kernel.archive.index import locate_series, locate_some, locate_study, studies_of_instances
from kernel.archive.records import Located
from kernel.archive.search.search import StudyQuery, search_studies
from kernel.dicom.queries.matching import Exact
from kernel.errors import IdentifierMismatch, NotFound, TooManyMatches

STUDIES_MAX: Final = 10_000  # of one patient


def find(backing: Backing, session: Session, wanted: Wanted) -> list[Located]:
    """Return the instances that are asked for and that the caller may see, study by study; none is no error.

    Raises
    ------
    Forbidden
        The caller may not read; audited.
    IdentifierMismatch
        Two sites that the caller may see have somebody of this Patient ID: another person, for all that is known.
    AmbiguousStudy
        Two sites that the caller may see have the study.
    TooManyMatches
        More than `COUNT_MAX` instances.
    """
    found: list[Located] = []
    for study_instance_uid, site in _studies(backing, session, wanted):
        grant = _open(backing, session, study_instance_uid, site)
        if grant is not None:
            here = _instances(backing, grant, wanted)
            if any(one.shows_label for one in here):
                backing.access.tell_label(principal_of(session), grant, session.address)
            found += here
        if len(found) > COUNT_MAX:
            raise TooManyMatches(value=len(found), bound=COUNT_MAX)
    return found


def _studies(backing: Backing, session: Session, wanted: Wanted) -> Iterator[tuple[str, str | None]]:
    """Yield (Study Instance UID, site); the site when it is known already."""
    if wanted.study_instance_uids and not wanted.patient_id:
        for uid in wanted.study_instance_uids:
            yield uid, None
        return
    keywords = ["PatientID"] if wanted.patient_id else ["SOPInstanceUID"]
    sites = backing.access.may_search(principal_of(session), keywords, session.address)
    with backing.db.read() as connection:
        if not wanted.patient_id:
            studies = studies_of_instances(connection, wanted.sop_instance_uids, sites)
            yield from [(uid, site) for site, uid in studies]
            return
        query = StudyQuery({"PatientID": Exact(wanted.patient_id)}, sites=sites, limit=STUDIES_MAX)
        rows = search_studies(connection, query).rows
    named = [row for row in rows if row.study_instance_uid in wanted.study_instance_uids or wanted.level == "PATIENT"]
    if wanted.level == "PATIENT" and len({row.site for row in named}) > 1:  # an identifier has no site or issuer
        raise IdentifierMismatch(reason="PatientID is used at several sites, ask study by study")
    for row in named:
        yield row.study_instance_uid, row.site


def _open(backing: Backing, session: Session, study_instance_uid: str, site: str | None) -> StudyGrant | None:
    who = principal_of(session)
    try:
        return backing.access.open_study(who, study_instance_uid, Action.INSTANCES_TRANSFERRED, session.address, site)
    except NotFound:
        return None


def _instances(backing: Backing, grant: StudyGrant, wanted: Wanted) -> list[Located]:
    with backing.db.read() as connection:
        if wanted.sop_instance_uids:
            series = frozenset(wanted.series_instance_uids)
            located = locate_some(connection, grant, wanted.sop_instance_uids)
            return [one for one in located if not series or one.series_instance_uid in series]
        if not wanted.series_instance_uids:
            return locate_study(connection, grant)
        found: list[Located] = []
        for uid in wanted.series_instance_uids:
            with suppress(NotFound):
                found += locate_series(connection, grant, uid)
        return found
