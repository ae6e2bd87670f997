"""A whole node wired as the program wires it, in this process: its listeners run, its loop of HTTP does not."""

import dataclasses
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exchange.node.assemble import Node, assembled
from gateway.peers import SERVICES
from kernel.config import Config, DimseConfig, NodeConfig

SITE = "MK01"


@contextmanager
def wired_node(
    folder: Path,
    migrated: Path | None = None,
    *,
    processes: int = 0,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    dimse: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Iterator[Node]:
    """Run a node's listeners; `processes` 0 means threads of this process, `tables` are [[source]] and the like."""
    folder.mkdir(parents=True, exist_ok=True)
    if migrated is not None and not (folder / "vienanh.db").exists():
        shutil.copyfile(migrated, folder / "vienanh.db")
    config = Config(
        node=NodeConfig(site=SITE, data=folder),
        dimse=DimseConfig(
            **{"port": 0, "processes": processes, "unknown_caller_services": tuple(SERVICES), **(dimse or {})}
        ),
        **{name: tuple(content) for name, content in (tables or {}).items()},
        **sections,
    )
    config = dataclasses.replace(config, archive=dataclasses.replace(config.archive, free_bytes_min=1))
    with assembled(config) as node:
        assert node.listener is not None
        node.commit_server.start()
        node.listener.start()
        try:
            yield node
        finally:
            node.listener.stop(5.0)
            node.commit_server.stop()
