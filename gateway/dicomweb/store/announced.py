"""POST /manifests: what a study consists of, from an exchange that has nothing left to send with it."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.body import body_chunks
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.store import manifest as manifests
from gateway.dicomweb.store.stow import storing_site
from kernel.errors import InvalidRequest


def announce(call: Call) -> ASGIApp:
    """Check that the caller may store; return what reads the body."""
    return _Announced(call, storing_site(call))


class _Announced:
    def __init__(self, call: Call, site: str) -> None:
        self._call = call
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the manifest, keep it, answer (ASGI)."""
        silence_s = self._call.services.config.http.body_timeout_s
        try:
            chunks = [chunk async for chunk in body_chunks(receive, silence_s, manifests.MANIFEST_CHARS_MAX)]
        except asyncio.IncompleteReadError:
            return  # the client is gone
        except TimeoutError:
            late = InvalidRequest(reason=f"the body was silent for {silence_s:g} s")
            await problem(late, self._call.address.trace_id, status=408)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._call.room.receivers, self._keep, b"".join(chunks))
        await Answer(204, {"Cache-Control": "no-store"})(scope, receive, send)

    def _keep(self, body: bytes) -> None:
        manifest = manifests.from_json(body, self._call.told_trace_id or "")
        self._call.services.committer.write_manifest(self._site, manifest)
