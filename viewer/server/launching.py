"""The API of launches: a study that another program means (IHE Invoke Image Display), and a study in another program.

What another program names is sent in a body, as it may name a patient: the screen takes it off its address first.
"""

from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.access import Principal, Scope
from kernel.archive.search.search import StudyQuery
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from kernel.errors import InvalidRequest
from viewer.server.callers import Visit, holder, visitor
from viewer.server.models import Model, StudyItem
from viewer.server.reading import study_item
from viewer.server.services import Services, address_of, origin_of

FOUND_MAX = 20  # studies that a launch may mean
VALUE_CHARACTERS_MAX = 64
Program = Literal["weasis", "slicer"]


class Launch(Model):
    """Which study another program means (IHE IID): by its UID, its accession number, or the newest of a patient."""

    study_instance_uid: str = Field("", max_length=UID_CHARACTERS_MAX)
    accession_number: str = Field("", max_length=VALUE_CHARACTERS_MAX)
    patient_id: str = Field("", max_length=VALUE_CHARACTERS_MAX)


class ProgramAddress(Model):
    """An address that opens a study in another program on this desk; it holds for an hour."""

    address: str


def add_launching(router: APIRouter, services: Services) -> None:
    """Add the routes of launches."""
    access = services.access

    reader = holder(services, Scope.API_READ)
    read = visitor(services, reader)

    @router.post("/launches", tags=["sharing"])
    def launch(request: Request, principal: Annotated[Principal, Depends(reader)], wanted: Launch) -> list[StudyItem]:
        """Find the studies that another program means, newest first, at most 20; a body, as it names a patient."""
        keys = wanted.model_dump()
        named = {_KEYWORDS[key]: text.strip() for key, text in keys.items() if text.strip()}
        if not named or any(set(text) & set("*?\\") for text in named.values()):
            raise InvalidRequest(reason="a launch names a study's UID, accession number or patient, without wildcards")
        matches = {keyword: parse_key(keyword, VR_OF[TAG_OF[keyword]], text) for keyword, text in named.items()}
        page = access.search_studies(principal, StudyQuery(matches=matches, limit=FOUND_MAX), address_of(request))
        return [study_item(row) for row in page.rows]

    @router.post("/studies/{study_uid}/programs/{program}", tags=["sharing"])
    def open_program(
        request: Request, response: Response, visit: Annotated[Visit, Depends(read)], study_uid: str, program: Program
    ) -> ProgramAddress:
        """Give an address that opens this study in another program, with leave to read it alone for an hour."""
        token = access.launches.make(visit.principal, visit.grant, program, visit.address)
        response.headers["Cache-Control"] = "no-store"
        root = f"{origin_of(request, services.config)}/sites/{quote(visit.grant.site)}/dicom-web"
        return ProgramAddress(address=_ADDRESSES[program](root, study_uid, token))


_KEYWORDS = {
    "study_instance_uid": "StudyInstanceUID",
    "accession_number": "AccessionNumber",
    "patient_id": "PatientID",
}


def _weasis(root: str, study_uid: str, token: str) -> str:
    """Return an address as Weasis' protocol handler takes it: $dicom:rs with its options, percent-encoded."""
    command = f'$dicom:rs --url "{root}" -r "studyUID={study_uid}" -H "Authorization: Bearer {token}"'
    return "weasis://" + quote(command, safe="")


def _slicer(root: str, study_uid: str, token: str) -> str:
    """Return an address as 3D Slicer's protocol handler takes it."""
    asked = {"studyUID": study_uid, "access_token": token, "dicomweb_endpoint": root}
    return "slicer://viewer/?" + urlencode(asked)


_ADDRESSES = {"weasis": _weasis, "slicer": _slicer}
