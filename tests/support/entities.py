"""pynetdicom's application entities, as patient as a machine that runs many tests at once needs them."""

from typing import Final

from pynetdicom import AE

PATIENCE_S: Final = 120.0  # pynetdicom's own is 30 s for an answer, after which it ends the association


def an_entity(ae_title: str = "PYNETDICOM") -> AE:
    """Return an application entity that asks, or answers, and waits long enough."""
    entity = AE(ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = PATIENCE_S
    return entity
