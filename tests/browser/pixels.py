"""What a slice stores, asked of the node, and how far the screen is from it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.browser.room import Room

OCTETS = "multipart/related; type=application/octet-stream; transfer-syntax=*"
FLAT_MIN = 1000  # pixels to compare by
Plane = NDArray[Any]


def grey_error(room: Room, slice_number: int, window: tuple[float, float]) -> float:
    """Return how many grey levels, on average, a picture at 1:1 is off PS3.3 C.11.2.1.2.1's line, where it is flat.

    `window` is width and center.
    """
    shown = room.grey().astype(float)
    width, center = window
    values = values_of_slice(*frame_of_slice(room, slice_number))
    expected = np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)
    rows, columns = expected.shape
    top, left = round((shown.shape[0] - rows) / 2), round((shown.shape[1] - columns) / 2)
    part = shown[max(top, 0) : top + rows, left : left + columns]
    wanted = expected[max(-top, 0) : max(-top, 0) + part.shape[0]]
    flat = flat_places(wanted)
    assert flat.sum() > FLAT_MIN
    return float(np.abs(part - wanted)[flat].mean())


def values_of_slice(stored: Plane, metadata: dict[str, Any]) -> Plane:
    """Return modality values of stored ones (PS3.3 C.11.1.1.2)."""
    return stored * _number(metadata, "00281053", 1) + _number(metadata, "00281052", 0)


def frame_of_slice(room: Room, slice_number: int) -> tuple[Plane, dict[str, Any]]:
    """Return the stored values and the DICOM JSON of a slice, asked of the node and ordered by Instance Number."""
    study = room.dicomweb()
    series = room.get("/api/studies" + study.split("/studies")[1] + "/series", "application/json").json()
    uid = series[0]["seriesInstanceUID"]
    instances = room.get(f"{study}/series/{uid}/metadata", "application/dicom+json").json()
    instances.sort(key=lambda one: int(one["00200013"]["Value"][0]))
    metadata = instances[slice_number - 1]
    instance = metadata["00080018"]["Value"][0]
    body = room.get(f"{study}/series/{uid}/instances/{instance}/frames/1", OCTETS).body()
    head, pixels = body.split(b"\r\n\r\n", 1)
    assert b"1.2.840.10008.1.2.1" in head
    rows, columns = (int(metadata[tag]["Value"][0]) for tag in ("00280010", "00280011"))
    signed = metadata["00280103"]["Value"][0] == 1
    kind = np.dtype("<i2" if signed else "<u2")
    return np.frombuffer(pixels, kind, count=rows * columns).reshape(rows, columns).astype(float), metadata


def _number(metadata: dict[str, Any], tag: str, otherwise: float) -> float:
    value = metadata.get(tag, {}).get("Value", [otherwise])[0]
    return float(value)


def flat_places(expected: Plane) -> Plane:
    """Return where the neighbours are alike, so that being half a pixel off changes nothing; black and white aside."""
    steps = [np.abs(expected - np.roll(expected, shift, axis)) for shift in (-1, 1) for axis in (0, 1)]
    return (np.max(steps, axis=0) < 6) & (expected > 5) & (expected < 250)
