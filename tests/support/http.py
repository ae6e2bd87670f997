"""HTTP on this machine: servers in threads that end at once, and clients that cost nothing to make."""

import asyncio
import itertools
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import uvicorn

_TRUSTS_NOBODY: Final = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # else every client reads all authorities: 10 ms and more
_LOOK_S: Final = 0.005
_LOOKS_MAX: Final = 200  # for connections to end


def a_client(url: str, **options: Any) -> httpx.Client:
    """Return a client of a server that speaks plain HTTP, past all proxies."""
    return httpx.Client(**{"base_url": url, "trust_env": False, "timeout": 30.0, "verify": _TRUSTS_NOBODY, **options})


@contextmanager
def served(app: Any, **settings: Any) -> Generator[str]:
    """Serve an application in a thread, on a free port; yields its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, lifespan="off", log_config=None, **settings))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """uvicorn's looks ten times a second whether it should end, and then always waits as long again."""

    async def main_loop(self) -> None:
        for tick in itertools.count():
            if await self.on_tick(tick):
                return
            await asyncio.sleep(_LOOK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for door in [*self.servers, *(sockets or [])]:
            door.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_LOOKS_MAX):
            if not (self.server_state.connections or self.server_state.tasks):
                return
            await asyncio.sleep(_LOOK_S)
        for task in self.server_state.tasks:
            task.cancel()
