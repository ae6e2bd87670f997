"""pynetdicom as a modality that asks for storage commitment, and what it hears."""

import queue
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.sop_class import StorageCommitmentPushModel
from sqlalchemy import select

from gateway.dimse.scu.calling import Target
from kernel.archive.commitment.requests import commitment
from kernel.clock import ManualClock
from kernel.database import Database
from tests.support.entities import an_entity

if TYPE_CHECKING:
    from tests.dimse.conftest import Node

PATIENCE_S = 20.0
WELL_KNOWN = "1.2.840.10008.1.20.1.1"


def a_request(datasets, uid: str = "1.2.840.99.1") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = uid
    ds.ReferencedSOPSequence = [reference(one.SOPClassUID, one.SOPInstanceUID) for one in datasets]
    return ds


def reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


@dataclass
class Modality:
    """pynetdicom as storage commitment SCU, which hears reports on its own association and on one of the node's."""

    status: int = 0x0000
    reports: queue.Queue = field(default_factory=queue.Queue)
    heard: dict = field(default_factory=dict)  # by association, not yet answered
    associations: int = 0  # of the node

    def __post_init__(self) -> None:
        self.ae = an_entity("MODALITY")
        self.ae.add_requested_context(StorageCommitmentPushModel)
        self.ae.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        self.server = self.ae.start_server(
            ("127.0.0.1", 0),
            block=False,
            evt_handlers=[
                (evt.EVT_N_EVENT_REPORT, self._report, ["new"]),
                (evt.EVT_ACCEPTED, self._accepted),
                (evt.EVT_DIMSE_SENT, self._sent),
            ],
        )

    def _accepted(self, event) -> None:
        del event
        self.associations += 1

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", self.server.socket.getsockname()[1], "MODALITY", "VIENANH", PATIENCE_S)

    def _report(self, event, where: str) -> tuple[int, None]:
        self.heard[event.assoc] = (where, event.event_type, event.event_information)
        return self.status, None

    def _sent(self, event) -> None:
        """Note a report once its answer is on the way: who is told of it may release at once."""
        if isinstance(event.message, N_EVENT_REPORT_RSP):
            self.reports.put(self.heard.pop(event.assoc))

    def asks(self, node: "Node", request: Dataset, *, stays: bool = True, action: int = 1, of: str = WELL_KNOWN) -> int:
        """Send N-ACTION and return its status; stays until a report came, or releases at once."""
        association = self.ae.associate(
            "127.0.0.1",
            node.port,
            ae_title="VIENANH",
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._report, ["same"]), (evt.EVT_DIMSE_SENT, self._sent)],
        )
        assert association.is_established
        status, _ = association.send_n_action(request, action, StorageCommitmentPushModel, of)
        if stays and status.Status == 0x0000:
            self.last = self.reports.get(timeout=PATIENCE_S)
        association.release()
        return status.Status


def failures(report: Dataset) -> list[tuple[str, int]]:
    return [(item.ReferencedSOPInstanceUID, item.FailureReason) for item in report.get("FailedSOPSequence", [])]


def committed(report: Dataset) -> list[str]:
    return [item.ReferencedSOPInstanceUID for item in report.get("ReferencedSOPSequence", [])]


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(commitment.c.state).order_by(commitment.c.pk)).scalars())


def later(seconds: float = 3600.0) -> ManualClock:
    return ManualClock(datetime.now(UTC) + timedelta(seconds=seconds))


def drain(modality: Modality) -> None:
    """Forget a report that was quicker than the release."""
    while not modality.reports.empty():
        modality.reports.get()
