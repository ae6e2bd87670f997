"""What one exchange tells another about a study, as a header beside STOW-RS or as JSON: how many instances, how urgent.

    Vienanh-Manifest: study=1.2.3; version=5; instances=60; complete=association-released; priority=stat

`complete` is absent while the study is open. It carries UIDs of this exchange and numbers, never a patient's data.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest
from routing.transport import Manifest

HEADER: Final = "Vienanh-Manifest"
MANIFEST_CHARS_MAX: Final = 1024
COUNT_MAX: Final = 2**31 - 1
PRIORITIES: Final = ("stat", "urgent", "routine")
_EVIDENCE: Final = re.compile(r"[a-z0-9-]{1,64}")
_KEYS: Final = ("study", "version", "instances", "complete", "priority")


def to_header(manifest: Manifest) -> str:
    """Write a manifest as the value of the header."""
    return "; ".join(f"{key}={value}" for key, value in to_fields(manifest).items())


def to_fields(manifest: Manifest) -> dict[str, str | int]:
    """Write a manifest as the JSON object of POST /manifests."""
    fields: dict[str, str | int | None] = {
        "study": manifest.study_instance_uid,
        "version": manifest.version,
        "instances": manifest.instances,
        "complete": manifest.complete,
        "priority": manifest.priority,
    }
    return {key: value for key, value in fields.items() if value is not None}


def from_header(text: str, trace_id: str) -> Manifest:
    """Read the header's value.

    Raises
    ------
    InvalidRequest
        Too long, an unknown or repeated key, a value that cannot be.
    """
    if len(text) > MANIFEST_CHARS_MAX:
        raise InvalidRequest(reason=f"{HEADER} is longer than {MANIFEST_CHARS_MAX} characters")
    fields: dict[str, str] = {}
    for item in filter(None, (piece.strip() for piece in text.split(";"))):
        key, _, value = item.partition("=")
        if key.strip() in fields:
            raise InvalidRequest(reason=f"{HEADER} has a key twice")
        fields[key.strip()] = value.strip()
    return _from_fields(fields, trace_id)


def from_json(body: bytes, trace_id: str) -> Manifest:
    """Read the body of POST /manifests.

    Raises
    ------
    InvalidRequest
        As `from_header`, or not a JSON object.
    """
    if len(body) > MANIFEST_CHARS_MAX:
        raise InvalidRequest(reason=f"a manifest is longer than {MANIFEST_CHARS_MAX} bytes")
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidRequest(reason="a manifest is a JSON object")
    return _from_fields(cast("dict[str, Any]", content), trace_id)


def _from_fields(fields: Mapping[str, Any], trace_id: str) -> Manifest:
    if not set(fields) <= set(_KEYS):
        raise InvalidRequest(reason=f"a manifest has the keys {', '.join(_KEYS)}")
    complete, priority = fields.get("complete"), fields.get("priority", "routine")
    if complete is not None and not (isinstance(complete, str) and _EVIDENCE.fullmatch(complete)):
        raise InvalidRequest(reason="complete of a manifest is a word such as association-released")
    if priority not in PRIORITIES:
        raise InvalidRequest(reason=f"priority of a manifest is one of {', '.join(PRIORITIES)}")
    return Manifest(
        study_instance_uid=check_uid(str(fields.get("study", "")), "StudyInstanceUID"),
        version=_count(fields, "version"),
        instances=_count(fields, "instances"),
        complete=complete,
        priority=str(priority),
        trace_id=trace_id,
    )


def _count(fields: Mapping[str, Any], key: str) -> int:
    text = str(fields.get(key, ""))
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > COUNT_MAX:
        raise InvalidRequest(reason=f"{key} of a manifest is a whole number from 0 to {COUNT_MAX}")
    return int(text)
