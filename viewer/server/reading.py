"""The worklist, and what a study consists of and went through. Pictures come over DICOMweb."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from kernel import events
from kernel.access import Principal, Scope
from kernel.archive.search import search
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from viewer.server import ohif
from viewer.server.callers import Visit, holder, looker, visitor
from viewer.server.models import NodeInfo, SeriesItem, StudyItem, TraceItem, Worklist, WorklistQuery
from viewer.server.services import Services, address_of

if TYPE_CHECKING:
    from kernel.dicom.queries.matching import Match

PRIORS_MAX = 50
PRIORITIES: tuple[Literal["stat", "urgent", "routine"], ...] = ("stat", "urgent", "routine")


def add_reading(router: APIRouter, services: Services) -> None:
    """Add the routes of the worklist and of one study."""
    caller = holder(services, Scope.API_READ)
    read, look = visitor(services, caller), visitor(services, looker(services))

    @router.get("/node", tags=["node"])
    def node() -> NodeInfo:
        """Say which node this is; needs no sign-in, so that the sign-in page can name the hospital."""
        settings = services.config.node
        return NodeInfo(
            name=settings.name,
            role=settings.role,
            site=settings.site,
            version=services.version,
            ohif=ohif.is_installed(settings.data),
        )

    @router.get("/worklist", tags=["reading"], response_model=Worklist)
    def worklist(
        request: Request, principal: Annotated[Principal, Depends(caller)], wanted: Annotated[WorklistQuery, Query()]
    ) -> Response:
        """List studies, emergencies first, then the newest. Names are found without accents, in any word order."""
        page = services.access.search_studies(principal, _as_query(wanted), address_of(request))
        items = [study_item(row) for row in page.rows]
        return _tagged(request, Worklist(studies=items, more=page.more))

    @router.get("/studies/{study_uid}", tags=["reading"])
    def study(visit: Annotated[Visit, Depends(look)]) -> StudyItem:
        """Return one study as the worklist shows it."""
        return study_item(_of_visit(services, visit))

    @router.get("/studies/{study_uid}/priors", tags=["reading"])
    def priors(visit: Annotated[Visit, Depends(look)]) -> list[StudyItem]:
        """List the same person's other studies, newest first; a person is a number and its issuer.

        They are of the study's site, and where its issuer is shared by all sites of every site that the caller may see.
        """
        mine = _of_visit(services, visit)
        if not mine.patient_id:
            return []
        sites = None if mine.issuer in services.config.access.shared_issuers else frozenset({mine.site})
        keys = {"PatientID": mine.patient_id, "IssuerOfPatientID": mine.issuer}
        rows = _matching(services, visit, sites, PRIORS_MAX, **keys)
        person = (mine.patient_id, mine.issuer)  # what is searched for may hold a wildcard
        same = [row for row in rows if (row.patient_id, row.issuer) == person]
        own = (mine.site, mine.study_instance_uid)
        return [study_item(row) for row in same if (row.site, row.study_instance_uid) != own]

    @router.get("/studies/{study_uid}/series", tags=["reading"])
    def series(visit: Annotated[Visit, Depends(look)]) -> list[SeriesItem]:
        """List the series of a study in order of their numbers."""
        grant = visit.grant
        with services.db.read() as connection:
            rows = search.series_of_study(connection, grant.site, grant.study_instance_uid)
            return [_series_item(row) for row in rows]

    @router.get("/studies/{study_uid}/trace", tags=["reading"])
    def trace(visit: Annotated[Visit, Depends(read)]) -> list[TraceItem]:
        """List what happened to a study at this node, oldest first."""
        with services.db.read() as connection:
            found = events.of_study(connection, visit.grant.site, visit.grant.study_instance_uid)
        return [TraceItem(seq=e.seq, at=e.at, name=e.name.value, detail=dict(e.detail)) for e in found]


def _as_query(wanted: WorklistQuery) -> search.StudyQuery:
    matches: dict[str, Match] = {}
    if wanted.modality:
        matches["ModalitiesInStudy"] = parse_key("ModalitiesInStudy", "CS", wanted.modality)
    return search.StudyQuery(
        matches=matches,
        text=wanted.q.strip(),
        received_from=wanted.received_from,
        received_before=wanted.received_before,
        limit=wanted.limit,
        offset=wanted.offset,
        order="worklist",
    )


def _of_visit(services: Services, visit: Visit) -> search.StudyRow:
    uid, here = visit.grant.study_instance_uid, frozenset({visit.grant.site})
    return _matching(services, visit, here, 1, StudyInstanceUID=uid)[0]


def _matching(
    services: Services, visit: Visit, sites: frozenset[str] | None, limit: int, **keys: str
) -> Sequence[search.StudyRow]:
    """Return studies of these sites, None for all that the caller may see, whose attributes match, newest first."""
    matches = {keyword: parse_key(keyword, VR_OF[TAG_OF[keyword]], value) for keyword, value in keys.items()}
    query = search.StudyQuery(matches=matches, sites=sites, limit=limit)
    return services.access.search_studies(visit.principal, query, visit.address).rows


def study_item(row: search.StudyRow) -> StudyItem:
    """Return a study as the worklist shows it."""
    return StudyItem(
        site=row.site,
        study_instance_uid=row.study_instance_uid,
        patient_name=row.patient_name,
        patient_id=row.patient_id,
        patient_birth_date=row.patient_birth_date,
        patient_sex=row.patient_sex,
        study_date=row.study_date,
        study_time=row.study_time,
        modalities=list(row.modalities),
        body_part=row.body_part,
        study_description=row.study_description,
        accession_number=row.accession_number,
        number_of_series=row.number_of_series,
        have=row.number_of_instances,
        expected=row.expected_instances,
        state=cast("Literal['receiving', 'complete']", row.state),
        priority=PRIORITIES[row.priority],
        evidence=row.evidence,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
        trace_id=row.trace_id,
    )


def _series_item(row: search.SeriesRow) -> SeriesItem:
    return SeriesItem(
        series_instance_uid=row.series_instance_uid,
        modality=row.modality,
        number=row.series_number,
        description=row.series_description,
        body_part=row.body_part_examined,
        instances=row.number_of_instances,
    )


def _tagged(request: Request, answer: Worklist) -> Response:
    """Return an answer with an ETag, or 304 when the client has it: a quiet worklist costs one small answer."""
    content = answer.model_dump_json(by_alias=True).encode()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
