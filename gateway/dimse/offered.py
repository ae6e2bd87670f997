"""What this node offers: the rows of its table, made once for the node's process and once in each listener process.

A new service class comes as rows of `rows_on`, its services in modules of their own; what they need is in `Backing`.
"""

from gateway.dimse.backing import Backing
from gateway.dimse.commands import Field
from gateway.dimse.negotiation import VERIFICATION
from gateway.dimse.offer import Offer, Offers
from gateway.dimse.services import Echo
from gateway.dimse.store_scp import Ingester, StoreSCP
from kernel.archive.blobs import Blobs
from kernel.clock import Clock
from kernel.config import Config
from kernel.dicom.syntaxes import SYNTAXES


def offers(config: Config, ingest: Ingester, blobs: Blobs, clock: Clock, backing: Backing | None = None) -> Offers:
    """Return the node's table.

    Parameters
    ----------
    backing
        What services beyond storage stand on; without it there are none.
    """
    dimse = config.dimse
    store = StoreSCP(ingest, blobs, clock, dimse.instance_bytes_max)
    rows = {VERIFICATION: Offer("echo", {Field.C_ECHO_RQ: Echo()})}
    if backing is not None:
        rows |= rows_on(backing)
    return Offers(
        rows,
        # instances are taken in any transfer syntax; as SCP the requestor takes those that it asks for by C-GET
        storage=Offer("store", {Field.C_STORE_RQ: store}, SYNTAXES, requestor_may_be_scp=True),
        private_storage=dimse.accept_private_sop_classes,
    )


def rows_on(backing: Backing) -> dict[str, Offer]:
    """Return the rows that stand on the archive, by abstract syntax."""
    del backing
    return {}
