"""A request's body as it comes, with bounds of its size, its silence and its slowness."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Message, Receive

from kernel.errors import LimitExceeded

BATCH_BYTES: Final = 512 * 1024  # of the body handed on at once
LULL_S: Final = 0.05  # nothing came for so long: what is here is worth handing on, however little,
LULLS_EVERY_S: Final = 1.0  # but not with every byte of a sender that dribbles
RATE_BYTES_S_MIN: Final = 256  # on average, once it was waited for longer than a silence may be; a bad link has 1,000


async def body_chunks(
    receive: Receive, silence_s: float, bytes_max: int, *, tells_lulls: bool = False
) -> AsyncIterator[bytes]:
    """Yield the body as it comes. What this node does with it between two chunks is not held against the sender.

    With `tells_lulls`, an empty chunk says that nothing came for LULL_S.

    Raises
    ------
    TimeoutError
        Nothing came for `silence_s`, or a byte now and then: less than RATE_BYTES_S_MIN.
    LimitExceeded
        It is longer than `bytes_max`.
    asyncio.IncompleteReadError
        The client went away.
    """
    heard = _Heard(receive, silence_s)
    received = 0
    while True:
        message = await heard.next(tells_lulls=tells_lulls)
        if message is None:
            yield b""
            message = await heard.next(tells_lulls=False)
        assert message is not None, "or it took too long"
        if message["type"] == "http.disconnect":
            raise asyncio.IncompleteReadError(b"", None)
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > bytes_max:
            raise LimitExceeded(limit="body_bytes_max", value=received, bound=bytes_max)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return
        if heard.waited_s > silence_s and received < heard.waited_s * RATE_BYTES_S_MIN:
            raise TimeoutError


async def body_batches(
    receive: Receive, silence_s: float, bytes_max: int, *, tells_lulls: bool = False
) -> AsyncIterator[list[bytes]]:
    """Yield the body in lists of chunks that are worth a thread's while; of a body that is cut, all that came.

    With `tells_lulls`, all that came also when no more comes for the moment, and then an empty list.

    Raises as `body_chunks`.
    """
    batch: list[bytes] = []
    size = 0
    try:
        async for chunk in body_chunks(receive, silence_s, bytes_max, tells_lulls=tells_lulls):
            if not chunk:
                whole, batch, size = batch, [], 0
                if whole:
                    yield whole
                yield []
                continue
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH_BYTES:
                whole, batch, size = batch, [], 0
                yield whole
    except (TimeoutError, LimitExceeded, asyncio.IncompleteReadError):
        yield batch
        raise
    yield batch


class _Heard:
    """Waits for a body's messages, and counts how long."""

    def __init__(self, receive: Receive, silence_s: float) -> None:
        self.waited_s = 0.0
        self._receive = receive
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()
        self._lull_told_s = self._loop.time() - LULLS_EVERY_S

    async def next(self, *, tells_lulls: bool) -> Message | None:
        """Return the next message, None of a lull. Raises TimeoutError after `silence_s`."""
        began_s = self._loop.time()
        lull_s = LULL_S if began_s - self._lull_told_s > LULLS_EVERY_S else LULLS_EVERY_S
        is_short = tells_lulls and lull_s < self._silence_s
        try:
            async with asyncio.timeout(lull_s if is_short else self._silence_s):
                return await self._receive()
        except TimeoutError:
            if not is_short:
                raise
            self._lull_told_s = self._loop.time()
            return None
        finally:
            self.waited_s += self._loop.time() - began_s
