"""Where text is known to be: outside of ultrasound regions, and where a device writes it (PS3.3 C.8.5.5).

Device zones are data: tables of TOML, the site's own. None is shipped: what is publicly said about devices could not be
checked on one. A zone fits an instance by manufacturer, model, and the size of its frames:

    [[zone]]
    manufacturer = "GE Healthcare"
    model = "LOGIQ E9"
    rows = 720
    columns = 960
    boxes = [[0, 0, 60, 960]]    # top, left, bottom, right
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kernel.dicom.pixels.boxes import Box, outside
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.errors import InvalidConfiguration

REGIONS: Final = 0x00186011
LEFT, TOP, RIGHT, BOTTOM = 0x00186018, 0x0018601A, 0x0018601C, 0x0018601E
MANUFACTURER, MODEL = 0x00080070, 0x00081090
REGIONS_MAX, ZONES_MAX, BOXES_MAX = 64, 1000, 64
REGION_SHARE_MIN: Final = 0.05  # of the frame; less is a broken description


@dataclass(frozen=True, slots=True)
class Device:
    """What places text: the same device writes it to the same place in frames of one size."""

    manufacturer: str
    model: str
    rows: int
    columns: int

    @property
    def digest(self) -> str:
        """A short name of it for tables."""
        return hashlib.sha256(repr((self.manufacturer, self.model, self.rows, self.columns)).encode()).hexdigest()[:32]


Zones = Mapping[Device, tuple[Box, ...]]


def device_of(header: Header, image: ImagePixel) -> Device:
    """Return what wrote the text of an instance."""
    values = Values(header)
    return Device(folded(values.text(MANUFACTURER)), folded(values.text(MODEL)), image.rows, image.columns)


def outside_regions(header: Header, image: ImagePixel) -> tuple[Box, ...]:
    """Return what is outside of all ultrasound regions; nothing if the instance describes none that could be."""
    boxes: list[Box] = []
    for item in Values(header).items(REGIONS)[:REGIONS_MAX]:
        numbers = [_unsigned(item, tag) for tag in (TOP, LEFT, BOTTOM, RIGHT)]
        if None not in numbers:
            top, left, bottom, right = (number or 0 for number in numbers)
            boxes.append(Box(top, left, bottom + 1, right + 1).within(image.rows, image.columns))
    if sum(box.area for box in boxes) < REGION_SHARE_MIN * image.rows * image.columns:
        return ()
    return outside(boxes, image.rows, image.columns)


def read_zones(path: Path) -> Zones:
    """Read a site's own zones.

    Raises
    ------
    InvalidConfiguration
        It is not what it should be.
    """
    try:
        tables: Any = tomllib.loads(path.read_text(encoding="utf-8")).get("zone", [])
        if not isinstance(tables, list) or len(tables) > ZONES_MAX:
            raise _invalid(path, f"[[zone]] is a list of at most {ZONES_MAX}")
        return dict(_zone(path, table) for table in tables)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _invalid(path, str(error)) from None


def zones_text(zones: Zones) -> str:
    """Return zones as `read_zones` reads them: to be looked at, changed and kept by a person."""
    return "\n".join(
        "\n".join((
            "[[zone]]",
            f"manufacturer = {_quoted(device.manufacturer)}",
            f"model = {_quoted(device.model)}",
            f"rows = {device.rows}",
            f"columns = {device.columns}",
            "boxes = [",
            *(f"    {list(box)},  # top, left, bottom, right" for box in boxes),
            "]",
            "",
        ))
        for device, boxes in zones.items()
    )  # fmt: skip


def _quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes are JSON's but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _zone(path: Path, table: Any) -> tuple[Device, tuple[Box, ...]]:
    try:
        device = Device(
            folded(str(table["manufacturer"])), folded(str(table["model"])), int(table["rows"]), int(table["columns"])
        )
        boxes: Sequence[Box] = [Box(*map(int, box)) for box in table["boxes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(path, f"a zone lacks or misstates {error}") from None
    if len(boxes) > BOXES_MAX or any(box.is_empty or box != box.within(device.rows, device.columns) for box in boxes):
        raise _invalid(path, f"boxes of {device.model} are not within its frames, or more than {BOXES_MAX}")
    return device, tuple(boxes)


def _invalid(path: Path, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration(source=str(path), key="zone", reason=reason)


def _unsigned(item: Values, tag: int) -> int | None:
    """Return an UL that is no smaller than zero."""
    raw = item.raw(tag, 4)
    return int.from_bytes(raw, "little") if len(raw) == 4 else None


def folded(text: str) -> str:
    """Return a name as it is compared: without case, spaces as one."""
    return " ".join(text.casefold().split())
