"""Who calls: the `[[source]]` tables of the configuration, and the one that an association or a request belongs to.

    [[source]]
    name = "ct-1"                     # how logs and rules call it
    calling = ["CT_ALPHA"]            # calling AE titles; absent: any
    called = ["VIENANH"]              # called AE titles; absent: any
    address = ["10.1.2.0/24"]         # addresses or networks; absent: any
    site = "BVTINH"                   # whose patients these are; absent: this node's own site
    charset = "cp1258"                # how to read text that declares no character set (cp1258, tcvn3, latin-1)

The first table of which everything matches wins. An AE title is what a caller says of itself and proves nothing: where
it matters, `address` goes with it.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from kernel.archive.records import Origin
from kernel.config import Config
from kernel.dicom.charset import FALLBACKS
from kernel.errors import InvalidConfiguration, UnknownCaller

SOURCES_MAX = 4096
_LISTS = ("calling", "called", "address")
_TEXTS = ("name", "site", "charset")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Source:
    """A modality or PACS, or an unnamed caller that policy lets in."""

    name: str
    site: str
    fallback_charset: str | None = None


@dataclass(frozen=True, slots=True)
class _Profile:
    source: Source
    calling: frozenset[str]
    called: frozenset[str]
    networks: tuple[Network, ...]

    def fits(self, called: str, calling: str, address: str) -> bool:
        if (self.calling and calling not in self.calling) or (self.called and called not in self.called):
            return False
        return not self.networks or any(_address(address) in network for network in self.networks)


class Sources:
    """The callers that this node knows."""

    def __init__(self, profiles: Sequence[_Profile], unknown: Source | None) -> None:
        self._profiles = tuple(profiles)
        self._unknown = unknown

    @classmethod
    def from_config(cls, config: Config) -> "Sources":
        """Read the `[[source]]` tables.

        Raises
        ------
        InvalidConfiguration
            Names the table and the key.
        """
        if len(config.source) > SOURCES_MAX:
            raise InvalidConfiguration(source=config.origin, key="source", reason=f"more than {SOURCES_MAX} tables")
        profiles = [_profile(entry, f"source[{number}]", config) for number, entry in enumerate(config.source, start=1)]
        unknown = Source("", config.node.site) if config.dimse.accept_unknown_callers else None
        return cls(profiles, unknown)

    def resolve(self, called: str, calling: str, address: str) -> Source:
        """Return the source that calls.

        Raises
        ------
        UnknownCaller
            No table fits and policy takes no unknown callers.
        """
        for profile in self._profiles:
            if profile.fits(called, calling, address):
                return profile.source
        if self._unknown is None:
            raise UnknownCaller(reason="no [[source]] fits its AE titles and address")
        return self._unknown

    def fallback_charset_of(self, origin: Origin) -> str | None:
        """Return how to read the undeclared text of what this origin sends."""
        try:
            return self.resolve(origin.called, origin.peer, origin.address).fallback_charset
        except UnknownCaller:
            return None


def _profile(entry: Mapping[str, Any], where: str, config: Config) -> _Profile:
    def refuse(key: str, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(source=config.origin, key=f"{where}.{key}", reason=reason)

    for key, value in entry.items():
        if key in _TEXTS and not isinstance(value, str):
            raise refuse(key, "must be text")
        if key not in (*_TEXTS, *_LISTS):
            raise refuse(key, f"no such key; there are {', '.join((*_TEXTS, *_LISTS))}")
    if not entry.get("name"):
        raise refuse("name", "is missing")
    if entry.get("charset") not in (None, *FALLBACKS):
        raise refuse("charset", f"must be one of {', '.join(FALLBACKS)}")
    lists: dict[str, tuple[str, ...]] = {}
    for key in _LISTS:
        value = entry.get(key, ())
        texts = cast("Sequence[Any]", value if isinstance(value, list | tuple) else (value,))
        if not all(isinstance(text, str) for text in texts):
            raise refuse(key, "must be text or a list of texts")
        lists[key] = tuple(texts)
    try:
        networks = tuple(ipaddress.ip_network(text, strict=False) for text in lists["address"])
    except ValueError:
        raise refuse("address", "must be addresses or networks, such as 10.1.2.0/24") from None
    return _Profile(
        source=Source(entry["name"], entry.get("site") or config.node.site, entry.get("charset")),
        calling=frozenset(lists["calling"]),
        called=frozenset(lists["called"]),
        networks=networks,
    )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
