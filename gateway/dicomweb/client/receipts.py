"""A STOW-RS answer read as receipts: the peer's word for each instance, or why there is none.

The response data set is that of PS3.18 table 10.5.3-1 as DICOM JSON; Failure Reasons are those of table I.2-2. Peers
answer 200, 202 and 409 with such a data set; everything else says something about the request, not an instance.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from gateway import refusals
from routing.transport import Cause, Parcel, Receipt, ReceiptState, failed

REFERENCED_SOP_SEQUENCE: Final = "00081199"
FAILED_SOP_SEQUENCE: Final = "00081198"
REFERENCED_SOP_INSTANCE_UID: Final = "00081155"
FAILURE_REASON: Final = "00081197"
WITH_RESULTS: Final = (200, 202, 409)
NOT_AUTHORISED: Final = 0x0124
DUPLICATE_INSTANCE: Final = 0x0111
PROCESSING_FAILURE: Final = 0x0110


def cause_of_reason(reason: int | None) -> Cause:
    """Return what a Failure Reason means for the sender."""
    if reason is None or reason == PROCESSING_FAILURE:
        return Cause.LINK  # the peer failed, nothing says that the instance did: worth another try
    if reason >> 8 == 0xA7:
        return Cause.FULL
    if reason == NOT_AUTHORISED:
        return Cause.AUTHENTICATION
    return Cause.CONFLICT if reason == DUPLICATE_INSTANCE else Cause.POISON


def cause_of_status(status: int) -> Cause:
    """Return what the HTTP status of a whole request means for the sender."""
    if status in (401, 403, 407):
        return Cause.AUTHENTICATION
    if status in (429, 503, 507):
        return Cause.FULL
    # A wrong address (3xx, 404, 405) is a setting that a person corrects: no reason to give up on the instances.
    return Cause.POISON if status in (400, 406, 409, 411, 413, 415, 422) else Cause.LINK


def read_results(batch: Sequence[Parcel], status: int, body: bytes) -> list[Receipt]:
    """Return one receipt for each parcel from an answer that should have a response data set."""
    content = _data_set(body)
    if content is None:
        cause = cause_of_status(status) if status >= 400 else Cause.LINK
        return failed(batch, cause, str(status), "the answer has no readable result for each instance")
    stored = {uid for uid, _ in _items(content, REFERENCED_SOP_SEQUENCE)}
    refused = dict(_items(content, FAILED_SOP_SEQUENCE))
    return [_receipt(parcel.sop_instance_uid, status, stored, refused) for parcel in batch]


def _receipt(uid: str, status: int, stored: set[str], refused: Mapping[str, int | None]) -> Receipt:
    if uid in refused:
        reason = refused[uid]
        cause = cause_of_reason(reason)
        state = ReceiptState.REFUSED if cause in (Cause.POISON, Cause.CONFLICT) else ReceiptState.RETRY
        if reason is None:
            return Receipt(uid, state, cause, f"{status}/no reason", "the destination failed it, and gave no reason")
        detail = f"the destination failed it with reason {reason:04X}{refusals.told(reason)}"
        return Receipt(uid, state, cause, f"{status}/{reason:04X}", detail)
    if uid in stored:
        return Receipt(uid, ReceiptState.DELIVERED, None, str(status))
    return Receipt(uid, ReceiptState.RETRY, Cause.LINK, str(status), "the answer does not mention this instance")


def _data_set(body: bytes) -> Mapping[str, Any] | None:
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, list) and len(cast("list[Any]", content)) == 1:
        content = content[0]  # some peers wrap the data set in an array
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _items(content: Mapping[str, Any], sequence: str) -> Iterator[tuple[str, int | None]]:
    """Yield (SOP Instance UID, Failure Reason) of every readable item; a stranger's JSON may have any shape."""
    for item in _values(content, sequence):
        if isinstance(item, dict):
            uid = next(iter(_values(cast("dict[str, Any]", item), REFERENCED_SOP_INSTANCE_UID)), None)
            reason = next(iter(_values(cast("dict[str, Any]", item), FAILURE_REASON)), None)
            if isinstance(uid, str):
                yield uid, reason if isinstance(reason, int) else None


def _values(item: Mapping[str, Any], tag: str) -> Sequence[Any]:
    element: Any = item.get(tag)
    value: Any = cast("dict[str, Any]", element).get("Value") if isinstance(element, dict) else None
    return cast("list[Any]", value) if isinstance(value, list) else []
