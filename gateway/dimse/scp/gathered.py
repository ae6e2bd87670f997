"""A request's data set, gathered whole within a bound: what identifiers and N-services need."""

from collections.abc import Callable, Iterable

from gateway.dimse.scp.services import Response
from kernel.dicom.models.plain import PLAIN_BYTES_MAX
from kernel.errors import LimitExceeded


class Gathered:
    """Keeps the data set and calls `answer` with it once it is whole.

    One that is too long is read over, as far as the connection's own bound allows, and `refuse` makes the answer.
    """

    def __init__(
        self,
        answer: Callable[[bytes], Iterable[Response]],
        refuse: Callable[[LimitExceeded], Iterable[Response]],
        bytes_max: int = PLAIN_BYTES_MAX,
    ) -> None:
        self._answer = answer
        self._refuse = refuse
        self._bytes_max = bytes_max
        self._data = bytearray()
        self._bytes = 0

    def write(self, data: memoryview) -> None:
        """Keep the bytes.

        Raises
        ------
        LimitExceeded
            The sender does not come to an end; the association is aborted.
        """
        self._bytes += len(data)
        if self._bytes > 16 * self._bytes_max:
            raise self._too_long()
        if self._bytes <= self._bytes_max:
            self._data += data
        else:
            self._data.clear()

    def finish(self) -> Iterable[Response]:
        """Answer."""
        if self._bytes > self._bytes_max:
            return self._refuse(self._too_long())
        return self._answer(bytes(self._data))

    def discard(self) -> None:
        """Forget it."""
        self._data.clear()

    def _too_long(self) -> LimitExceeded:
        return LimitExceeded(limit="PLAIN_BYTES_MAX", value=self._bytes, bound=self._bytes_max)
