"""The API of a study's de-identification: what was made of it, what is held and why, and each text that is left, once.

For who administers, and for systems that have instances de-identified; each report is a look at the study, with its audit
line. It names UIDs as received, so nobody keeps it on the way.
"""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response

from kernel.access import Action, Principal, Scope
from routing.report_page import page
from viewer.server.callers import holder
from viewer.server.services import Services, address_of


def add_deidentification(router: APIRouter, services: Services) -> None:
    """Add the route of the report."""
    entitled = holder(services, Scope.DEIDENTIFY)

    @router.get("/studies/{study_uid}/deidentification", tags=["studies"], response_class=Response)
    def report(
        request: Request,
        principal: Annotated[Principal, Depends(entitled)],
        study_uid: str,
        site: str | None = None,
        form: Literal["json", "html"] = "json",
    ) -> Response:
        """Give the report of a study, by its UID as received: as JSON, or as a page to keep (`form=html`)."""
        grant = services.access.open_study(principal, study_uid, Action.EXPORT, address_of(request), site)
        found = services.reports.of(grant.site, study_uid)
        headers = {"Cache-Control": "no-store"}
        if form == "json":
            return Response(json.dumps(found, ensure_ascii=False), media_type="application/json", headers=headers)
        headers["Content-Disposition"] = 'attachment; filename="deidentification.html"'
        return Response(page(found), media_type="text/html; charset=utf-8", headers=headers)
