"""A STOW-RS body of metadata and bulk data (PS3.18 10.5.2): spooled as it comes, put together when it is whole.

Metadata is DICOM JSON (an array of data sets, or one) or XML (one data set a part); a bulk data part is named by its
Content-Location, and metadata refer to it by BulkDataURI. Several parts of one name are the frames of an image, in
their order. In memory is one chunk.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Final

from gateway.dicomweb.http.media import MediaType, parse_media_type
from gateway.dicomweb.http.multipart import Event, PartBegin, PartData, PartEnd
from gateway.dicomweb.http.negotiation import JSON, OCTETS, XML
from gateway.dicomweb.store.assembly import Assembly, SpooledPart
from gateway.dicomweb.store.receiver import Framing
from gateway.dicomweb.store.results import Result
from gateway.dicomweb.store.taking import Taker, Takings
from kernel.errors import InvalidRequest

METADATA_TYPES: Final = frozenset({JSON, XML, "application/json", "application/xml", "text/xml"})


class Assembler:
    """Receives one body of metadata and bulk data."""

    def __init__(
        self, framing: Framing, taker: Taker, ingesters: Executor, *, default_type: str, instances_max: int
    ) -> None:
        self._framing = framing
        self._takings = Takings(taker, ingesters)
        self._default = MediaType(default_type, {})
        self._spool = taker.blobs.spool()
        self._lock = threading.Lock()
        self._metadata: list[SpooledPart] = []
        self._bulk: dict[str, list[SpooledPart]] = {}
        self._assembly = Assembly(self._takings, self._bulk, instances_max=instances_max)
        self._begun: tuple[MediaType, str, int] | None = None  # of the present part: type, location, offset

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the next chunks of the body.

        Raises
        ------
        InvalidRequest, LimitExceeded, StorageFull
            The body cannot be taken; nothing of it stays.
        """
        with self._lock:
            for chunk in chunks:
                for event in self._framing.feed(chunk):
                    self._handle(event)

    def finish(self) -> list[Result]:
        """Say that the body has ended, put its instances together; return one result for each.

        Raises
        ------
        InvalidRequest
            The body was cut; nothing of it stays.
        """
        with self._lock:
            self._framing.finish()
            self._end_part()
            try:
                for part in self._metadata:
                    self._assembly.take(part)
                return self._takings.results()
            finally:
                self._spool.close()

    def abort(self) -> None:
        """Forget what was received."""
        with self._lock:
            self._spool.close()
            self._takings.settle()

    def _handle(self, event: Event) -> None:
        match event:
            case PartBegin(headers):
                kind = headers.get("content-type", "")
                location = headers.get("content-location", "")
                default = MediaType(OCTETS, {}) if location else self._default
                self._begun = (parse_media_type(kind) if kind else default, location, self._spool.size_bytes)
            case PartData(data):
                self._spool.append(data)
            case PartEnd():
                self._end_part()

    def _end_part(self) -> None:
        if self._begun is None:
            return
        (media_type, location, offset), self._begun = self._begun, None
        part = SpooledPart(media_type, self._spool.span(offset, self._spool.size_bytes - offset))
        if media_type.name in METADATA_TYPES:
            self._metadata.append(part)
        elif location:
            self._bulk.setdefault(location, []).append(part)
        else:
            self._takings.fail(InvalidRequest(reason="a bulk data part has no Content-Location"))
