"""What this node offers: the rows of its table, made once for the node's process and once in each listener process.

A new service class comes as rows of `rows_on`, its services in modules of their own; what they need is in `Backing`.
"""

from consult.ordering import random_uid
from gateway.dimse.listening.negotiation import VERIFICATION
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.commitment_messages import COMMITMENT_CLASS
from gateway.dimse.scp.commitment_scp import CommitmentSCP
from gateway.dimse.scp.find_identifier import FIND_MODELS, extend
from gateway.dimse.scp.find_scp import ArchiveFinding
from gateway.dimse.scp.find_service import FindSCP
from gateway.dimse.scp.get_scp import Get
from gateway.dimse.scp.missing import Identifiers
from gateway.dimse.scp.move_scp import Move, move_destinations
from gateway.dimse.scp.mpps_get_scp import PERFORMED_STEP_RETRIEVE, PerformedStepRetrieveSCP
from gateway.dimse.scp.mpps_scp import MODALITY_PERFORMED_PROCEDURE_STEP, PerformedStepSCP
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.scp.retrieve_identifier import GET_MODELS, MOVE_MODELS
from gateway.dimse.scp.retrieve_service import RetrieveSCP
from gateway.dimse.scp.services import Echo, Service
from gateway.dimse.scp.store_scp import Ingester, StoreSCP
from gateway.dimse.scp.worklist_scp import MODALITY_WORKLIST, WorklistFinding
from gateway.dimse.scu.commitment_scu import CommitmentReports
from gateway.dimse.upper_layer.commands import Field
from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock
from kernel.config import Config
from kernel.dicom.vocabulary.syntaxes import SYNTAXES


def offers(config: Config, ingest: Ingester, blobs: Blobs, clock: Clock, backing: Backing | None = None) -> Offers:
    """Return the node's table.

    Parameters
    ----------
    backing
        What services beyond storage stand on; without it there are none.
    """
    dimse = config.dimse
    fills = any(table.get("missing_identifiers") == "fill" for table in config.source)
    identifiers = Identifiers.in_folder(config.node.data) if fills else None
    store = StoreSCP(ingest, blobs, clock, dimse.instance_bytes_max, identifiers)
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
    return {**query_rows(backing), **retrieval_rows(backing), **order_rows(backing), **commitment_rows(backing)}


def query_rows(backing: Backing) -> dict[str, Offer]:
    """Return C-FIND of every information model."""
    find = FindSCP("find", ArchiveFinding(backing))
    return {uid: Offer("find", {Field.C_FIND_RQ: find}, extend=extend) for uid in FIND_MODELS}


def retrieval_rows(backing: Backing) -> dict[str, Offer]:
    """Return C-GET and C-MOVE of every information model."""
    get = RetrieveSCP(backing, GET_MODELS, Get(backing))
    move = RetrieveSCP(backing, MOVE_MODELS, Move(backing, move_destinations(backing.config)))
    return {
        **{uid: Offer("get", {Field.C_GET_RQ: get}) for uid in GET_MODELS},
        **{uid: Offer("move", {Field.C_MOVE_RQ: move}) for uid in MOVE_MODELS},
    }


def order_rows(backing: Backing) -> dict[str, Offer]:
    """Return the services of the modalities' schedule."""
    performed = PerformedStepSCP(backing, random_uid)
    return {
        MODALITY_WORKLIST: Offer("worklist", {Field.C_FIND_RQ: FindSCP("worklist", WorklistFinding(backing))}),
        PERFORMED_STEP_RETRIEVE: Offer("worklist", {Field.N_GET_RQ: PerformedStepRetrieveSCP(backing)}),
        MODALITY_PERFORMED_PROCEDURE_STEP: Offer("mpps", {Field.N_CREATE_RQ: performed, Field.N_SET_RQ: performed}),
    }


def commitment_rows(backing: Backing) -> dict[str, Offer]:
    """Return the Storage Commitment Push Model: the requestor is its SCU, or as SCP reports what we asked it for."""
    services: dict[int, Service] = {
        Field.N_ACTION_RQ: CommitmentSCP(backing),
        Field.N_EVENT_REPORT_RQ: CommitmentReports(backing.owner),
    }
    return {COMMITMENT_CLASS: Offer("commit", services, requestor_may_be_scp=True)}
