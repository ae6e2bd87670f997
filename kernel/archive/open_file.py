"""A file that stays open while the value that tells of it passes on, and is closed at the latest with it."""

import os
from typing import Final

_CLOSED: Final = -1


class OpenFile:
    """The descriptor of one file: taken by whoever closes it, else closed when nobody holds this any more."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def taken(self) -> int | None:
        """Return the descriptor, the caller's from now on; None when it was taken or closed."""
        descriptor, self._descriptor = self._descriptor, _CLOSED
        return None if descriptor == _CLOSED else descriptor

    def close(self) -> None:
        """Close the file; safe to call twice."""
        descriptor = self.taken()
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        """Close what nobody took."""
        self.close()
