"""The least that a receiver must do to keep the archive's promise, at DCMTK's storescu: what is left is the machine's.

    python -m bench.floor PORT FOLDER [--unsafe]

Bytes go from the socket to what must be durable (promise.py), then Success. No header is read, nothing is checked,
counted, logged or routed, and whatever came is believed: this is no receiver. `--unsafe` leaves every flush out.
"""

import argparse
import socket
import sys
import threading
from pathlib import Path

from bench.promise import Arriving, Index, new_folder
from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.commands import CommandSet, Field
from gateway.dimse.upper_layer.indications import Command, DataSetEnd, Fragment, ReleaseRequested, Requested
from gateway.dimse.upper_layer.pdu import AnsweredContext, AssociateAccept, AssociateRequest, ContextResult
from gateway.dimse.upper_layer.states import State


class Association:
    """One sender."""

    def __init__(self, connection: socket.socket, folder: Path, index: Index, *, safe: bool) -> None:
        self._connection = connection
        self._folder = folder
        self._index = index
        self._safe = safe
        self._acceptor = Acceptor()
        self._command: Command | None = None
        self._arriving: Arriving | None = None

    def run(self) -> None:
        """Take instances until the sender goes."""
        buffer = memoryview(bytearray(4 << 20))
        while self._acceptor.state is not State.CLOSED and (count := self._connection.recv_into(buffer)):
            for event in self._acceptor.receive(buffer[:count]):
                if isinstance(event, Fragment):
                    assert self._arriving is not None
                    self._arriving.write(event.data)
                elif isinstance(event, Command):
                    self._command, self._arriving = event, Arriving(self._folder, safe=self._safe)
                elif isinstance(event, DataSetEnd):
                    self._finish()
                elif isinstance(event, Requested):
                    self._acceptor.accept(_answer(event.request))
                elif isinstance(event, ReleaseRequested):
                    self._acceptor.release()
            if data := self._acceptor.outgoing():
                self._connection.sendall(data)
        self._connection.close()

    def _finish(self) -> None:
        assert self._command is not None
        assert self._arriving is not None
        asked, arrived = self._command.command, self._arriving
        uid = str(asked["AffectedSOPInstanceUID"])
        if flushing := arrived.finish():
            with flushing:
                flushing.wait()
        self._index.commit([(uid, arrived.size_bytes, arrived.digest)])
        answer: CommandSet = {
            "AffectedSOPClassUID": asked["AffectedSOPClassUID"],
            "CommandField": Field.C_STORE_RSP,
            "MessageIDBeingRespondedTo": asked["MessageID"],
            "CommandDataSetType": 0x0101,
            "Status": 0,
            "AffectedSOPInstanceUID": uid,
        }
        self._acceptor.send(self._command.context, answer)


def _answer(request: AssociateRequest) -> AssociateAccept:
    accepted = tuple(
        AnsweredContext(one.context_id, ContextResult.ACCEPTANCE, one.transfer_syntaxes[0]) for one in request.contexts
    )
    return AssociateAccept(request.called_ae_title, request.calling_ae_title, accepted, request.user)


def main() -> int:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsafe", action="store_true", help="flush nothing")
    options = parser.parse_args()
    new_folder(options.folder)
    index = Index(options.folder / "index.db", safe=not options.unsafe)
    with socket.create_server(("127.0.0.1", options.port), backlog=16) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            association = Association(connection, options.folder, index, safe=not options.unsafe)
            threading.Thread(target=association.run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
