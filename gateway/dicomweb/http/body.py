"""A request's body as it comes, with bounds of its size, its silence and its slowness."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Message, Receive

from kernel.errors import LimitExceeded

BATCH_BYTES: Final = 512 * 1024  # of the body handed on at once
RATE_BYTES_S_MIN: Final = 256  # on average, once it was waited for longer than a silence may be; a bad link has 1,000


async def body_chunks(receive: Receive, silence_s: float, bytes_max: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes. What this node does with it between two chunks is not held against the sender.

    Raises
    ------
    TimeoutError
        Nothing came for `silence_s`, or a byte now and then: less than RATE_BYTES_S_MIN.
    LimitExceeded
        It is longer than `bytes_max`.
    asyncio.IncompleteReadError
        The client went away.
    """
    loop = asyncio.get_running_loop()
    received, waited_s = 0, 0.0
    while True:
        began_s = loop.time()
        async with asyncio.timeout(silence_s):
            message: Message = await receive()
        waited_s += loop.time() - began_s
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
        if waited_s > silence_s and received < waited_s * RATE_BYTES_S_MIN:
            raise TimeoutError


async def body_batches(receive: Receive, silence_s: float, bytes_max: int) -> AsyncIterator[list[bytes]]:
    """Yield the body in lists of chunks that are worth a thread's while; of a body that is cut, all that came.

    Raises as `body_chunks`.
    """
    batch: list[bytes] = []
    size = 0
    try:
        async for chunk in body_chunks(receive, silence_s, bytes_max):
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH_BYTES:
                whole, batch, size = batch, [], 0
                yield whole
    except (TimeoutError, LimitExceeded, asyncio.IncompleteReadError):
        yield batch
        raise
    yield batch
