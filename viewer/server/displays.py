"""The API of displays: which there are, who checked them when, and what is put on file. No patient is in it."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from consult.displays import (
    NAME_CHARACTERS_MAX,
    NOTE_CHARACTERS_MAX,
    PLACE_CHARACTERS_MAX,
    Check,
    Display,
    Recorded,
    Result,
)
from kernel.access import Principal, Scope
from viewer.server.callers import holder, person
from viewer.server.models import Model
from viewer.server.services import Services, address_of

ALL = "/displays"
ONE = "/displays/{display}"


class DisplayCheck(Model):
    """One check of a display, as somebody made it."""

    by: str = Field(max_length=NAME_CHARACTERS_MAX, description="Who checked.")
    on: date
    result: Result
    next_due: date
    note: str = Field("", max_length=NOTE_CHARACTERS_MAX)


class RecordedCheck(DisplayCheck):
    """A check and who put it on file."""

    recorded_by: str
    recorded_at: datetime


class NewDisplay(Model):
    """A display to register."""

    name: str = Field(max_length=NAME_CHARACTERS_MAX)
    place: str = Field(max_length=PLACE_CHARACTERS_MAX)


class DisplayItem(Model):
    """A display that somebody registered."""

    id: str
    name: str
    place: str
    registered_by: str
    registered_at: datetime
    retired_at: datetime | None = Field(description="Null while it is in use.")
    last: RecordedCheck | None = Field(description="The check that was filed last; null while there is none.")


def add_displays(router: APIRouter, services: Services) -> None:
    """Add the routes of displays."""
    reader = holder(services, Scope.API_READ)
    writer, keeper = (person(services, scope, "look after displays") for scope in (Scope.API_WRITE, Scope.ADMIN))

    @router.get(ALL, tags=["displays"], dependencies=[Depends(reader)])
    def displays() -> list[DisplayItem]:
        """List the displays of this node, each with its last check."""
        return [_item(one) for one in services.displays.listed()]

    @router.get(ALL + "/retired", tags=["displays"], dependencies=[Depends(reader)])
    def retired() -> list[DisplayItem]:
        """List the displays that are retired, the last first, at most 100, each with its last check."""
        return [_item(one) for one in services.displays.retired()]

    @router.post(ALL, tags=["displays"], status_code=201)
    def register(request: Request, principal: Annotated[Principal, Depends(writer)], new: NewDisplay) -> DisplayItem:
        """Register a display."""
        made = services.displays.register(new.name, new.place, by=principal.name, address=address_of(request))
        return _item(made)

    @router.get(ONE + "/checks", tags=["displays"], dependencies=[Depends(reader)])
    def checks(display: str) -> list[RecordedCheck]:
        """List the checks of a display, the newest first."""
        return [_check(one) for one in services.displays.checks(display)]

    @router.post(ONE + "/checks", tags=["displays"], status_code=201)
    def check(
        request: Request, principal: Annotated[Principal, Depends(writer)], display: str, made: DisplayCheck
    ) -> RecordedCheck:
        """Put a check of a display on file."""
        told = Check(made.by, made.on, made.result, made.next_due, made.note)
        return _check(services.displays.record(display, told, by=principal.name, address=address_of(request)))

    @router.delete(ONE, tags=["displays"], status_code=204)
    def retire(request: Request, principal: Annotated[Principal, Depends(keeper)], display: str) -> None:
        """Take a display off the list, as who looks after the node; what was filed stays."""
        services.displays.retire(display, by=principal.name, address=address_of(request))


def _item(one: Display) -> DisplayItem:
    return DisplayItem(
        id=one.display_id,
        name=one.name,
        place=one.place,
        registered_by=one.registered_by,
        registered_at=one.registered_at,
        retired_at=one.retired_at,
        last=None if one.last is None else _check(one.last),
    )


def _check(one: Recorded) -> RecordedCheck:
    return RecordedCheck(
        by=one.check.by,
        on=one.check.on,
        result=one.check.result,
        next_due=one.check.next_due,
        note=one.check.note,
        recorded_by=one.recorded_by,
        recorded_at=one.recorded_at,
    )
