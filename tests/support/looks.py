"""Looks at ultrasound instances of a device, as the cleaner makes them."""

from anonymizer.pixels.layouts import Layout
from anonymizer.pixels.learning import Look
from anonymizer.pixels.zones import Device
from kernel.dicom.pixels.boxes import Box


def a_look(manufacturer: str, model: str, *found: Box, rows: int = 48, columns: int = 64) -> Look:
    """Return a look that found text in these places."""
    device = Device(manufacturer, model, rows, columns)
    return Look(Layout(device, "", "ultrasound", "1.2.840.10008.5.1.4.1.1.6.1", "RGB", (), ()), found)
