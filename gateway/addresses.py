"""Addresses and networks as configurations name them."""

import ipaddress
from collections.abc import Collection
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
WANTED: Final = "must be addresses or networks, such as 10.1.2.0/24"


def read_network(text: str) -> Network:
    """Return a network, or the one of a single address; an address within a network means the network.

    Raises
    ------
    ValueError
        It is neither.
    """
    return ipaddress.ip_network(text, strict=False)


def is_within(address: str, networks: Collection[Network]) -> bool:
    """Whether a connection's address is in one of the networks; IPv4 counts as such also on a socket of IPv6."""
    if not networks:
        return False
    try:
        parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a Unix socket's
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in network for network in networks)
