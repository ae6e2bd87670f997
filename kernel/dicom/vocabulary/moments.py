"""Moments as DICOM writes them, moved by minutes: a DT without its offset, or a DA and its TM put together (PS3.5 6.2)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_OFFSET: Final = re.compile(r"([+-])(\d\d)(\d\d)$")
_EARLIEST: Final = "00010101000000000000"
_LATEST: Final = "99991231235959999999"


def moved(text: str | None, minutes: int, *, up: bool = False) -> str | None:
    """Return a moment `minutes` later, to the microsecond; `up`: missing digits are the latest. No moment: unchanged."""
    if text is None:
        return None
    digits = text.replace(".", "")
    filled = digits + (_LATEST if up else _EARLIEST)[len(digits) :]
    try:
        moment = datetime.strptime(filled, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC) + timedelta(minutes=minutes)
    except (ValueError, OverflowError):
        return text
    return moment.strftime("%Y%m%d%H%M%S.%f")


def without_offset(text: str) -> tuple[str, int | None]:
    """Return a DT without its offset from UTC, and the minutes east of UTC that it says; None when it says none."""
    found = _OFFSET.search(text)
    if found is None:
        return text, None
    minutes = int(found[2]) * 60 + int(found[3])
    return text[: found.start()], -minutes if found[1] == "-" else minutes
