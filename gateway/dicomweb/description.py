"""The routes of DICOMweb described, from the route table: OpenAPI 3.1, and WADL as PS3.18 8.9 and annex H have it.

A row is described by its stage (`OPERATIONS`) and the parameters in its path (`PARAMETERS`). A stage that is not in the
table is described by its name alone; a test says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import quoteattr

from gateway.dicomweb.http.row import Row
from gateway.dicomweb.retrieve.frame_media import MEDIA_TYPES
from gateway.dicomweb.retrieve.tiers import MEDIA_TYPE as TIER
from kernel.archive.changes import PAGE_MAX
from kernel.archive.deletion.deletion import REASONS
from kernel.archive.derived.tiers import TIERS

WADL: Final = "http://wadl.dev.java.net/2009/02"
_UID: Final = {"type": "string", "pattern": "^[0-9.]{1,64}$"}
PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "site": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"},
    "study": _UID,
    "series": _UID,
    "instance": _UID,
    "transaction": _UID,
    "workitem": _UID,
    "ae": {"type": "string", "minLength": 1, "maxLength": 16},
    "frames": {"type": "string", "pattern": "^[0-9]{1,6}(,[0-9]{1,6}){0,9}$"},
    "tier": {"type": "integer", "minimum": 0, "maximum": TIERS - 1},
    "path": {"type": "string", "maxLength": 64},
    "upload": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_TEXT: Final = {"type": "string", "maxLength": 64}
_PICTURES: Final = (
    *("image/jpeg", "image/png", "image/gif", "image/jp2"),
    *("multipart/related", "application/pdf", "video/mp4"),
)
_JSON: Final = "application/dicom+json"
_XML: Final = "application/dicom+xml"
_INSTANCES: Final = ('multipart/related; type="application/dicom"', "application/dicom")
_FRAMES: Final = ("application/octet-stream", "multipart/related", *sorted(set(MEDIA_TYPES.values())))


class Operation(NamedTuple):
    """What the rows of one stage do."""

    summary: str
    gives: Sequence[str] = ()  # media types
    takes: Sequence[str] = ()
    query: Mapping[str, Mapping[str, Any]] = {}
    success: int = 200


OPERATIONS: Final[Mapping[str, Operation]] = {
    "capabilities": Operation(
        "Retrieve Capabilities (PS3.18 8.9)", ("application/vnd.sun.wadl+xml", "application/json")
    ),
    "qido": Operation(
        "Search (PS3.18 10.6)",
        (_JSON, "application/json", f'multipart/related; type="{_XML}"'),
        query={
            "limit": _NUMBER,
            "offset": _NUMBER,
            "fuzzymatching": {"type": "boolean"},
            "includefield": _TEXT,
            "PatientName": _TEXT,
            "PatientID": _TEXT,
            "StudyDate": _TEXT,
            "ModalitiesInStudy": _TEXT,
        },
    ),
    "store": Operation(
        "Store (PS3.18 10.5)", (_JSON, _XML), (*_INSTANCES, f'multipart/related; type="{_JSON}"', _JSON, _XML)
    ),
    "upload": Operation(
        "Put files in at a site: instances, or a zip of them; the answer has a result for each, in their order",
        ("application/json",),
        (_INSTANCES[0], "application/zip"),
    ),
    "upload-known": Operation(
        "Ask which instances are here already, byte for byte: what was put in before the line broke is not sent again",
        ("application/json",),
        ("application/json",),
    ),
    "slide-upload": Operation(
        "Put a vendor's slide in at a site, in pieces: a form, then its bytes from Upload-Offset on; how far it is",
        ("application/json",),
        ("application/json", "application/offset+octet-stream"),
    ),
    "medium": Operation(
        "Download a study as a medium: its instances, DICOMDIR, and pages for a browser; .iso is the image of a disc",
        ("application/zip", "application/vnd.efi.iso"),
    ),
    "retrieve": Operation("Retrieve instances (PS3.18 10.4)", (*_INSTANCES, "application/zip")),
    "metadata": Operation("Retrieve metadata (PS3.18 10.4.1.1.2)", (_JSON, f'multipart/related; type="{_XML}"')),
    "frame": Operation("Retrieve frames (PS3.18 10.4.1.6)", _FRAMES),
    "tier": Operation("Retrieve a frame in steps of resolution, which together are lossless HTJ2K", (TIER,)),
    "bulkdata": Operation("Retrieve bulk data (PS3.18 10.4.1.5)", ("application/octet-stream", "multipart/related")),
    "bulkdata-all": Operation("Retrieve all bulk data (PS3.18 10.4.1.1.5)", ("multipart/related",)),
    "pixeldata": Operation("Retrieve all pixel data (PS3.18 10.4.1.1.6)", ("multipart/related",)),
    "rendered": Operation(
        "Retrieve rendered (PS3.18 10.4.1.1.3)",
        _PICTURES,
        query={
            "viewport": _TEXT,
            "window": _TEXT,
            "quality": _NUMBER,
            "annotation": {"type": "string", "enum": ["patient", "technique", "patient,technique"]},
            "iccprofile": {"type": "string", "enum": ["no", "yes", "srgb"]},
        },
    ),
    "delete": Operation(
        "Delete, within the node's policy",
        query={"reason": {"type": "string", "enum": [*REASONS]}, "force": {"type": "boolean"}},
        success=204,
    ),
    "changes": Operation(
        "Follow what changes",
        ("application/json",),
        query={
            "since": {"type": "integer", "minimum": 0},
            "wait": {"type": "integer", "minimum": 0, "maximum": 15},
            "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX},
        },
    ),
    "deidentify-order": Operation(
        "De-identify instances, which are not kept; the last part, or a 409, lists what was held",
        (_INSTANCES[0], "application/json"),
        _INSTANCES,
        query={"profile": _TEXT},
    ),
    "manifest": Operation("Say what a study consists of", takes=("application/json",), success=204),
    "workitem": Operation(
        "Worklist: work items, their states and subscribers (PS3.18 11)",
        (_JSON, _XML, f'multipart/related; type="{_XML}"'),
        (_JSON, _XML),
    ),
    "commitment": Operation("Request storage commitment, or read its result (PS3.18 13)", (_JSON, _XML), (_JSON, _XML)),
}


def parameters_of(path: str) -> list[str]:
    """Return the names of the parameters in a path, in order."""
    return [piece[1:-1].partition(":")[0] for piece in path.split("/") if piece.startswith("{")]


def openapi_paths(rows: Sequence[Row], prefix: str = "/dicom-web") -> dict[str, Any]:
    """Return the `paths` object of an OpenAPI description."""
    paths: dict[str, Any] = {}
    for row in rows:
        path = prefix + row.path.replace(":path}", "}")
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, parameters_of(path))
    return paths


def openapi(rows: Sequence[Row], version: str) -> dict[str, Any]:
    """Return a whole OpenAPI description of DICOMweb alone."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Viễn Ảnh: DICOMweb", "version": version},
        "paths": openapi_paths(rows),
        "components": {"schemas": {"Problem": PROBLEM}, "securitySchemes": SECURITY},
        "security": [{"bearer": []}],
    }


SECURITY: Final = {"bearer": {"type": "http", "scheme": "bearer"}}
PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457; `code` is the error's stable name, `trace` finds it in the node's log.",
    "required": ["type", "title", "status", "detail", "code", "trace"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "trace": {"type": "string"},
    },
}


def _operation(row: Row, names: Sequence[str]) -> dict[str, Any]:
    one = OPERATIONS.get(row.stage, Operation(row.stage))
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": PARAMETERS.get(name, _TEXT)} for name in names
    ]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in one.query.items()]
    told = {"description": "As asked for."}
    given = {media_type: {"schema": {}} for media_type in one.gives}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    described: dict[str, Any] = {
        "tags": ["DICOMweb"],
        "summary": one.summary,
        "description": f"Needs the right `{row.scope.value}`.",
        "operationId": f"{row.method.lower()} {row.path}",
        "parameters": parameters,
        "responses": {
            str(one.success): {**told, "content": given} if given else told,
            "204": {"description": "Done."},
            "default": {
                "description": "Refused; of a store, with a result for each instance (202, 409).",
                "content": {"application/problem+json": problem, **given},
            },
        },
    }
    if one.takes and row.method in _WITH_BODY:
        described["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": {}} for media_type in one.takes},
        }
    return described


def wadl(rows: Sequence[Row], base_url: str) -> bytes:
    """Return the Capabilities Description of the service at `base_url` as WADL (PS3.18 annex H)."""
    by_path: dict[str, list[Row]] = {}
    for row in rows:
        by_path.setdefault(row.path.lstrip("/").replace(":path}", "}"), []).append(row)
    resources = "".join(_resource(path, some) for path, some in by_path.items())
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<application xmlns="{WADL}">'
    return f"{head}<resources base={quoteattr(base_url + '/')}>{resources}</resources></application>".encode()


def _resource(path: str, rows: Sequence[Row]) -> str:
    params = "".join(f'<param name="{name}" style="template" required="true"/>' for name in parameters_of("/" + path))
    return f"<resource path={quoteattr(path)}>{params}{''.join(map(_method, rows))}</resource>"


def _method(row: Row) -> str:
    one = OPERATIONS.get(row.stage, Operation(row.stage))
    query = "".join(f'<param name="{name}" style="query"/>' for name in one.query)
    takes = one.takes if row.method in _WITH_BODY else ()
    taken, given = (
        "".join(f"<representation mediaType={quoteattr(t)}/>" for t in types) for types in (takes, one.gives)
    )
    request = f"<request>{query}{taken}</request>" if query or taken else ""
    return (
        f'<method name="{row.method}" id={quoteattr(f"{row.method} {row.path}")}>{request}'
        f'<response status="{one.success}">{given}</response></method>'
    )
