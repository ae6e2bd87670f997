"""Storage commitment as user agent (PS3.18 13): ask a DICOMweb destination, and fetch the result while it is not there."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from gateway.dicomweb.client.sending import StowTransport
from kernel.archive.commitment.requests import Reference
from kernel.clock import Clock
from kernel.errors import InvalidRequest, PeerBusy
from routing.handovers import Verdict

LOOK_EVERY_S: Final = 1.0
LOOKS_MAX: Final = 30  # after which it is asked anew, later


def ask_commitment(
    connect: Callable[[], StowTransport], name: str, clock: Clock
) -> Callable[[str, Sequence[Reference]], Verdict]:
    """Return how a destination is asked: on a connection of its own, with the same token and authorities.

    Raises
    ------
    PeerUnreachable, PeerBusy
        No answer, no result yet, or none that can be read: later.
    InvalidRequest
        It refuses the request, or does not know the service.
    """

    def ask(transaction_uid: str, references: Sequence[Reference]) -> Verdict:
        transport, path = connect(), f"/commitment-requests/{transaction_uid}"
        try:
            status, body = transport.exchange("POST", path, request_body(references))
            for _ in range(LOOKS_MAX):
                if status != 202:
                    break
                clock.wait(threading.Event(), LOOK_EVERY_S)
                status, body = transport.exchange("GET", path)
        finally:
            transport.close()
        if status == 200:
            return read_verdict(body, name)
        if status == 202 or status >= 500:
            raise PeerBusy(peer=name, reason=f"it answered {status}")
        raise InvalidRequest(reason=f"{name} answered a request for commitment with {status}")

    return ask


def request_body(references: Sequence[Reference]) -> bytes:
    """Return the data set of a request as DICOM JSON."""
    items = [
        {
            "00081150": {"vr": "UI", "Value": [one.sop_class_uid]},
            "00081155": {"vr": "UI", "Value": [one.sop_instance_uid]},
        }
        for one in references
    ]
    return msgspec.json.encode({"00081199": {"vr": "SQ", "Value": items}})


def read_verdict(body: bytes, name: str) -> Verdict:
    """Return what an answer says.

    Raises
    ------
    PeerBusy
        It cannot be read: nothing is known.
    """
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any] | list[dict[str, Any]])
        (model,) = answer if isinstance(answer, list) else [answer]  # some peers wrap the data set in an array
        committed = {_uid(item) for item in model.get("00081199", {}).get("Value", [])}
        failures = {_uid(item): _reason(item) for item in model.get("00081198", {}).get("Value", [])}
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise PeerBusy(peer=name, reason="its result cannot be read") from None
    return Verdict(committed, failures)


def _uid(item: Any) -> str:
    return str(item["00081155"]["Value"][0])


def _reason(item: Any) -> int:
    return int(item["00081197"]["Value"][0])
