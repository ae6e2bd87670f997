"""From the bytes of a message to its acknowledgement: read, done once, durable before AA."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from consult.messages import Taken
from consult.ordering import By, OrderDesk
from consult.stations import Stations
from gateway.hl7.acknowledge import ACCEPTED, Verdict, acknowledgement, verdict_of
from gateway.hl7.message import Message, parse
from gateway.hl7.orders import changes
from kernel import telemetry
from kernel.clock import Clock
from kernel.errors import ExchangeError, InvalidRequest, Retriable

BY = By("hl7")

_log = telemetry.get_logger("gateway.hl7")


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes messages for one site; call it with the bytes of one, from any thread."""

    orders: OrderDesk
    stations: Stations
    site: str
    fallback_charset: str | None
    clock: Clock
    new_identifier: Callable[[], str] = lambda: secrets.token_hex(10)  # MSH-10 of our answers

    def __call__(self, data: bytes) -> bytes:
        """Do what a message asks for and return its acknowledgement; never raises for what a sender sends."""
        message: Message | None = None
        try:
            message = parse(data, self.fallback_charset)
            verdict = self._taken(message, hashlib.sha256(data).digest())
        except ExchangeError as error:
            verdict = verdict_of(error)
        except Exception as error:  # noqa: BLE001 the edge: one message never ends the node
            _log.error("hl7_failed", exc_info=error)
            verdict = verdict_of(error)
        if verdict.code != ACCEPTED:
            _log.warning(
                "hl7_refused", code=verdict.code, error=verdict.error, segments=message and len(message.segments)
            )
        return acknowledgement(message, verdict, site=self.site, identifier=self.new_identifier(), at=self.clock.now())

    def _taken(self, message: Message, digest: bytes) -> Verdict:
        if not message.control_id:
            raise InvalidRequest(reason="MSH-10 is missing")
        before = self.orders.answered(message.sender, message.control_id, digest)
        if before is not None and before.acknowledgement == ACCEPTED:
            return Verdict(ACCEPTED)
        try:
            asked = changes(message, self.stations)
            self.orders.take(self.site, asked, _remembered(message, digest, Verdict(ACCEPTED)), BY)
        except Retriable:
            raise  # not remembered: the sender will come again
        except ExchangeError as error:
            refusal = verdict_of(error)
            self.orders.take(self.site, (), _remembered(message, digest, refusal), BY)
            return refusal
        return Verdict(ACCEPTED)


def _remembered(message: Message, digest: bytes, verdict: Verdict) -> Taken:
    return Taken(
        sender=message.sender,
        control_id=message.control_id,
        digest=digest,
        kind="^".join(message.kind)[:32],
        acknowledgement=verdict.code,
        reason=verdict.reason[:400],
    )
