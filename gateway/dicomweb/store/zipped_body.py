"""A body that is a zip of instances: kept in an unnamed file until it is whole, then its files staged one by one.

What is no DICOM file, as everything else on a CD, is passed over and told; it is not kept. Nothing is believed that a zip
says of itself: what comes out of it is counted.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.results import Result
from gateway.dicomweb.store.taking import Takings
from kernel.archive.blobs.spool import Spool
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.errors import ExchangeError, InvalidRequest, UnsupportedMediaType

DIRECTORY_BYTES_MAX: Final = 4 * 1024 * 1024  # of the zip's own list of files
CHUNK_BYTES: Final = 256 * 1024
PREAMBLE_BYTES: Final = 132  # PS3.10 7.1
DIRECTORY_NAME: Final = "DICOMDIR"  # of a medium: names files, is no instance
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class _Bounded(io.RawIOBase):
    """A file of which nobody reads much at once: `zipfile` reads the whole directory, however long it says it is."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        if size > DIRECTORY_BYTES_MAX:
            raise exceeded("DIRECTORY_BYTES_MAX", size, DIRECTORY_BYTES_MAX)
        return self._file.read(size) or b""

    def close(self) -> None:
        self._file.close()
        super().close()


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
            with _Bounded(self._spool.reader()) as file, zipfile.ZipFile(file) as archive:
                entries = [info for info in archive.infolist() if not info.is_dir()]
                if len(entries) > self._entries_max:
                    raise exceeded("parts_max", len(entries), self._entries_max)
                for info in entries:
                    self._take(archive, info)
        except _DAMAGED:
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
        except _DAMAGED:
            part.discard()
            self._takings.fail(malformed("a file in the zip is damaged, encrypted, or of an odd compression"))
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
