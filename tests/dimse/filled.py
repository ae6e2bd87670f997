"""A running node with instances in it, put there as a modality would."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom.dataset import Dataset

from exchange.node.assemble import Node
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import send_files
from tests.dimse.conftest import PATIENCE_S
from tests.support.builders import as_file


def fill(node: Node, datasets: Iterable[Dataset], *, calling: str = "CT1") -> None:
    """Store instances at a node by C-STORE."""
    assert node.listener is not None
    with TemporaryDirectory() as folder:
        paths = []
        for ds in datasets:
            path = Path(folder) / f"{ds.SOPInstanceUID}.dcm"
            path.write_bytes(as_file(ds))
            paths.append(path)
        sent = send_files(paths, Target("127.0.0.1", node.listener.port, "VIENANH", calling, PATIENCE_S))
    assert [one.receipt.status for one in sent if not one.receipt.is_success] == []
