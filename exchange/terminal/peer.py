"""The DICOM peer that a command calls: AE@HOST:PORT, and TLS with what it takes (`vienanh send`, `find`, `get`, `move`)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gateway.dimse.scu.calling import Target
from gateway.dimse.upper_layer.tls import ClientTls

_PEER = re.compile(r"(?P<title>[^@]{1,16})@(?P<host>.+):(?P<port>[0-9]{1,5})")

Tls = Annotated[bool, typer.Option("--tls", help="Call over TLS; believe the authorities of this machine.")]
Ca = Annotated[
    Path | None, typer.Option("--ca", exists=True, dir_okay=False, help="Over TLS: PEM authorities to believe instead.")
]
Certificate = Annotated[
    Path | None, typer.Option("--certificate", exists=True, dir_okay=False, help="Over TLS: our PEM certificate chain.")
]
Key = Annotated[
    Path | None, typer.Option("--key", exists=True, dir_okay=False, help="Over TLS: PEM private key of --certificate.")
]
TlsName = Annotated[str, typer.Option("--tls-name", help="Over TLS: name in the peer's certificate; HOST otherwise.")]


@dataclass(frozen=True, slots=True)
class Secure:
    """The options of TLS as they were given; any of them turns it on."""

    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str = ""

    def client(self) -> ClientTls | None:
        """Return how to call, None in the clear."""
        if (self.certificate is None) != (self.key is None):
            raise typer.BadParameter("--certificate and --key go together", param_hint="--certificate")
        if self == Secure():
            return None
        return ClientTls(self.ca, self.certificate, self.key, self.name)


def target_of(peer: str, option: str, calling: str, timeout_s: float, secure: Secure) -> Target:
    """Return whom to call; `option` is the one that names AE@HOST:PORT."""
    found = _PEER.fullmatch(peer)
    if found is None:
        raise typer.BadParameter("must be AE@HOST:PORT, such as VIENANH@127.0.0.1:11112", param_hint=option)
    host, port, called = found["host"].strip("[]"), int(found["port"]), found["title"]
    return Target(host, port, called, calling, timeout_s, secure.client())
