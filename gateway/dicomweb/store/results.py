"""What became of each instance of a STOW-RS request: the response data set (PS3.18 table 10.5.3-1) and its status."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.dicomweb.http.problem import RETRY_AFTER_S
from gateway.status import failure_reason
from kernel.errors import ExchangeError, Retriable

WARNED_MAX: Final = 5  # refusals told in the Warning header; the data set has them all
_AGENT: Final = "vienanh"


@dataclass(frozen=True, slots=True)
class Stored:
    """An instance that is durable and indexed."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A part that was not stored; its UIDs as far as they could be read, else empty."""

    error: BaseException
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


Result = Stored | Failed


def status_of(results: Sequence[Result]) -> int:
    """Return 200 when all were stored, 202 when some, 409 when none, 503 when none for want of space or the like."""
    failures = [result.error for result in results if isinstance(result, Failed)]
    if not failures:
        return 200
    if len(failures) < len(results):
        return 202
    return 503 if all(isinstance(error, Retriable) for error in failures) else 409


def headers_of(results: Sequence[Result], status: int) -> dict[str, str]:
    """Return a Warning header that says in words why instances failed, and Retry-After where waiting helps."""
    headers: dict[str, str] = {}
    texts = [_words(result.error) for result in results if isinstance(result, Failed)]
    if texts:
        told = list(dict.fromkeys(texts))[:WARNED_MAX]
        text = f"{len(texts)} of {len(results)} instances were not stored: {' '.join(told)}"
        headers["Warning"] = f'299 {_AGENT} "{text}"'.encode("ascii", "replace").decode()
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return headers


def _words(error: BaseException) -> str:
    text = str(error) if isinstance(error, ExchangeError) else "The node failed."
    return text.replace('"', "'").replace("\\", "/")


def data_set(results: Sequence[Result], base_url: str) -> bytes:
    """Return the response data set as DICOM JSON; `base_url` is that of the service, without a slash at the end."""
    content: dict[str, Any] = {}
    studies = {result.study_instance_uid for result in results if isinstance(result, Stored)}
    if len(studies) == 1:
        content["00081190"] = _element("UR", f"{base_url}/studies/{studies.pop()}")
    others = [_other(r) for r in results if isinstance(r, Failed) and not r.sop_instance_uid]
    failed = [_failed(r) for r in results if isinstance(r, Failed) and r.sop_instance_uid]
    stored = [_stored(r, base_url) for r in results if isinstance(r, Stored)]
    for tag, items in (("00081198", failed), ("00081199", stored), ("0008119A", others)):
        if items:
            content[tag] = {"vr": "SQ", "Value": items}
    return json.dumps(content, separators=(",", ":")).encode()


def _stored(result: Stored, base_url: str) -> dict[str, Any]:
    study, series, sop = result.study_instance_uid, result.series_instance_uid, result.sop_instance_uid
    return {
        "00081150": _element("UI", result.sop_class_uid),
        "00081155": _element("UI", sop),
        "00081190": _element("UR", f"{base_url}/studies/{study}/series/{series}/instances/{sop}"),
    }


def _failed(result: Failed) -> dict[str, Any]:
    return {
        "00081150": _element("UI", result.sop_class_uid),
        "00081155": _element("UI", result.sop_instance_uid),
        **_other(result),
    }


def _other(result: Failed) -> dict[str, Any]:
    return {"00081197": _element("US", failure_reason(result.error))}


def _element(vr: str, value: str | int) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]} if value != "" else {"vr": vr}
