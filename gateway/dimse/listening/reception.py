"""Who is let in: the source and the user that call, their place, and what they may do (PS3.8 9.3.4, PS3.7 D.3).

The cheap questions come first: a stranger costs no place, and who has none costs no password.
"""

from dataclasses import dataclass, replace

from gateway.dimse.listening import negotiation
from gateway.dimse.listening.identity import OFF, Identification, widened
from gateway.dimse.listening.negotiation import Policy
from gateway.dimse.listening.places import Place, Places
from gateway.dimse.scp.offer import Offers
from gateway.dimse.upper_layer.pdu import AssociateAccept, AssociateReject, AssociateRequest
from gateway.peers import Certificate, Source, Sources
from kernel.access.identity import Proved
from kernel.config import DimseConfig
from kernel.errors import NotAuthenticated, Retriable, Throttled, UnknownCaller


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may call, and how often."""

    sources: Sources
    places: Places
    identification: Identification = OFF
    shares: int = 1  # how many processes serve the port: each has its share of what a source may send at once


@dataclass(frozen=True, slots=True)
class Admitted:
    """An association that is accepted; its place is left by whoever ends it."""

    answer: AssociateAccept
    source: Source
    proved: Proved | None  # who proved to be the user
    place: Place


class Reception:
    """Answers association requests."""

    def __init__(self, config: DimseConfig, callers: Callers, offers: Offers) -> None:
        self._callers = callers
        self._offers = offers
        self._policy = Policy(config.ae_title.strip(), config.check_called_ae_title, config.pdu_bytes_max)
        self._associations_max = config.source_associations_max

    def admit(
        self, request: AssociateRequest, address: str, certificate: Certificate | None
    ) -> Admitted | AssociateReject:
        """Let a caller in, or say why not."""
        try:
            source = self._callers.sources.resolve(
                request.called_ae_title, request.calling_ae_title, address, certificate
            )
        except UnknownCaller as error:
            wrong = error.fields.get("title")
            return negotiation.REJECT_CALLED_TITLE if wrong == "called" else negotiation.REJECT_CALLING_TITLE
        try:
            place = self._callers.places.take(source.name, source.associations_max or self._associations_max)
        except OSError:  # out of descriptors
            return negotiation.REJECT_CONGESTION
        if place is None:
            return negotiation.REJECT_LOCAL_LIMIT
        try:
            decided = self._decide(request, address, source, place)
        except BaseException:
            place.leave()
            raise
        if isinstance(decided, AssociateReject):
            place.leave()
        return decided

    def _decide(
        self, request: AssociateRequest, address: str, source: Source, place: Place
    ) -> Admitted | AssociateReject:
        identity = request.user.identity
        try:
            proved = self._callers.identification.of(identity, address)
        except NotAuthenticated:
            return negotiation.REJECT_IDENTITY
        except (Throttled, Retriable):
            return negotiation.REJECT_IDENTITY_FOR_NOW
        source = widened(source, None if proved is None else proved.who)
        answer = negotiation.negotiate(request, self._policy, self._offers, source)
        if isinstance(answer, AssociateReject):
            return answer
        if proved is not None and identity is not None and identity.wants_response:
            answer = replace(answer, user=replace(answer.user, identity_response=b""))  # D.3.3.7.2: of no length
        return Admitted(answer, source, proved, place)
