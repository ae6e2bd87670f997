"""Orders as a hospital's information system sends them, and a node's MLLP listener on loopback."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from consult.ordering import OrderDesk
from consult.stations import Stations
from gateway.hl7.intake import Intake
from gateway.hl7.listener import MllpListener
from gateway.hl7.mllp import framed
from kernel.clock import ManualClock, SystemClock
from kernel.config import Config, Hl7Config, LogConfig
from kernel.database import Database
from kernel.telemetry import configure

PATIENCE_S = 20.0
STATIONS = ({"ae_title": "CT1", "modality": ["CT"], "name": "CT phòng 2"},)


def an_orm(control: str = "NW", *, control_id: str = "MSG0001", charset: str = "UNICODE UTF-8", **changes: str) -> str:
    """Return an ORM^O01 as IHE's RAD-4 has it; keywords replace what stands in braces."""
    values = {
        "kind": "ORM^O01",
        "pid3": "BN0001234^^^BVMK^MR",
        "name": "Nguyễn^Thị^Hương",
        "accession": "ACC2611220001",
        "modality": "CT",
        "start": "20261122083000",
        "study": "1.2.840.99.1",
        "priority": "R",
        "step": "SPS1",
        **changes,
    }
    return "\r".join(
        line.format(**values)
        for line in (
            f"MSH|^~\\&|HIS|BVMK|VIENANH|MK01|20261122080000||{{kind}}|{control_id}|P|2.3.1||||||{charset}",
            "PID|1||{pid3}||{name}||19700412|F",
            "PV1|1|O||||||BS01^Lê^Văn^Bình",
            f"ORC|{control}|PL77|FI88||||1^^^{{start}}^^{{priority}}",
            "OBR|1|PL77|FI88|CTHEAD^CT sọ não^LOCAL||||||||||||BS01^Lê^Văn^Bình||{accession}|RP1|{step}||||{modality}|||1^^^{start}",
            "ZDS|{study}^VIENANH^Application^DICOM",
            "",
        )
    )


@pytest.fixture(autouse=True, scope="session")
def _log() -> None:
    configure(LogConfig())


@dataclass
class Hospital:
    """A node's order desk, and a way to send messages to it without sockets."""

    desk: OrderDesk
    intake: Intake

    def says(self, message: str | bytes, encoding: str = "utf-8") -> list[list[str]]:
        """Return the fields of the segments of the acknowledgement."""
        data = message if isinstance(message, bytes) else message.encode(encoding)
        return [line.split("|") for line in self.intake(data).decode().strip("\r").split("\r")]

    def answers(self, message: str | bytes, encoding: str = "utf-8") -> str:
        return self.says(message, encoding)[1][1]

    def steps(self) -> list:
        return self.desk.listed(None)

    def step(self):
        (scheduled,) = self.steps()
        return scheduled.step


@pytest.fixture
def hospital(database: Database) -> Hospital:
    return a_hospital(database)


def a_hospital(database: Database, charset: str | None = None) -> Hospital:
    numbers = iter(range(1000))
    desk = OrderDesk(database, ManualClock(), lambda: f"2.25.{next(numbers)}")
    stations = Stations.from_config(replace(Config(), station=STATIONS))
    return Hospital(desk, Intake(desk, stations, "MK01", charset, ManualClock(), lambda: "ACK1"))


class Sender:
    """A connection that says bytes and hears acknowledgements."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def says(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hears(self) -> bytes:
        """Return what comes until the end of a message, or of the connection."""
        data = b""
        while not data.endswith(b"\x1c\r") and (piece := self.socket.recv(4096)):
            data += piece
        return data

    def sends(self, message: str) -> bytes:
        self.says(framed(message.encode()))
        return self.hears()


@pytest.fixture
def start_listener(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Callable[..., tuple[MllpListener, OrderDesk]]]:
    """Start MLLP listeners before real order desks: fields of the configuration as keywords."""
    opened: list[tuple[MllpListener, Database]] = []

    def start(**settings) -> tuple[MllpListener, OrderDesk]:
        file = tmp_path / f"orders{len(opened)}.db"
        shutil.copyfile(migrated_sqlite, file)
        database = Database.open(file)
        hospital = a_hospital(database)
        listener = MllpListener(replace(Hl7Config(port=0), **settings), hospital.intake, SystemClock())
        listener.start()
        opened.append((listener, database))
        return listener, hospital.desk

    yield start
    for listener, database in opened:
        listener.stop(2.0)
        database.close()


@pytest.fixture
def call() -> Iterator[Callable[[MllpListener], Sender]]:
    senders: list[Sender] = []

    def connect(listener: MllpListener) -> Sender:
        senders.append(Sender(listener.port))
        return senders[-1]

    yield connect
    for sender in senders:
        sender.socket.close()
