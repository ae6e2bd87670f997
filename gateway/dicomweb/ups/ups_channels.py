"""Which subscribers are listening now: a knock for each open event channel, from whatever thread has news.

Reports wait in the database; a knock only says that there are some. One channel a subscriber: a new one ends the old.
"""

import asyncio
import threading
from collections.abc import Sequence
from typing import Final

from kernel.errors import Busy

CHANNELS_MAX: Final = 64  # event channels open at once


class Channel:
    """One open channel. Made and waited on in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.is_displaced = False  # a newer channel of the same subscriber took over

    def knock(self) -> None:
        """Say that there are reports; from any thread."""
        self._loop.call_soon_threadsafe(self._news.set)

    async def news(self) -> None:
        """Wait until there are reports, or the channel is displaced."""
        await self._news.wait()
        self._news.clear()


class Channels:
    """The open channels of a node."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Channel] = {}

    def open(self, site: str, ae_title: str) -> Channel:
        """Open the channel of a subscriber.

        Raises
        ------
        Busy
            `CHANNELS_MAX` are open.
        """
        key, channel = (site, ae_title), Channel()
        with self._lock:
            if key not in self._open and len(self._open) >= CHANNELS_MAX:
                raise Busy(what="as many event channels as may be are open")
            before, self._open[key] = self._open.get(key), channel
        if before is not None:
            before.is_displaced = True
            before.knock()
        return channel

    def close(self, site: str, ae_title: str, channel: Channel) -> None:
        """Forget a channel."""
        with self._lock:
            if self._open.get((site, ae_title)) is channel:
                del self._open[(site, ae_title)]

    def notify(self, site: str, ae_titles: Sequence[str]) -> None:
        """Knock at the channels of subscribers for whom reports wait."""
        with self._lock:
            found = [self._open[(site, title)] for title in ae_titles if (site, title) in self._open]
        for channel in found:
            channel.knock()
