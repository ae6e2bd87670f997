"""Who calls: the one of the `[[source]]` tables that an association belongs to, and what it may do.

`gateway.source_tables` reads the tables. An AE title is what a caller says of itself and proves nothing: where it
matters, an address or a client certificate goes with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, get_args

from gateway.addresses import Network, is_within
from kernel.archive.records import Origin
from kernel.errors import UnknownCaller

# What a source may be allowed to ask for; C-ECHO is never refused.
ServiceName = Literal["echo", "store", "find", "move", "get", "commit", "worklist", "mpps", "availability"]
SERVICES: Final = frozenset[ServiceName](get_args(ServiceName))
SENDING: Final = frozenset[ServiceName](("echo", "store", "commit", "mpps"))  # hand over and learn nothing
CALLERS_REMEMBERED: Final = 1024
READING: Final = frozenset[ServiceName](("find", "move", "get", "worklist"))  # learn of patients


@dataclass(frozen=True, slots=True)
class Source:
    """A modality or PACS, or an unnamed caller that policy lets in; limits of None are the node's own."""

    name: str
    site: str  # whose patients these are
    fallback_charset: str | None = None
    services: frozenset[ServiceName] = SENDING
    sites: frozenset[str] | None = (
        frozenset()
    )  # whose studies it may find and retrieve, with its own; None: every site's
    sop_classes: frozenset[str] | None = None  # that it may store; None: all that the node takes
    modalities: frozenset[str] | None = None  # the same by Modality (0008,0060)
    fills_identifiers: bool = False  # whether UIDs that it leaves out are made here
    sees_labels: bool = False  # of slides, when it finds and retrieves
    associations_max: int | None = None  # at once
    instances_max: int | None = None  # on their way in at once
    bytes_per_second: int | None = None
    port: int | None = None  # where it listens, at the address from which it calls

    @property
    def sees(self) -> frozenset[str] | None:
        """The sites whose studies it may find and retrieve; None: every site's."""
        return None if self.sites is None else self.sites | {self.site}

    def may(self, service: ServiceName) -> bool:
        """Whether it may ask for a service."""
        return service == "echo" or service in self.services

    def may_store(self, sop_class_uid: str) -> bool:
        """Whether it may store instances of a SOP class."""
        return self.may("store") and (self.sop_classes is None or sop_class_uid in self.sop_classes)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS client proved that it is: the digest of its certificate and the names in its subject."""

    sha256: str  # of the DER encoding, hexadecimal
    subject: frozenset[tuple[str, str]]  # attribute and value, such as ("CN", "ct-1")


@dataclass(frozen=True, slots=True)
class Profile:
    """One `[[source]]` table: whom it fits, and who that is. What is empty fits everybody."""

    source: Source
    calling: frozenset[str]
    called: frozenset[str]
    networks: tuple[Network, ...] = ()
    digests: frozenset[str] = frozenset()
    subjects: tuple[frozenset[tuple[str, str]], ...] = ()

    def fits_caller(self, calling: str, address: str) -> bool:
        """Whether AE title and address are the table's."""
        if self.calling and calling not in self.calling:
            return False
        return not self.networks or is_within(address, self.networks)

    def fits_certificate(self, certificate: Certificate | None) -> bool:
        """Whether the certificate is one of the table's."""
        if not self.digests and not self.subjects:
            return True
        if certificate is None:
            return False
        return certificate.sha256 in self.digests or any(names <= certificate.subject for names in self.subjects)


class Sources:
    """The callers that this node knows."""

    def __init__(self, profiles: Sequence[Profile], unknown: Source | None) -> None:
        """Keep the tables in order; `unknown` is who every other caller is, None when there are to be none."""
        self._profiles = tuple(profiles)
        self._unknown = unknown
        self._charset_of = lru_cache(CALLERS_REMEMBERED)(self._find_charset)  # asked for every instance

    def resolve(self, called: str, calling: str, address: str, certificate: Certificate | None = None) -> Source:
        """Return the source that calls: the first table of which everything fits.

        Raises
        ------
        UnknownCaller
            No table fits and policy takes no unknown callers; `fields["title"]` is `called` when it is only the called
            AE title that does not fit, else `calling`.
        """
        near = False
        for profile in self._profiles:
            if profile.fits_caller(calling, address) and profile.fits_certificate(certificate):
                if not profile.called or called in profile.called:
                    return profile.source
                near = True
        if self._unknown is None:
            title = "called" if near else "calling"
            raise UnknownCaller(reason="no [[source]] fits its AE titles, address and certificate", title=title)
        return self._unknown

    def unproved_readers(self) -> list[str]:
        """Return the names of sources that learn of patients and prove nothing but an AE title."""
        unnamed = [] if self._unknown is None else [Profile(self._unknown, frozenset(), frozenset())]
        return [
            profile.source.name or "(callers without a table)"
            for profile in (*self._profiles, *unnamed)
            if profile.source.services & READING and not (profile.networks or profile.digests or profile.subjects)
        ]

    def fallback_charset_of(self, origin: Origin) -> str | None:
        """Return how to read the undeclared text of what this origin sent; its certificate was looked at before."""
        return self._charset_of(origin.called, origin.peer, origin.address)

    def _find_charset(self, called: str, calling: str, address: str) -> str | None:
        for profile in self._profiles:
            if (not profile.called or called in profile.called) and profile.fits_caller(calling, address):
                return profile.source.fallback_charset
        return None


def as_service(name: str) -> ServiceName:
    """Return the name of a service. Raises ValueError."""
    if name not in SERVICES:
        raise ValueError(name)
    return name
