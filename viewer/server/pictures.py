"""The API of pictures and films that are taken of the screen: told, and written down, before the page hands one over."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.shown.taken import Taking
from kernel.access import Scope
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.callers import Visit, holder, visitor
from viewer.server.models import Model
from viewer.server.services import Services

IMAGES_MAX = 600  # of a film


class TakenPicture(Model):
    """What is taken."""

    kind: Literal["picture", "film"]
    series_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    sop_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX, description="Of a film, the one that was looked at.")
    images: int = Field(ge=1, le=IMAGES_MAX)
    named: bool = Field(description="The patient's name is in it.")


def add_pictures(router: APIRouter, services: Services) -> None:
    """Add the route of what is taken of the screen."""
    export = visitor(services, holder(services, Scope.EXPORT))

    @router.post("/studies/{study_uid}/pictures", tags=["sharing"], status_code=204)
    def take(visit: Annotated[Visit, Depends(export)], taken: TakenPicture) -> None:
        """Write down that a picture is taken, with the right of a download; the page makes it only after the answer."""
        taking = Taking(taken.kind, taken.series_instance_uid, taken.sop_instance_uid, taken.images, taken.named)
        services.takings.tell(visit.grant, visit.principal, taking, visit.address)
