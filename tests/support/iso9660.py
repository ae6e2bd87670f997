"""Images of discs read by ECMA-119 alone, and by Rock Ridge's names: a second reading, to hold our writer against."""

from pathlib import Path
from struct import unpack_from

SECTOR = 2048


class Disc:
    """An image that is opened."""

    def __init__(self, image: bytes) -> None:
        self._image = image
        self.volume = self._descriptor()

    def _descriptor(self) -> bytes:
        """Return the primary volume descriptor (8.4), the first at sector 16."""
        found = self._image[16 * SECTOR : 17 * SECTOR]
        assert found[:7] == b"\x01CD001\x01"
        assert unpack_from("<I", found, 80)[0] * SECTOR == len(self._image)
        return found

    def names(self, *, long: bool = False) -> dict[str, bytes]:
        """Return each file's bytes by its path: as ISO 9660 has it, or as Rock Ridge."""
        found: dict[str, bytes] = {}
        waiting = [("", self.volume[156:190])]
        while waiting:
            prefix, directory = waiting.pop()
            for record, name in self._records(directory, long=long):
                if record[25] & 2:
                    waiting.append((f"{prefix}{name}/", record))
                else:
                    found[prefix + name] = self._extent(record)
        return found

    def extract(self, folder: Path) -> None:
        """Write the files into a folder, by the names that Windows shows: without versions."""
        for name, content in self.names().items():
            path = folder / name.partition(";")[0].rstrip(".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _extent(self, record: bytes) -> bytes:
        (first,), (size,) = unpack_from("<I", record, 2), unpack_from("<I", record, 10)
        assert (first, size) == (unpack_from(">I", record, 6)[0], unpack_from(">I", record, 14)[0])
        return self._image[first * SECTOR : first * SECTOR + size]

    def _records(self, directory: bytes, *, long: bool) -> list[tuple[bytes, str]]:
        content, at, found = self._extent(directory), 0, list[tuple[bytes, str]]()
        while at < len(content):
            length = content[at]
            if length == 0:  # none crosses a sector
                at = (at // SECTOR + 1) * SECTOR
                continue
            record = content[at : at + length]
            at += length
            name = record[33 : 33 + record[32]]
            if name not in (b"\0", b"\1"):  # itself, its parent
                found.append((record, self._long(record) if long else name.decode("ascii")))
        return found

    def _long(self, record: bytes) -> str:
        at = 33 + record[32] + (record[32] + 1) % 2
        while at + 4 <= len(record):
            if record[at : at + 2] == b"NM":
                return record[at + 5 : at + record[at + 2]].decode("ascii")
            at += record[at + 2]
        raise AssertionError(record)
