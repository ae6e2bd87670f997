"""What we propose to a peer that we call: presentation contexts, roles and extensions (PS3.8 9.3.2, PS3.7 D.3)."""

from collections.abc import Sequence

from gateway.dimse.listening.negotiation import VERIFICATION
from gateway.dimse.scu.calling import Target
from gateway.dimse.upper_layer.pdu import AssociateRequest, Extended, ProposedContext, Role, UserInformation
from kernel.dicom.vocabulary.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

CONTEXTS_MAX = 128  # odd numbers from 1 to 255 (PS3.8 9.3.2.2)
OUR_PDU_BYTES_MAX = 65536  # what we ask for; responses are small

Pair = tuple[str, str]  # SOP class, transfer syntax


def request_to(
    target: Target, pairs: Sequence[Pair], roles: Sequence[Role], extended: Sequence[Extended]
) -> AssociateRequest:
    """Return the request for an association: Verification, and one context for each pair."""
    wanted = [(VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN), *pairs]
    return AssociateRequest(
        called_ae_title=target.called_ae_title,
        calling_ae_title=target.calling_ae_title,
        contexts=tuple(ProposedContext(2 * number + 1, uid, (syntax,)) for number, (uid, syntax) in enumerate(wanted)),
        user=UserInformation(
            OUR_PDU_BYTES_MAX,
            IMPLEMENTATION_CLASS_UID,
            IMPLEMENTATION_VERSION_NAME,
            roles=tuple(roles),
            extended=tuple(extended),
        ),
    )
