"""What decides where an instance has text: its device and the page of it that is shown. Pure.

Ultrasound machines write the same things to the same places on every page of one size. What else has text has less of
a habit: a capture shows what its program shows, a radiograph has its label where the cassette lay. So these are told
apart by more attributes, more of their exams must agree, and more of their instances are looked at (`TERMS`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from anonymizer.pixels.gate import (
    CONVERSION_TYPE,
    IMAGE_TYPE,
    MODALITY,
    PROJECTIONS,
    SCREEN_WORDS,
    SECONDARY_CAPTURE,
    SOP_CLASS_UID,
    ULTRASOUND,
)
from anonymizer.pixels.zones import Device, device_of, folded
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values

Kind = Literal["ultrasound", "projection", "capture"]

NAME_CHARACTERS: Final = 64  # of a manufacturer, a model or a serial number (PS3.5 6.2, LO)
PHOTOMETRIC_CHARACTERS: Final = 16  # (PS3.5 6.2, CS)
DEVICE_SERIAL_NUMBER: Final = 0x00181000
CAPTURE_ID, CAPTURE_MANUFACTURER, CAPTURE_MODEL = 0x00181010, 0x00181016, 0x00181018  # of what captured (C.8.6.1)
VIEW_POSITION, IMAGE_LATERALITY = 0x00185101, 0x00200062


class Terms(NamedTuple):
    """When what was learnt is enough."""

    exams_wanted: int  # that agree before an instance is masked without a look
    look_every: int  # so many instances of one exam are masked by zones before one is looked at


TERMS: Final[Mapping[Kind, Terms]] = {
    "ultrasound": Terms(5, 10),
    "projection": Terms(10, 2),
    "capture": Terms(10, 2),
}
_PAGES: Final[Mapping[Kind, tuple[int, ...]]] = {  # attributes that tell one page of a device from another
    "ultrasound": (),
    "projection": (MODALITY, VIEW_POSITION, IMAGE_LATERALITY),
    "capture": (MODALITY, IMAGE_TYPE, CONVERSION_TYPE),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What decides where an instance has text: its device, its kind, and what is masked in it whatever is found."""

    device: Device
    serial: str
    kind: Kind
    sop_class_uid: str
    photometric_interpretation: str
    page: tuple[str, ...]
    masked: tuple[Box, ...]  # by regions and by a site's own zones: there nobody looks

    @property
    def digest(self) -> str:
        """A short name of it for tables."""
        parts = (self.device.digest, self.serial, self.kind, self.sop_class_uid, self.photometric_interpretation)
        return hashlib.sha256(repr((*parts, self.page, self.masked)).encode()).hexdigest()[:32]

    @property
    def terms(self) -> Terms:
        """When what was learnt of it is enough."""
        return TERMS[self.kind]


def devices_of(header: Header, image: ImagePixel) -> tuple[Device, ...]:
    """Return what made the picture and, of a capture that names it, what captured that (PS3.3 C.8.6.1)."""
    values, made = Values(header), device_of(header, image)
    captured_by = values.text(CAPTURE_MANUFACTURER)
    if _kind(values) != "capture" or not captured_by:
        return (made,)
    return made, replace(made, manufacturer=folded(captured_by), model=folded(values.text(CAPTURE_MODEL)))


def layout_of(header: Header, image: ImagePixel, masked: tuple[Box, ...]) -> Layout | None:
    """Return what decides where an instance has text; None when its kind is not learnt or its device not named."""
    values = Values(header)
    kind, color = _kind(values), image.photometric_interpretation
    if kind is None or len(color) > PHOTOMETRIC_CHARACTERS:
        return None
    *_, device = devices_of(header, image)
    is_captured = kind == "capture" and values.text(CAPTURE_MANUFACTURER)
    serial = folded(values.text(CAPTURE_ID if is_captured else DEVICE_SERIAL_NUMBER))
    if not device.manufacturer or not device.model:
        return None
    if max(map(len, (device.manufacturer, device.model, serial))) > NAME_CHARACTERS:
        return None
    page = tuple(values.text(tag) for tag in _PAGES[kind])
    return Layout(device, serial, kind, values.text(SOP_CLASS_UID), color, page, masked)


def _kind(values: Values) -> Kind | None:
    sop_class_uid, modality = values.text(SOP_CLASS_UID), values.text(MODALITY).upper()
    if sop_class_uid in ULTRASOUND:
        return "ultrasound" if modality == "US" else None
    image_type = {part.strip() for part in values.text(IMAGE_TYPE).upper().split("\\")}
    if sop_class_uid in SECONDARY_CAPTURE or image_type & SCREEN_WORDS:
        return "capture"
    return "projection" if modality in PROJECTIONS else None
