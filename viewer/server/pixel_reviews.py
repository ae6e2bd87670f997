"""The API of pixels that wait for a person: list them with proposed masks, accept with masks, or reject.

Boxes are [top, left, bottom, right] in pixels of every frame. Only who administers may decide, and only about the sites
that they see; each decision is an audit line. Who accepts must have been given every sheet: each is a look at the study,
with the right and the audit line of one. Single frames are asked of DICOMweb (`rendered`), with its own right and line.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from kernel.access import Action, Principal, Scope
from kernel.dicom.pixels.boxes import Box
from kernel.errors import NotFound
from routing import pixel_reviews
from routing.pixel_reviews import BOXES_MAX, Review, Reviewer
from routing.pixels_shown import Shown, shown
from routing.review_sheets import Sheet
from viewer.server.callers import holder
from viewer.server.models import Model
from viewer.server.services import Services, address_of

ONE = "/pixel-reviews/{sop_instance_uid}"
Share = Annotated[float, Query(ge=-1, le=2)]  # of the range of values that a picture has
Boxes = Annotated[list[tuple[int, int, int, int]], Field(max_length=BOXES_MAX)]


class PixelPicture(Model):
    """Where DICOMweb has the instance as received; rows and columns are 0 where it has none, as of a document."""

    series_instance_uid: str
    modality: str
    rows: int
    columns: int
    number_of_frames: int


class PixelReview(Model):
    """An instance that waits; nothing of what is written in its pixels."""

    site: str
    study_instance_uid: str
    sop_instance_uid: str
    profile: str
    reason: str
    proposed: list[Box]
    at: datetime
    picture: PixelPicture | None = Field(description="null: the instance is no longer here.")


class ReviewSheet(Model):
    """A picture that must be looked at before the instance is sent; of a cine, what all frames of a scene show at once."""

    number: int = Field(description="From 1.")
    kind: Literal["frame", "brightest", "darkest", "page"]
    first_frame: int = Field(description="Or page, from 1.")
    last_frame: int
    top: int = Field(description="Of a page: where it begins in the strip of pages on which masks are drawn.")
    rows: int
    columns: int
    deep: bool = Field(description="Of more than 8 bits: ask for a window of its values.")
    seen: bool = Field(description="By who asks.")


class PixelDecision(Model):
    """What to mask; empty: nothing. Site and profile only where two wait under one UID."""

    masks: Boxes
    site: Annotated[str, Field(max_length=32)] | None = None
    profile: Annotated[str, Field(max_length=32)] | None = None


class Decided(Model):
    """How many destinations it goes to, or is kept from."""

    destinations: int


def add_pixel_reviews(router: APIRouter, services: Services) -> None:
    """Add the routes of pixel reviews."""
    admin = holder(services, Scope.ADMIN)

    def found(principal: Principal, uid: str, site: str | None, profile: str | None) -> Review:
        with services.db.read() as connection:
            review = pixel_reviews.find(connection, site, uid, profile)
        if principal.sites is not None and review.site not in principal.sites:
            raise NotFound(what="review of this instance that waits")
        return review

    def named(
        principal: Annotated[Principal, Depends(admin)],
        sop_instance_uid: str,
        site: str | None = None,
        profile: str | None = None,
    ) -> tuple[Principal, Review]:
        return principal, found(principal, sop_instance_uid, site, profile)

    @router.get("/pixel-reviews", tags=["pixels"])
    def waiting(principal: Annotated[Principal, Depends(admin)]) -> list[PixelReview]:
        """List instances whose pixels wait for a person, oldest first, at most 500."""
        with services.db.read() as connection:
            found = pixel_reviews.reviews(connection, sites=principal.sites)
            pictures = shown(connection, found)
        return [review_item(one, pictures.get((one.site, one.sop_instance_uid))) for one in found]

    @router.get(ONE + "/sheets", tags=["pixels"])
    def sheets(of: Annotated[tuple[Principal, Review], Depends(named)]) -> list[ReviewSheet]:
        """List what must be looked at before an instance is sent; nothing where there is nothing to see."""
        principal, review = of
        seen = services.sheets.seen(review, principal.name)
        return [_sheet(one, number, seen) for number, one in enumerate(services.sheets.of(review), 1)]

    @router.get(ONE + "/sheets/{number}", tags=["pixels"], response_class=Response)
    def sheet(
        request: Request,
        of: Annotated[tuple[Principal, Review], Depends(named)],
        number: int,
        low: Share = 0,
        high: Share = 1,
    ) -> Response:
        """Give one of them as image/png; it counts as seen by who asks. Of a deep one, values from `low` to `high`."""
        principal, review = of
        study = review.study_instance_uid
        services.access.open_study(principal, study, Action.INSTANCES_ACCESSED, address_of(request), review.site)
        png = services.sheets.windowed(review, number, principal.name, (low, high))
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    @router.post(ONE + "/acceptance", tags=["pixels"])
    def accept(
        request: Request,
        principal: Annotated[Principal, Depends(admin)],
        sop_instance_uid: str,
        decision: PixelDecision,
    ) -> Decided:
        """Have the instance made anew with these masks, and sent; refused to who was not given every sheet of it."""
        review = found(principal, sop_instance_uid, decision.site, decision.profile)
        services.sheets.check_seen(review, principal.name, len(decision.masks))
        by, now = Reviewer(principal.name, address_of(request)), services.clock.now()
        boxes = [Box(*one) for one in decision.masks]
        return Decided(
            destinations=services.db.write(lambda connection: pixel_reviews.accept(connection, review, boxes, by, now))
        )

    @router.post(ONE + "/rejection", tags=["pixels"])
    def reject(request: Request, of: Annotated[tuple[Principal, Review], Depends(named)]) -> Decided:
        """Never send the instance."""
        principal, review = of
        by, now = Reviewer(principal.name, address_of(request)), services.clock.now()
        return Decided(
            destinations=services.db.write(lambda connection: pixel_reviews.reject(connection, review, by, now))
        )


def review_item(one: Review, picture: Shown | None) -> PixelReview:
    """Return an instance that waits as the API tells of it."""
    return PixelReview(
        site=one.site, study_instance_uid=one.study_instance_uid, sop_instance_uid=one.sop_instance_uid,
        profile=one.profile, reason=one.reason, proposed=list(one.proposed), at=one.at,
        picture=None if picture is None else _picture(picture),
    )  # fmt: skip


def _sheet(of: Sheet, number: int, seen: frozenset[int]) -> ReviewSheet:
    return ReviewSheet(
        number=number, kind=of.kind, first_frame=of.first_frame, last_frame=of.last_frame, top=of.top, rows=of.rows,
        columns=of.columns, deep=of.is_deep, seen=number in seen,
    )  # fmt: skip


def _picture(of: Shown) -> PixelPicture:
    return PixelPicture(
        series_instance_uid=of.series_instance_uid, modality=of.modality, rows=of.rows, columns=of.columns,
        number_of_frames=of.number_of_frames,
    )  # fmt: skip
