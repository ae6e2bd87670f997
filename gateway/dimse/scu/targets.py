"""A DIMSE destination of the configuration as a target to call."""

from pathlib import Path

from gateway.dimse.scu.calling import Target
from gateway.dimse.upper_layer.tls import ClientTls
from kernel.config import Config
from routing.destinations import Destination


def target_of(destination: Destination, config: Config) -> Target:
    """Return how a destination of kind `dimse` is called; its files are relative to the configuration's folder."""

    def beside(file: Path | None) -> Path | None:
        return None if file is None else Path(config.origin).parent / file

    tls = None
    if destination.tls:
        files = (beside(destination.ca_file), beside(destination.certificate), beside(destination.key))
        tls = ClientTls(*files, destination.tls_name)
    return Target(
        host=destination.host,
        port=destination.port,
        called_ae_title=destination.ae_title,
        calling_ae_title=destination.calling_ae_title,
        request_timeout_s=config.routing.request_timeout_s,
        tls=tls,
    )
