"""DELETE of a study, series or instance, as other archives have it; the standard has no such service.

    DELETE /dicom-web/studies/{study}?reason=test-data&force=true

`reason` (or the header Vienanh-Reason) is one of `kernel.archive.deletion.deletion.REASONS`; `force`, of an administrator only,
deletes what waits for delivery or may be the only copy. 204 when it is gone, 409 with the reason when it may not go.
"""

from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from kernel.access import Scope
from kernel.archive.deletion.deletion import Wish
from kernel.archive.deletion.removal import Target
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest

HEADER: Final = "Vienanh-Reason"
_TRUTHS: Final = {"true": True, "false": False}


def delete(call: Call) -> ASGIApp:
    """Answer DELETE of a study, series or instance."""
    for name, keyword in (("series", "SeriesInstanceUID"), ("instance", "SOPInstanceUID")):
        if name in call.params:
            check_uid(call.params[name], keyword)
    force = _TRUTHS.get(call.query.get("force", "false"))
    if force is None:
        raise InvalidRequest(reason="force is true or false")
    access, principal, address = call.services.access, call.principal, call.address
    grant = access.may_delete(principal, call.params["study"], address.peer, address.site)
    call.services.deletions.delete(
        Wish(
            Target(grant.site, grant.study_instance_uid, call.params.get("series"), call.params.get("instance")),
            who=principal.name,
            role=" ".join(sorted(principal.roles)),
            address=address.peer,
            reason=call.query.get("reason") or call.headers.get(HEADER, ""),
            is_admin=Scope.ADMIN in principal.scopes,
            is_forced=force,
        )
    )
    return Answer(204, {"Cache-Control": "no-store"})
