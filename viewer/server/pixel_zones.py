"""The API of zones: where devices write, learnt or drawn, with a picture that waits; drawn, moved and removed here.

Only for who administers, about the sites that they see; each change is an audit line. A sample is a review: its picture is
asked of that (`viewer.server.pixel_reviews`), with the right and the audit line of a look at the study.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from anonymizer.pixels.layouts import NAME_CHARACTERS
from anonymizer.pixels.zones import BOXES_MAX, Device, folded
from kernel.access import Principal, Scope
from kernel.dicom.pixels.boxes import Box
from kernel.errors import NotFound
from routing import drawn_zones, pixel_reviews, pixel_zones
from routing.pixel_reviews import SIDE_MAX, Review, Reviewer
from routing.pixels_shown import shown
from viewer.server.callers import holder
from viewer.server.models import Model
from viewer.server.pixel_reviews import PixelReview, review_item
from viewer.server.services import Services, address_of

Origin = Literal["drawn", "learnt", "file", "none"]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS)]
Side = Annotated[int, Field(ge=1, le=SIDE_MAX)]
Boxes = Annotated[list[tuple[int, int, int, int]], Field(min_length=1, max_length=BOXES_MAX)]


class PixelZone(Model):
    """Where a device writes in frames of one size; nothing of what it writes."""

    site: str
    name: str = Field(description="By which it is removed.")
    origin: Origin = Field(description="file: of anonymizer.pixel_zones; none: a device of what waits, without zones.")
    manufacturer: str
    model: str
    rows: int
    columns: int
    kind: str = Field(description="Of what was learnt: ultrasound, projection, capture.")
    boxes: list[Box]
    exams: int = Field(description="That agreed, of what was learnt.")
    exams_wanted: int
    in_use: bool
    by: str = Field(description="Who drew it.")
    at: datetime | None = Field(description="When it was drawn, or last learnt of.")
    used_at: datetime | None = Field(description="When a drawn one was last masked, to the hour.")
    sample: PixelReview | None = Field(description="An instance of the device that waits.")


class DrawnZone(Model):
    """What a person drew for a device, in place of what was drawn before."""

    site: Annotated[str, Field(max_length=32)]
    manufacturer: Name
    model: Name
    rows: Side
    columns: Side
    boxes: Boxes


def add_pixel_zones(router: APIRouter, services: Services) -> None:
    """Add the routes of zones."""
    admin = holder(services, Scope.ADMIN)

    @router.get("/pixel-zones", tags=["pixels"])
    def zones(principal: Annotated[Principal, Depends(admin)]) -> list[PixelZone]:
        """List zones by site and device, and devices of what waits that have none."""
        with services.db.read() as connection:
            waiting = pixel_reviews.reviews(connection, sites=principal.sites)
            pictures = shown(connection, waiting)
            learnt = [one for one in pixel_zones.listed(connection) if _sees(principal, one.site)]
            drawn = drawn_zones.listed(connection, principal.sites)

        def item(review: Review | None) -> PixelReview | None:
            return review_item(review, pictures.get((review.site, review.sop_instance_uid))) if review else None

        samples = {key: item(review) for key, review in services.samples.of(waiting).items()}
        own_site = services.config.node.site
        made = [_drawn(one, samples.get((one.site, one.device))) for one in drawn]
        made += [_learnt(one, samples.get((one.site, _device(one)))) for one in learnt]
        if _sees(principal, own_site):
            made += [
                _of_file(own_site, device, boxes, samples.get((own_site, device)))
                for device, boxes in services.samples.file_zones.items()
            ]
        have = {(one.site, one.name) for one in made if one.origin == "drawn"}
        made += [
            _none(site, device, sample)
            for (site, device), sample in samples.items()
            if (site, device.digest) not in have
        ]
        return sorted(made, key=lambda one: (one.site, one.manufacturer, one.model, one.rows, one.columns, one.origin))

    @router.put("/pixel-zones", tags=["pixels"], status_code=204, response_class=Response)
    def save(request: Request, principal: Annotated[Principal, Depends(admin)], zone: DrawnZone) -> None:
        """Keep the zones of a device: masked in each of its instances from now on, whatever is found."""
        _check(principal, zone.site)
        device = Device(folded(zone.manufacturer), folded(zone.model), zone.rows, zone.columns)
        by, now = Reviewer(principal.name, address_of(request)), services.clock.now()
        boxes = [Box(*one) for one in zone.boxes]
        services.db.write(lambda connection: drawn_zones.save(connection, zone.site, device, boxes, by=by, now=now))

    @router.delete("/pixel-zones/{name}", tags=["pixels"], status_code=204, response_class=Response)
    def remove(
        request: Request,
        principal: Annotated[Principal, Depends(admin)],
        name: str,
        site: str,
        origin: Annotated[Literal["drawn", "learnt"], Query()] = "drawn",
    ) -> None:
        """Remove what was drawn, or forget what was learnt: the next instances of the device are looked at."""
        _check(principal, site)
        by, now = Reviewer(principal.name, address_of(request)), services.clock.now()
        if origin == "drawn":
            services.db.write(lambda connection: drawn_zones.remove(connection, site, name, by, now))
        else:
            services.db.write(lambda connection: pixel_zones.forget(connection, site, name, by.who, now))


def _sees(principal: Principal, site: str) -> bool:
    return principal.sites is None or site in principal.sites


def _check(principal: Principal, site: str) -> None:
    if not site or not _sees(principal, site):
        raise NotFound(what="site of these zones")


def _device(one: pixel_zones.Learnt) -> Device:
    return Device(one.manufacturer, one.model, one.rows, one.columns)


def _zone(site: str, device: Device, origin: Origin, sample: PixelReview | None) -> PixelZone:
    return PixelZone(
        site=site, name=device.digest, origin=origin, manufacturer=device.manufacturer, model=device.model,
        rows=device.rows, columns=device.columns, kind="", boxes=[], exams=0, exams_wanted=0, in_use=False, by="",
        at=None, used_at=None, sample=sample,
    )  # fmt: skip


def _drawn(one: drawn_zones.Drawn, sample: PixelReview | None) -> PixelZone:
    return _zone(one.site, one.device, "drawn", sample).model_copy(
        update={
            "boxes": list(one.boxes),
            "in_use": True,
            "by": one.drawn_by,
            "at": one.at,
            "used_at": one.used_at,
        }
    )


def _learnt(one: pixel_zones.Learnt, sample: PixelReview | None) -> PixelZone:
    return _zone(one.site, _device(one), "learnt", sample).model_copy(
        update={
            "name": one.layout,
            "kind": one.kind,
            "boxes": list(one.zones),
            "exams": one.exams,
            "exams_wanted": one.exams_wanted,
            "in_use": one.is_confirmed,
            "at": one.at,
        }
    )


def _of_file(site: str, device: Device, boxes: tuple[Box, ...], sample: PixelReview | None) -> PixelZone:
    return _zone(site, device, "file", sample).model_copy(update={"boxes": list(boxes), "in_use": True})


def _none(site: str, device: Device, sample: PixelReview | None) -> PixelZone:
    return _zone(site, device, "none", sample)
