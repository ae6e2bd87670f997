"""Why a node cannot listen where its configuration says, and what to do about it; in the same words for every port."""

import errno
from collections.abc import Mapping
from typing import Final

from kernel.errors import InvalidConfiguration

_TO_DO: Final[Mapping[int, str]] = {
    errno.EADDRINUSE: "another program listens there (`ss -ltnp` names it): end it, or set another {setting}",
    errno.EACCES: "ports below 1024 want root or AmbientCapabilities=CAP_NET_BIND_SERVICE of the service;"
    " or set another {setting}",
    errno.EAFNOSUPPORT: "this machine has no IPv6: set {section}.host",
    errno.EADDRNOTAVAIL: "no address of this machine (`ip address` lists them): set {section}.host",
}


def what_to_do(error: OSError, setting: str) -> str:
    """Tell why an address cannot be had; `setting` is the key of its port, such as `dimse.port`."""
    known = _TO_DO.get(error.errno or 0)
    return known.format(setting=setting, section=setting.partition(".")[0]) if known else str(error.strerror or error)


def cannot_listen(host: str, port: int, setting: str, error: OSError) -> InvalidConfiguration:
    """Return the error of a node that cannot start for want of an address."""
    section = setting.partition(".")[0]
    reason = f"cannot listen there: {what_to_do(error, setting)}"
    return InvalidConfiguration(source=section, key=f"{host}:{port}", reason=reason)
