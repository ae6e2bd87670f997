"""The API's description as it is served: what the framework says of the reading room's, errors as they are told, DICOMweb."""

from typing import Any, Final

from gateway.dicomweb.app import ROUTES
from gateway.dicomweb.description import PROBLEM, SECURITY, openapi_paths

REFUSALS: Final = {"4XX": "Refused; the sender must change something.", "503": "Not now; Retry-After says when."}
_FRAMEWORKS_OWN: Final = "422"  # for what is not valid; here it is a problem with the status 400 (http.py)


def complete(described: dict[str, Any]) -> None:
    """Complete the framework's description in place."""
    for methods in described["paths"].values():
        for operation in methods.values():
            responses = operation["responses"]
            responses.pop(_FRAMEWORKS_OWN, None)
            for status, told in REFUSALS.items():
                responses.setdefault(status, {"description": told, "content": _problem()})
    described["paths"] |= openapi_paths(ROUTES)
    components = described.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components.setdefault("securitySchemes", {}).update(SECURITY)


def _problem() -> dict[str, Any]:
    return {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
