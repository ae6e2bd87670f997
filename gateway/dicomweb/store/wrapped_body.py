"""A form and the photographs or PDFs that belong to it (multipart/form-data, RFC 7578): each becomes an instance.

The first part is the form, as JSON; each further one is a file, taken in memory and wrapped (`kernel.dicom.objects.wrapping`). What
comes of it goes the way of every instance.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

from gateway.dicomweb.http.multipart import MultipartParser, PartBegin, PartData, PartEnd
from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.results import Result
from gateway.dicomweb.store.taking import Takings
from kernel.dicom.objects.wrapping import FILE_BYTES_MAX, Bearer, wrapped
from kernel.errors import ExchangeError, InvalidRequest, LimitExceeded

FORM_DATA: Final = "multipart/form-data"
FORM_BYTES_MAX: Final = 8 * 1024
FILES_MAX: Final = 100
_FIELDS: Final = frozenset(field.name for field in fields(Bearer))


class WrappedBody:
    """Receives one body; see `receiver.Receiver`."""

    def __init__(self, boundary: bytes, takings: Takings) -> None:
        self._framing = MultipartParser(boundary, parts_max=FILES_MAX + 1)
        self._takings = takings
        self._bearer: Bearer | None = None
        self._part = bytearray()

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the next chunks of the body.

        Raises
        ------
        InvalidRequest, LimitExceeded
            It is no form with files, or one is too large; instances before stay.
        """
        for chunk in chunks:
            for event in self._framing.feed(chunk):
                match event:
                    case PartBegin():
                        self._part = bytearray()
                    case PartData(data):
                        self._grow(data)
                    case PartEnd():
                        self._end()

    def finish(self) -> list[Result]:
        """Say that the body has ended; return one result for each file, in their order."""
        self._framing.finish()
        return self._takings.results()

    def abort(self) -> None:
        """Wait for those in flight: they are whole and stay."""
        self._takings.settle()

    def _grow(self, data: memoryview) -> None:
        is_form = self._bearer is None
        limit, bound = ("FORM_BYTES_MAX", FORM_BYTES_MAX) if is_form else ("FILE_BYTES_MAX", FILE_BYTES_MAX)
        size = len(self._part) + len(data)
        if size > bound:
            raise LimitExceeded(limit=limit, value=size, bound=bound)
        self._part += data

    def _end(self) -> None:
        content, self._part = bytes(self._part), bytearray()
        if self._bearer is None:
            self._bearer = bearer_of(content)
            return
        taker = self._takings.taker
        try:
            part = Part(taker.blobs, {}, taker.instance_bytes_max)
            part.write(memoryview(wrapped(content, self._bearer, taker.origin.site)))
            self._takings.take(part.finish(), part.refusal)
        except ExchangeError as error:  # this file fails, its neighbours do not
            self._takings.fail(error)


def bearer_of(content: bytes) -> Bearer:
    """Read the form. Raises InvalidRequest."""
    try:
        told: Any = json.loads(content)
        known = {name: told[name] for name in _FIELDS.intersection(told)}
        if len(known) < len(told) or not all(isinstance(value, str) for value in known.values()):
            raise InvalidRequest(reason=f"the form has texts: {', '.join(sorted(_FIELDS))}")
        bearer = Bearer(**known)
    except (ValueError, TypeError, RecursionError):
        raise InvalidRequest(reason="the first part is the form, a JSON object with patient and study") from None
    bearer.check()
    return bearer
