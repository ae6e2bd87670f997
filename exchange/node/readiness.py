"""Whether a node can take studies, for whoever probes `/health/ready`; the doctor (doctor.py) looks at more."""

import shutil
from collections.abc import Mapping
from concurrent.futures import wait
from pathlib import Path

from exchange.node.assemble import Node
from kernel.errors import ExchangeError

READY_WITHIN_S = 3.0  # for a change of nothing; who probes does not wait for long


def ready_checks(node: Node) -> Mapping[str, str]:
    """Return what keeps a node from taking studies."""
    return {
        "database": _database(node),
        "disk": _disk(node.stores.config.node.data, node.stores.config.archive.free_bytes_min),
        "listener": "no DIMSE listener is up" if node.listener and not node.listener.is_up else "",
        "orders": "no HL7 listener is up" if node.orders and not node.orders.is_up else "",
    }


def _database(node: Node) -> str:
    try:
        asked = node.stores.db.submit(lambda _: None)
        if not wait([asked], READY_WITHIN_S).done:
            asked.cancel()
            return f"a change waits for longer than {READY_WITHIN_S:g} s"
        asked.result()
    except ExchangeError as error:
        return f"cannot be written: {error}"
    return ""


def _disk(data: Path, reserve_bytes: int) -> str:
    free = shutil.disk_usage(data).free
    return "" if free > reserve_bytes else f"{free} bytes are free, the reserve is {reserve_bytes}"
