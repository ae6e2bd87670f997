"""A request whose body is small: read as a whole within bounds, then answered by a function in a thread."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.http.body import body_chunks
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.problem import problem
from kernel.errors import InvalidRequest


class SmallBody:
    """Reads a body of at most `bytes_max` and sends what `answer` makes of it."""

    def __init__(self, call: Call, bytes_max: int, answer: Callable[[bytes], ASGIApp]) -> None:
        self._call = call
        self._bytes_max = bytes_max
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer (ASGI); errors are those of `body_chunks` and of the answer."""
        silence_s = self._call.services.config.http.body_timeout_s
        try:
            chunks = [chunk async for chunk in body_chunks(receive, silence_s, self._bytes_max)]
        except asyncio.IncompleteReadError:
            return  # the client is gone
        except TimeoutError:
            late = InvalidRequest(reason=f"the body was silent for {silence_s:g} s")
            await problem(late, self._call.address.trace_id, status=408)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._call.room.receivers, self._answer, b"".join(chunks))
        await answer(scope, receive, send)
