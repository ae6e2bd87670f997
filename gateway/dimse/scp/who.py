"""Who a DIMSE caller is to `kernel.access`: the user that it proved to be, or its source."""

from gateway.dimse.scp.services import Session
from kernel.access import Principal, Scope


def principal_of(session: Session) -> Principal:
    """Return the principal of an association. What it may ask for at all was settled when it was negotiated."""
    if session.who is not None:
        return session.who
    source = session.source
    name = source.name or f"AE {session.calling_ae_title}"
    scopes = {Scope.DICOMWEB_READ, *({Scope.LABELS_READ} if source.sees_labels else ())}
    return Principal(name, "source", frozenset(), frozenset(scopes), source.sees, source.site)
