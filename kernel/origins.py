"""Whom an address stands for, wherever callers are counted before it is known who they are."""

import ipaddress
from functools import lru_cache
from typing import Final

TEXT_MAX: Final = 64  # of an address that is none, as a Unix socket's
REMEMBERED: Final = 1024  # addresses: reading one costs as much as finding a tile


@lru_cache(maxsize=REMEMBERED)
def network_of(address: str) -> str:
    """Return what one caller cannot change at will: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:TEXT_MAX]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:  # IPv4 on a socket of IPv6
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))
