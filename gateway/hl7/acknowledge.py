"""Acknowledgements (HL7 v2.5.1 2.9.2, original mode): what a sender is told, with a reason and no identity. Pure.

AA: taken and durable. AE: something in the message must change. AR: it was not looked into (another type, version or
character set) or cannot be taken now; the sender may send it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from gateway.hl7.message import Message
from kernel import errors

ACCEPTED: Final = "AA"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An acknowledgement code (table 0008), an error code (table 0357), and a reason."""

    code: str
    error: str = "0"
    reason: str = ""


# What each of our errors is to an HL7 sender; a class without a row is as the nearest class above it.
VERDICTS: Final[Mapping[type[BaseException], tuple[str, str]]] = MappingProxyType(
    {
        BaseException: ("AR", "207"),  # application internal error
        errors.Refused: ("AE", "102"),  # data type error
        errors.InvalidOrder: ("AE", "101"),  # required field missing, or not in its form
        errors.OrderConflict: ("AE", "205"),  # duplicate key: what is there may not change
        errors.NotFound: ("AE", "204"),  # unknown key identifier
        errors.InvalidRequest: ("AR", "200"),  # unsupported message type
        errors.LimitExceeded: ("AR", "102"),
        errors.Denied: ("AR", "207"),
        errors.Retriable: ("AR", "207"),
    }
)


def verdict_of(error: BaseException) -> Verdict:
    """Return what an error is to an HL7 sender."""
    code, number = next(VERDICTS[kind] for kind in type(error).__mro__ if kind in VERDICTS)
    return Verdict(code, number, str(error) if isinstance(error, errors.ExchangeError) else "The node failed.")


def acknowledgement(message: Message | None, verdict: Verdict, *, site: str, identifier: str, at: datetime) -> bytes:
    """Return the ACK of a message, in its own characters; `message` is None when it could not be read."""
    application = facility = event = control = ""
    version, codec, processing = "2.5.1", "utf-8", "P"
    if message is not None:
        header, codec = message.header, message.codec
        application, facility, event = header.raw(3), header.raw(4), message.kind[1]
        control, version, processing = header.raw(10), header.raw(12) or version, header.raw(11) or processing
    characters = "UNICODE UTF-8" if codec == "utf-8" else ""
    moment = at.strftime("%Y%m%d%H%M%S+0000")
    kind = f"ACK^{event}^ACK" if event else "ACK"
    lines = [
        f"MSH|^~\\&|VIENANH|{site}|{application}|{facility}|{moment}||{kind}|{identifier}|{processing}|{version}"
        f"||||||{characters}".rstrip("|"),
        f"MSA|{verdict.code}|{control}|{_escaped(verdict.reason)}".rstrip("|"),
    ]
    if verdict.code != ACCEPTED:
        lines.append(f"ERR|||{verdict.error}^^HL70357|E||||{_escaped(verdict.reason)}")
    return ("\r".join(lines) + "\r").encode(codec, "replace")


def _escaped(text: str) -> str:
    for character, code in (("\\", "E"), ("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        text = text.replace(character, f"\\{code}\\")
    return text
