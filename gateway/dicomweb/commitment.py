"""Storage commitment over HTTP (PS3.18 13): ask for it, and fetch the result; the transactions are those of N-ACTION.

POST /commitment-requests/{transaction}    200 with the result, or 202: ask again later
GET  /commitment-requests/{transaction}    the same, 404 when this caller did not ask for it
"""

import asyncio
from typing import Any, Final, cast

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.negotiation import Offer, choose
from gateway.dicomweb.http.small_body import SmallBody
from gateway.dicomweb.store.stow import storing_site
from kernel.archive.commitment import requests as commitments
from kernel.archive.commitment.requests import INSTANCES_MAX, Asked, Failure, Reference, Transaction
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import Busy, DuplicateTransaction, InvalidRequest, LimitExceeded, NotFound, UnsupportedMediaType

BODY_BYTES_MAX: Final = 16 * 1024 * 1024  # INSTANCES_MAX references as XML
WAIT_S: Final = 2.0  # for the result, before 202
LOOK_EVERY_S: Final = 0.05
RETRY_AFTER_S: Final = 5
JSON, XML = "application/dicom+json", "application/dicom+xml"
_OFFERS: Final = (Offer(JSON), Offer(XML))


def request(call: Call) -> ASGIApp:
    """Check that the caller may store; return what reads the body, keeps the request and waits a moment for its result."""
    site, media_type = storing_site(call), choose(call.accept, _OFFERS).media_type
    return SmallBody(call, BODY_BYTES_MAX, lambda body: _Waiting(call, _keep(call, site, body), media_type))


def result(call: Call) -> ASGIApp:
    """Answer with what was found of a transaction of this caller."""
    media_type = choose(call.accept, _OFFERS).media_type
    with call.services.db.read() as connection:
        uid = check_uid(call.params["transaction"], "TransactionUID")
        found = commitments.of_uid(connection, "dicomweb", _name(call), storing_site(call), uid)
    if found is None:
        raise NotFound(what="transaction")
    return _answer(found, media_type)


class _Waiting:
    """Answers about a transaction: with its result, if that is there within WAIT_S."""

    def __init__(self, call: Call, pk: int, media_type: str) -> None:
        self._call = call
        self._pk = pk
        self._media_type = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, answer (ASGI)."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        while (found := await loop.run_in_executor(self._call.room.readers, self._read)).state == "asked":
            if loop.time() > until:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        await _answer(found, self._media_type)(scope, receive, send)

    def _read(self) -> Transaction:
        with self._call.services.db.read() as connection:
            found = commitments.of_key(connection, self._pk)
        assert found is not None, "it was just written"
        return found


def _keep(call: Call, site: str, body: bytes) -> int:
    desk = call.services.commitments
    if desk is None:
        raise Busy(what="storage commitment is not served here")
    asked = Asked(
        transaction_uid=check_uid(call.params["transaction"], "TransactionUID"),
        channel="dicomweb",
        site=site,
        peer=_name(call),
        called="",
        address=call.address.peer,
        references=read_references(body, call.headers.get("content-type", JSON)),
    )
    with call.services.db.read() as connection:
        if commitments.is_used(connection, asked):
            raise DuplicateTransaction(transaction_uid=asked.transaction_uid)
    return desk.ask(asked)


def read_references(body: bytes, content_type: str) -> list[Reference]:
    """Return the instances of a request's data set, each once.

    Raises
    ------
    UnsupportedMediaType, InvalidRequest, InvalidIdentifier, MissingIdentifier, LimitExceeded
        It is no such data set.
    """
    media_type = parse_media_type(content_type).name
    if media_type not in (JSON, "application/json", XML):
        raise UnsupportedMediaType(media_type=media_type, offered=f"{JSON}, {XML}")
    model = from_xml(body) if media_type == XML else _json(body)
    sequence = model.get("00081199")
    items: Any = cast("dict[str, Any]", sequence).get("Value") if isinstance(sequence, dict) else None
    if not isinstance(items, list) or not items:
        raise InvalidRequest(reason="Referenced SOP Sequence (0008,1199) is missing or empty")
    references = [_reference(item) for item in cast("list[Any]", items[: INSTANCES_MAX + 1])]
    if len(references) > INSTANCES_MAX:
        raise LimitExceeded(limit="INSTANCES_MAX", value=len(cast("list[Any]", items)), bound=INSTANCES_MAX)
    return list({one.sop_instance_uid: one for one in references}.values())


def _json(body: bytes) -> dict[str, Any]:
    try:
        model = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(reason="the body is not JSON") from None
    if isinstance(model, list) and len(cast("list[Any]", model)) == 1:  # as STOW-RS metadata comes
        model = cast("list[Any]", model)[0]
    if not isinstance(model, dict):
        raise InvalidRequest(reason="the body is not a DICOM JSON object")
    return cast("dict[str, Any]", model)


def _reference(item: Any) -> Reference:
    return Reference(
        check_uid(_value(item, "00081150"), "ReferencedSOPClassUID"),
        check_uid(_value(item, "00081155"), "ReferencedSOPInstanceUID"),
    )


def _value(item: Any, tag: str) -> str:
    try:
        value: Any = item[tag]["Value"][0]
    except (KeyError, IndexError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def _name(call: Call) -> str:
    return f"{call.principal.kind} {call.principal.name}"


def _answer(found: Transaction, media_type: str) -> Answer:
    headers = {"Cache-Control": "private, no-store"}
    if found.state == "asked":
        return Answer(202, {**headers, "Retry-After": str(RETRY_AFTER_S)})
    body = msgspec.json.encode(result_model(found))
    return Answer(200, {**headers, "Content-Type": media_type}, to_xml(body) if media_type == XML else body)


def result_model(found: Transaction) -> dict[str, Any]:
    """Return the result as a DICOM JSON object: what is committed, and what failed with its reason."""
    model: dict[str, Any] = {"00081195": {"vr": "UI", "Value": [found.asked.transaction_uid]}}
    for tag, ones in (("00081198", found.failures), ("00081199", found.committed)):
        if ones:
            model[tag] = {"vr": "SQ", "Value": [_item(one) for one in ones]}
    return model


def _item(one: Reference | Failure) -> dict[str, Any]:
    item: dict[str, Any] = {
        "00081150": {"vr": "UI", "Value": [one.sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [one.sop_instance_uid]},
    }
    if isinstance(one, Failure):
        item["00081197"] = {"vr": "US", "Value": [one.reason]}
    return item
