"""The door to libjpeg-turbo (Debian: libturbojpeg0): a JPEG written again from its quantized coefficients (T.81 A.3).

Nothing is decoded to pixels, so nothing is lost. It is native code on a stranger's bytes: `kernel.dicom.pixels.jpeg_masks` and
`kernel.dicom.pixels.jpeg_crops` call it, in the processes of `kernel.dicom.pixels.decoders` alone.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from kernel.dicom.vocabulary.limits import malformed

_CROP, _COPY_NO_MARKERS, _LIMIT_SCANS = 4, 64, 32768  # more than 500 scans are refused


class Extent(NamedTuple):
    """What is kept of a frame: so many pixels from its upper left corner."""

    columns: int
    rows: int


class _Region(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


_Filter: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, _Region, _Region, ctypes.c_int, ctypes.c_int, ctypes.c_void_p
)


class _Transform(ctypes.Structure):
    _fields_ = (
        ("region", _Region),
        ("operation", ctypes.c_int),
        ("options", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("filter", _Filter),
    )


def has_library() -> bool:
    """Whether JPEG frames can be transformed on this machine."""
    return _library() is not None


def transformed(
    data: bytes, *, changed: Callable[..., int] | None = None, kept: Extent | None = None, markers: bool = False
) -> bytes:
    """Return a JPEG written again.

    Parameters
    ----------
    changed
        Called with each row of blocks of each component, to change coefficients in place (TurboJPEG's customFilter).
    kept
        How much of it, where that is not all.
    markers
        Whether comments and application data stay.

    Raises
    ------
    MalformedInstance
        The library is absent or cannot read the frame.
    """
    library = _library()
    if library is None:
        raise malformed("a JPEG frame cannot be transformed: install libturbojpeg")
    handle = library.tjInitTransform()
    if not handle:
        raise MemoryError
    made, size = ctypes.c_void_p(), ctypes.c_ulong()
    transform = _Transform(options=0 if markers else _COPY_NO_MARKERS)
    if changed is not None:
        transform.filter = _Filter(changed)
    if kept is not None:
        transform.options |= _CROP
        transform.region = _Region(0, 0, kept.columns, kept.rows)
    try:
        failed = library.tjTransform(
            handle, data, len(data), 1, ctypes.byref(made), ctypes.byref(size), ctypes.byref(transform), _LIMIT_SCANS
        )
        if failed or not made.value:
            raise malformed("a JPEG frame cannot be read")
        return ctypes.string_at(made.value, size.value)
    finally:
        if made.value:
            library.tjFree(made)
        library.tjDestroy(handle)


@cache
def _library() -> Any:
    name = ctypes.util.find_library("turbojpeg")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.tjInitTransform.restype = ctypes.c_void_p
    library.tjDestroy.argtypes = [ctypes.c_void_p]
    library.tjFree.argtypes = [ctypes.c_void_p]
    library.tjFree.restype = None
    library.tjTransform.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_void_p, ctypes.c_int,
    ]  # fmt: skip
    return library
