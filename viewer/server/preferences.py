"""The API of preferences: what a person chose on the screens, the same at every computer."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from kernel.access import Principal, Scope
from kernel.access.preferences import CHARACTERS_MAX
from viewer.server.callers import holder
from viewer.server.models import Model
from viewer.server.services import Services


class PreferencesItem(Model):
    """Preferences as the screens wrote them; empty when none were kept."""

    settings: str = Field(max_length=CHARACTERS_MAX)


def add_preferences(router: APIRouter, services: Services) -> None:
    """Add the routes of preferences."""
    caller = holder(services, Scope.API_READ)

    @router.get("/preferences", tags=["session"])
    def preferences(principal: Annotated[Principal, Depends(caller)]) -> PreferencesItem:
        """Return one's own preferences."""
        return PreferencesItem(settings=services.access.preferences.of(principal))

    @router.put("/preferences", tags=["session"], status_code=204)
    def keep(principal: Annotated[Principal, Depends(caller)], body: PreferencesItem) -> None:
        """Keep one's own preferences."""
        services.access.preferences.keep(principal, body.settings)
