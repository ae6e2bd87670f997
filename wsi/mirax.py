"""The other files of a 3DHISTECH MIRAX slide (.mrxs): a folder beside it, of the slide's name without its ending."""

import configparser
import hashlib
import re
from pathlib import Path
from typing import Final

from kernel.errors import MalformedSlide
from wsi.limits import MEBIBYTE, at_most, malformed

SUFFIX: Final = ".mrxs"
COMPANIONS_MAX: Final = 1000  # files of one slide; large ones have some two hundred
DESCRIPTION: Final = "Slidedat.ini"  # names the others
_COMPANION: Final = re.compile(r"[\w. \-]{1,128}", re.ASCII)
_FOCUS: Final = "microscope focus level"  # of the hierarchies: one record for each height, or for all of them merged
_HIERARCHIES_MAX: Final = 16  # looked at; scanners write four
_MISSING: Final = "the folder of its other files is not beside it"


def is_mirax(name: str | Path) -> bool:
    """Whether a file is one of these slides, as its name says."""
    return Path(name).suffix.lower() == SUFFIX


def is_companion(name: str) -> bool:
    """Whether a file of the folder may be called so: it stays in there."""
    return bool(_COMPANION.fullmatch(name)) and name not in (".", "..")


def check_companions(path: Path) -> None:
    """Look at the names of the other files, before OpenSlide opens them, and whether it would read them all.

    Raises
    ------
    MalformedSlide
        There are none, or one of them is not in the slide's own folder; or it has several focal planes.
    """
    folder = path.with_suffix("")
    told = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        told.read_string(_description(path).decode("utf-8-sig", "replace"))
    except configparser.Error:
        raise malformed(f"its {DESCRIPTION} cannot be read") from None
    names = [told.get("HIERARCHICAL", "INDEXFILE", fallback="Index.dat")]
    names += [name for key, name in (told.items("DATAFILE") if "DATAFILE" in told else []) if key.startswith("file_")]
    for name in names:
        if not is_companion(name) or (folder / name).is_symlink():
            raise malformed("it names files outside its folder")
    for number in range(_HIERARCHIES_MAX):
        name, count = (told.get("HIERARCHICAL", f"HIER_{number}_{key}", fallback="") for key in ("NAME", "COUNT"))
        if name.strip().lower() == _FOCUS and count.strip() not in ("", "0", "1"):
            raise malformed("it has several focal planes, of which OpenSlide reads one")


def companions(path: Path) -> list[Path]:
    """Return the other files of a slide, by name; no links, and nothing whose name is none of theirs.

    Raises
    ------
    MalformedSlide
        The folder is not there.
    LimitExceeded
        More than COMPANIONS_MAX.
    """
    try:
        found = [one for one in path.with_suffix("").iterdir() if is_companion(one.name)]
    except (FileNotFoundError, NotADirectoryError):
        raise MalformedSlide(reason=_MISSING) from None
    found = sorted(one for one in found if one.is_file() and not one.is_symlink())
    at_most("files of a slide", len(found), COMPANIONS_MAX)
    return found


def digest_with(digest: bytes, path: Path) -> bytes:
    """Return a digest of the slide's own file and of what its folder says of it.

    The file alone is a picture of the glass, and scanners and de-identifiers write the same one for every slide.

    Raises
    ------
    MalformedSlide
        The folder is not there.
    """
    return hashlib.sha256(digest + _description(path)).digest()


def _description(path: Path) -> bytes:
    try:
        with (path.with_suffix("") / DESCRIPTION).open("rb") as file:
            return file.read(MEBIBYTE)
    except (FileNotFoundError, NotADirectoryError):
        raise MalformedSlide(reason=_MISSING) from None
