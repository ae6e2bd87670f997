"""A body that is a zip of instances: kept in an unnamed file until it is whole, then its files staged one by one.

What is no DICOM file, as everything else on a CD, is passed over and told; it is not kept. Nothing is believed that a zip
says of itself: what comes out of it is counted.
"""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.results import Result
from gateway.dicomweb.store.taking import Takings
from kernel.archive.blobs.spool import Spool
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.errors import ExchangeError, InvalidRequest, UnsupportedMediaType
from kernel.zips import CHUNK_BYTES, DAMAGED, files_of, is_of_disk, opened_zip

PREAMBLE_BYTES: Final = 132  # PS3.10 7.1
DIRECTORY_NAME: Final = "DICOMDIR"  # of a medium: names files, is no instance


class ZippedBody:
    """Receives one zip; the interface of `receiver.Receiver`."""

    def __init__(self, spool: Spool, takings: Takings, *, entries_max: int, unpacked_bytes_max: int) -> None:
        self.names: list[str] = []  # of the files, in the order of the results
        self._spool = spool
        self._takings = takings
        self._entries_max = entries_max
        self._unpacked_bytes_max = unpacked_bytes_max
        self._unpacked_bytes = 0

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the next chunks of the body. Raises StorageFull."""
        for chunk in chunks:
            self._spool.append(chunk)

    def finish(self) -> list[Result]:
        """Unpack the zip; return one result for each file in it.

        Raises
        ------
        InvalidRequest
            It is no zip, or a damaged one.
        LimitExceeded
            It has more files, or more in them, than a body may have; complete instances before stay.
        """
        try:
            with opened_zip(self._spool.reader()) as archive:
                for info in files_of(archive, self._entries_max, "parts_max"):
                    self._take(archive, info)
        except DAMAGED as error:
            if is_of_disk(error):
                raise
            raise InvalidRequest(reason="it is no zip, or a damaged one") from None
        finally:
            self._takings.settle()
            self._spool.close()
        return self._takings.results()

    def abort(self) -> None:
        """Forget the zip and wait for what is in flight: it is whole and stays."""
        self._takings.settle()
        self._spool.close()

    def _take(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        """Stage one file and hand it to ingest, or tell why it was passed over."""
        self.names.append(info.filename)
        taker = self._takings.taker
        part = Part(taker.blobs, {}, taker.instance_bytes_max)
        try:
            for chunk in self._chunks(archive, info):
                part.write(memoryview(chunk))
            staged = part.finish()
        except _TooMuchError as error:
            part.discard()
            raise error.limit from None
        except ExchangeError as error:
            part.discard()
            self._takings.fail(error)
        except DAMAGED as error:
            part.discard()
            damaged = malformed("a file in the zip is damaged, encrypted, or of an odd compression")
            self._takings.fail(error if is_of_disk(error) else damaged)
        else:
            self._takings.take(staged, part.refusal)

    def _chunks(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
        if PurePosixPath(info.filename).name.upper() == DIRECTORY_NAME:
            raise UnsupportedMediaType(media_type="a directory of a medium", offered="application/dicom")
        with archive.open(info) as member:
            begin = member.read(PREAMBLE_BYTES)
            if begin[-4:] != b"DICM" or len(begin) != PREAMBLE_BYTES:
                raise UnsupportedMediaType(media_type="no DICOM file", offered="application/dicom")
            chunk = begin
            while chunk:
                self._unpacked_bytes += len(chunk)
                if self._unpacked_bytes > self._unpacked_bytes_max:
                    raise _TooMuchError(self._unpacked_bytes, self._unpacked_bytes_max)
                yield chunk
                chunk = member.read(CHUNK_BYTES)


class _TooMuchError(Exception):
    """More comes out of the zip than may: the whole body is refused, not one file."""

    def __init__(self, value: int, bound: int) -> None:
        super().__init__()
        self.limit = exceeded("body_bytes_max, unpacked", value, bound)
