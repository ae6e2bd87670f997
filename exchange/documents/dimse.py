"""Tables of docs/conformance.md about associations, made from the code (PS3.2 N.4)."""

from collections.abc import Collection, Iterator
from typing import Any, cast

from pydicom.uid import UID

from gateway.dimse.listening import negotiation
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.offer import PLAIN_SYNTAXES, Offer
from gateway.dimse.scp.offered import offers
from gateway.dimse.scu import proposal
from gateway.dimse.upper_layer import pdu
from gateway.dimse.upper_layer.commands import Field
from gateway.dimse.upper_layer.tls import CIPHERS
from kernel.clock import SystemClock
from kernel.config import Config, DimseConfig
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_NOTHING = cast("Any", None)  # the table is only looked at


def presentation_contexts() -> Iterator[str]:
    """Yield the lines of the table of what is accepted, from the very table that negotiation uses."""
    yield "| abstract syntax | UID | operations | requestor's roles | transfer syntaxes | extended | `services` |"
    yield "|---|---|---|---|---|---|---|"
    config, clock = Config(), SystemClock()
    backing = Backing(config, clock, _NOTHING, _NOTHING, _NOTHING, _NOTHING)
    table = offers(config, _NOTHING, _NOTHING, clock, backing)
    for uid, offer in table.rows.items():
        yield _row(UID(uid).name, uid, offer)
    yield _row("every storage SOP class below", "", table.storage)


def _row(name: str, uid: str, offer: Offer) -> str:
    operations = ", ".join(Field(field).name.removesuffix("_RQ").replace("_", "-") for field in offer.services)
    roles = ", ".join(
        role for role, may in (("SCU", offer.requestor_may_be_scu), ("SCP", offer.requestor_may_be_scp)) if may
    )
    extended = "no" if offer.extend is None else "yes"
    return f"| {name} | {uid} | {operations} | {roles} | {_syntaxes(offer.transfer_syntaxes)} | {extended} | {offer.name} |"


def _syntaxes(uids: Collection[str]) -> str:
    return "implicit little, explicit little and big endian" if tuple(uids) == PLAIN_SYNTAXES else "every one below"


def associations() -> Iterator[str]:
    """Yield the lines of the table of association policies."""
    dimse = DimseConfig()
    yield "| | as acceptor | as requestor |"
    yield "|---|---|---|"
    yield f"| application context | {pdu.APPLICATION_CONTEXT} | the same |"
    yield f"| implementation class UID | {IMPLEMENTATION_CLASS_UID} | the same |"
    yield f"| implementation version name | {IMPLEMENTATION_VERSION_NAME} | the same |"
    yield f"| largest PDU asked for, bytes | {dimse.pdu_bytes_max} (`dimse.pdu_bytes_max`) | {proposal.OUR_PDU_BYTES_MAX} |"
    yield f"| associations at once | {dimse.associations_max} (`dimse.associations_max`), {dimse.source_associations_max} of one source | one for each lane of a destination |"
    window = negotiation.SYNCHRONOUS
    yield f"| asynchronous operations | {window.invoked},{window.performed}, when proposed | not proposed |"
    yield f"| A-ASSOCIATE-RQ must come within | {dimse.negotiation_timeout_s:g} s (`dimse.negotiation_timeout_s`) | |"
    yield f"| silence ends the association after | {dimse.idle_timeout_s:g} s (`dimse.idle_timeout_s`) | `routing.request_timeout_s` |"
    yield f"| presentation contexts | as proposed, at most 128 | at most {proposal.CONTEXTS_MAX} |"


def rejections() -> Iterator[str]:
    """Yield the lines of the table of reasons for which an association is rejected (PS3.8 table 9-21)."""
    yield "| result | source | reason | when |"
    yield "|---|---|---|---|"
    for answer, when in negotiation.REJECTIONS.items():
        yield f"| {answer.result} | {answer.source} | {answer.reason} | {when} |"


def tls_ciphers() -> Iterator[str]:
    """Yield the lines of the table of cipher suites of TLS 1.2."""
    yield "| cipher suite of TLS 1.2 (OpenSSL's name) |"
    yield "|---|"
    for name in CIPHERS:
        yield f"| `{name}` |"
