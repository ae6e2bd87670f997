"""Instances that are larger than the memory of who reads them: sparse files, whose pixels are holes until somebody writes."""

import sys
from pathlib import Path

from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.support.builders import a_ct, as_file

BOUNDED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]),) * 2)
sys.argv[1:] = sys.argv[2:]
runpy.run_module("exchange", run_name="__main__")
"""


def a_large_ct(path: Path, side: int) -> int:
    """Write a CT slice of `side` x `side` pixels of two bytes, all black; return the bytes of its pixel data."""
    ds = a_ct(PatientName="NGUYEN^VAN^TY")
    ds.Rows = ds.Columns = side
    source = as_file(ds)
    meta = read_file_meta(source)
    pixels = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset).pixel_data
    assert pixels is not None
    size = 2 * side * side
    with path.open("wb") as file:
        file.write(source[: pixels.value_offset - 4] + size.to_bytes(4, "little"))
        file.truncate(pixels.value_offset + size)
    return size


def bounded(data_bytes: int, *arguments: str | Path) -> list[str]:
    """Return `vienanh` with these arguments in a process that may have so much memory of its own (RLIMIT_DATA).

    What it maps of a file to read is no memory of its own: the system takes it back when it is wanted.
    """
    return [sys.executable, "-c", BOUNDED, str(data_bytes), *map(str, arguments)]
