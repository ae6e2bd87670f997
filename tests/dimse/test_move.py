"""C-MOVE: what was stored goes to a destination of the configuration, on an association of the node's own."""

import threading
from dataclasses import dataclass, field

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import CTImageStorage, StudyRootQueryRetrieveInformationModelMove

from gateway.dimse.scp.move_scp import pairs_of
from kernel.archive.records import Located
from kernel.audit import Action
from tests.dimse.conftest import PATIENCE_S, Node, dcmtk
from tests.dimse.test_get import an_identifier, counts, holds, pynetdicom
from tests.support.access import audited
from tests.support.builders import a_cr, a_ct, a_ct_series, as_dataset_bytes
from tests.support.entities import an_entity

MOVE = StudyRootQueryRetrieveInformationModelMove


@dataclass
class Destination:
    """pynetdicom as storage SCP."""

    syntaxes: tuple[str, ...] = tuple(ALL_TRANSFER_SYNTAXES)
    classes: tuple[str, ...] = ()
    status: int = 0x0000
    hangs_up_at: int | None = None
    came: list = field(default_factory=list)
    associations: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    on_store: object = None

    def start(self) -> "Destination":
        ae = an_entity("WORKSTATION")
        for uid in self.classes or [context.abstract_syntax for context in AllStoragePresentationContexts]:
            ae.add_supported_context(uid, list(self.syntaxes))
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_RELEASED, lambda _: self.released.set()),
        ]
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        return self

    @property
    def entry(self) -> dict:
        port = self.server.socket.getsockname()[1]
        return {
            "name": "ws", "kind": "dimse", "host": "127.0.0.1", "port": port,
            "ae_title": "WORKSTATION", "profile": "none",
        }  # fmt: skip

    def _accepted(self, _) -> None:
        self.associations += 1

    def _store(self, event) -> int:
        request = event.request
        self.came.append(
            (
                request.AffectedSOPInstanceUID,
                event.context.transfer_syntax,
                request.DataSet.getvalue(),
                (request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID),
            )
        )
        if self.on_store:
            self.on_store(len(self.came))
        if self.hangs_up_at == len(self.came):
            event.assoc.abort()
        return self.status


@pytest.fixture
def destination():
    started: list[Destination] = []

    def start(**settings) -> Destination:
        started.append(Destination(**settings).start())
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()


class Mover:
    """pynetdicom as C-MOVE SCU."""

    def __init__(self, node: Node, title: str = "MOVER") -> None:
        ae = an_entity(title)
        ae.add_requested_context(MOVE)
        self.association = ae.associate("127.0.0.1", node.port, ae_title="VIENANH")
        assert self.association.is_established

    def moves(self, identifier, to: str = "WORKSTATION"):
        responses = list(self.association.send_c_move(identifier, to, MOVE, msg_id=7))
        self.association.release()
        return responses

    def cancels(self) -> None:
        self.association.send_c_cancel(7, query_model=MOVE)


def test_a_study_goes_to_the_destination_as_it_was_stored_on_one_association(start_node, destination, tmp_path):
    workstation = destination()
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", [*a_ct_series(4), a_cr(StudyInstanceUID="1.2.3")])

    responses = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=[stored[0].StudyInstanceUID, "1.2.3"]))

    status, _ = responses[-1]
    assert (status.Status, *counts(status)) == (0x0000, None, 5, 0, 0)
    assert workstation.came == [
        (ds.SOPInstanceUID, ExplicitVRLittleEndian, as_dataset_bytes(ds), ("MOVER", 7)) for ds in stored
    ]
    assert workstation.associations == 1
    assert workstation.released.wait(PATIENCE_S)


def test_a_destination_that_takes_implicit_little_endian_alone_is_served(start_node, destination, tmp_path):
    workstation = destination(syntaxes=(ImplicitVRLittleEndian,))
    node = start_node(destinations=[workstation.entry])
    (ds,) = holds(node, tmp_path / "in", [a_ct()])

    status, _ = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID))[-1]

    assert status.Status == 0x0000
    assert [came[1:3] for came in workstation.came] == [
        (ImplicitVRLittleEndian, as_dataset_bytes(ds, ImplicitVRLittleEndian))
    ]


@pytest.mark.parametrize(
    ("entry", "to"),
    [
        ({}, "NOBODY"),
        ({"profile": "basic"}, "WORKSTATION"),
    ],
)
def test_a_move_to_an_unknown_or_deidentifying_destination_is_refused(start_node, destination, tmp_path, entry, to):
    workstation = destination()
    node = start_node(destinations=[workstation.entry | entry])
    (ds,) = holds(node, tmp_path / "in", [a_ct()])

    ((status, _),) = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID), to)

    assert status.Status == 0xA801
    assert status.ErrorComment.startswith(f"Move destination {to} is not known here")
    assert workstation.associations == 0


def test_a_destination_that_is_not_there_fails_every_sub_operation(start_node, destination, dead_port, tmp_path):
    node = start_node(destinations=[destination().entry | {"port": dead_port}])
    stored = holds(node, tmp_path / "in", a_ct_series(2))

    status, identifier = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert (status.Status, *counts(status)) == (0xA702, None, 0, 2, 0)
    assert list(identifier.FailedSOPInstanceUIDList) == [ds.SOPInstanceUID for ds in stored]


def test_what_the_destination_warns_of_or_refuses_is_counted(start_node, destination, tmp_path):
    warns, refuses = destination(status=0xB000), destination(status=0xA700)
    node = start_node(destinations=[warns.entry, refuses.entry | {"name": "full", "ae_title": "FULL"}])
    stored = holds(node, tmp_path / "in", a_ct_series(2))
    identifier = an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID)

    warned, _ = Mover(node).moves(identifier)[-1]
    refused, _ = Mover(node).moves(identifier, "FULL")[-1]

    assert (warned.Status, *counts(warned)) == (0xB000, None, 0, 0, 2)
    assert (refused.Status, *counts(refused)) == (0xA702, None, 0, 2, 0)


def test_a_lost_association_is_opened_once_more_and_the_instance_sent_again(start_node, destination, tmp_path):
    workstation = destination(hangs_up_at=2)
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", a_ct_series(4))

    status, _ = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert (status.Status, *counts(status)) == (0x0000, None, 4, 0, 0)
    assert [came[0] for came in workstation.came] == [stored[number].SOPInstanceUID for number in (0, 1, 1, 2, 3)]
    assert workstation.associations == 2


def test_cancelling_a_move_stops_it(start_node, destination, tmp_path):
    workstation = destination()
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", a_ct_series(8))
    mover = Mover(node)
    workstation.on_store = lambda number: mover.cancels() if number == 2 else None

    status, _ = mover.moves(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    remaining, completed, failed, _ = counts(status)
    assert status.Status == 0xFE00
    assert remaining + completed == 8
    assert (completed, failed) == (len(workstation.came), 0)
    assert 2 <= completed < 8


def test_more_classes_than_one_association_holds_take_several(start_node, destination, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scp.move_scp.CONTEXTS_MAX", 4)  # room for one class: two plain syntaxes
    workstation = destination()
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", [a_ct(StudyInstanceUID="1.2.3"), a_cr(StudyInstanceUID="1.2.3")])

    status, _ = Mover(node).moves(an_identifier("STUDY", StudyInstanceUID="1.2.3"))[-1]

    assert (status.Status, *counts(status)) == (0x0000, None, 2, 0, 0)
    assert {came[0] for came in workstation.came} == {ds.SOPInstanceUID for ds in stored}
    assert workstation.associations == 2


def test_the_contexts_of_a_move_are_those_of_what_is_moved_and_two_plain_ones():
    jpeg = "1.2.840.10008.1.2.4.50"

    pairs = pairs_of([a_located(CTImageStorage, jpeg), a_located(CTImageStorage, ImplicitVRLittleEndian)])

    assert pairs == {
        CTImageStorage: (
            (CTImageStorage, jpeg),
            (CTImageStorage, ImplicitVRLittleEndian),
            (CTImageStorage, ExplicitVRLittleEndian),
        )
    }


def a_located(sop_class_uid: str, transfer_syntax_uid: str) -> Located:
    return Located("BVA", "1.2", "1.2.1", "1.2.1.1", sop_class_uid, transfer_syntax_uid, "", 0, 0, 1, "")


def test_a_move_writes_who_took_which_study(start_node, destination, tmp_path):
    workstation = destination()
    node = start_node(
        destinations=[workstation.entry], sources=[{"name": "pacs", "calling": "MOVER", "services": ["move"]}]
    )
    (ds,) = holds(node, tmp_path / "in", [a_ct()])

    Mover(node).moves(an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID))

    assert [line[:2] for line in audited(node.database, Action.INSTANCES_TRANSFERRED)] == [("pacs", "success")]


@pytest.mark.peer("dcmtk")
def test_movescu_of_dcmtk_moves_to_a_workstation(start_node, destination, tmp_path):
    workstation = destination()
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", a_ct_series(3))

    dcmtk(
        "movescu", "-S", "-aec", "VIENANH", "-aem", "WORKSTATION",
        "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={stored[0].StudyInstanceUID}",
        "127.0.0.1", node.port,
    )  # fmt: skip

    assert [came[0] for came in workstation.came] == [ds.SOPInstanceUID for ds in stored]


def test_movescu_of_pynetdicom_moves_to_a_workstation(start_node, destination, tmp_path):
    workstation = destination()
    node = start_node(destinations=[workstation.entry])
    stored = holds(node, tmp_path / "in", a_ct_series(3))

    pynetdicom(
        "movescu", "127.0.0.1", node.port, "-S", "-aec", "VIENANH", "-aem", "WORKSTATION",
        "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={stored[0].StudyInstanceUID}",
    )  # fmt: skip

    assert [came[0] for came in workstation.came] == [ds.SOPInstanceUID for ds in stored]
