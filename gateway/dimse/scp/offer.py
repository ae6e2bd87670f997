"""What a node offers on an association: one row per abstract syntax, and a rule for storage (PS3.7 D.3, PS3.4).

A service class is added by rows of `gateway.dimse.scp.offered`; nothing else need know it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.dimse.scp.services import Services
from gateway.peers import ServiceName
from kernel.dicom.vocabulary.syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    STORAGE_CLASSES,
)

STANDARD_ROOT = "1.2.840.10008."
STORAGE_ROOT = "1.2.840.10008.5.1.4.1.1."  # classes of newer editions than ours begin with it, too

# Of data sets without pixels, in which any peer can be answered; the proposer's order decides.
PLAIN_SYNTAXES: Final = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)

# SOP Class Extended Negotiation (PS3.7 D.3.3.5): the requestor's service-class-application-information to what is
# agreed, which goes back and which services find in `Context.extended`; None: no answer, nothing is agreed.
Extend = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """What is done on a presentation context of one abstract syntax.

    The requestor may be the SCU, the SCP, or both, when it selects roles (PS3.7 D.3.3.4); without a selection it is the
    SCU.
    """

    name: ServiceName
    services: Services  # by Command Field
    transfer_syntaxes: Collection[str] = PLAIN_SYNTAXES
    requestor_may_be_scu: bool = True
    requestor_may_be_scp: bool = False
    extend: Extend | None = None


class Offers:
    """The table of a node."""

    def __init__(self, rows: Mapping[str, Offer], storage: Offer, *, private_storage: bool) -> None:
        """Keep the rows by abstract syntax.

        Parameters
        ----------
        storage
            For every storage SOP class of the standard that has no row of its own.
        private_storage
            Whether it is also for private SOP classes, and for those of newer editions than ours.
        """
        self.rows = dict(rows)
        self.storage = storage
        self.private_storage = private_storage
        self._fields = frozenset(field for offer in (storage, *rows.values()) for field in offer.services)

    def of(self, abstract_syntax: str) -> Offer | None:
        """Return what is offered for an abstract syntax, None when nothing is."""
        if abstract_syntax in self.rows:
            return self.rows[abstract_syntax]
        if abstract_syntax in STORAGE_CLASSES:
            return self.storage
        is_unknown = abstract_syntax.startswith(STORAGE_ROOT) or not abstract_syntax.startswith(STANDARD_ROOT)
        return self.storage if abstract_syntax and is_unknown and self.private_storage else None

    def knows(self, field: int) -> bool:
        """Whether any row serves this Command Field."""
        return field in self._fields


NOTHING: Final = Offers({}, Offer("store", {}, ()), private_storage=False)
