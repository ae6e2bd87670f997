"""Places for words besides elements of text: overlays, unused bits, curves, private sequences, icons, cines, waveforms.

Most add to an instance that is the person's already.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import TwelveLeadECGWaveformStorage

from kernel.dicom.pixels.boxes import Box
from tests.anonymizer.documents import a_code
from tests.support.builders import a_dataset, with_pixels
from tests.support.written import write

SIDE = 64
SAFE_CREATOR = "Philips Imaging DD 001"  # of PS3.15 Table E.3.10-1
WRITTEN_AT = Box(20, 8, 36, 120)  # in frames of a cine
CINE_SHAPE = (9, 48, 128)


class Named(Protocol):
    """Whose words are planted."""

    @property
    def name(self) -> str: ...
    @property
    def plain(self) -> str: ...


Place = Callable[[Dataset, Named], Dataset]


def _padded(text: str, size: int) -> bytes:
    return text.encode().ljust(size, b"\0")


def _overlays(ds: Dataset, person: Named) -> Dataset:
    """Plant an overlay in the first, a middle and the last group, each of its words and bits a name."""
    for group in (0x6000, 0x600A, 0x601E):
        for number, vr, value in (
            (0x0010, "US", SIDE),
            (0x0011, "US", SIDE),
            (0x0015, "IS", "1"),
            (0x0022, "LO", person.name),
            (0x0040, "CS", "G"),
            (0x0045, "LO", person.plain),
            (0x0050, "SS", [1, 1]),
            (0x0100, "US", 1),
            (0x0102, "US", 0),
            (0x1500, "LO", person.name),
            (0x3000, "OW", _padded(person.plain, SIDE * SIDE // 8)),
            (0x4000, "LT", person.name),
        ):
            ds.add_new(group << 16 | number, vr, value)
    return ds


def _unused_bits(ds: Dataset, person: Named) -> Dataset:
    """Draw a name into bits 12, 13 and 15 of samples of 12 bits, each an overlay's (PS3.5 8.1.2, retired)."""
    samples = np.random.default_rng(7).integers(0, 4096, (SIDE, SIDE)).astype(np.uint16)
    drawn = write(np.zeros((SIDE, SIDE), np.uint8), person.plain, (10, 2), size=14) > 100
    for group, position in ((0x6000, 12), (0x6002, 13), (0x6004, 15)):
        samples |= drawn.astype(np.uint16) << np.uint16(position)
        for number, vr, value in ((0x10, "US", SIDE), (0x11, "US", SIDE), (0x40, "CS", "G"), (0x50, "SS", [1, 1])):
            ds.add_new(group << 16 | number, vr, value)
        ds.add_new(group << 16 | 0x100, "US", 16)
        ds.add_new(group << 16 | 0x102, "US", position)
    return with_pixels(ds, samples, BitsStored=12, HighBit=11, PixelRepresentation=0)


def _curves(ds: Dataset, person: Named) -> Dataset:
    for group in (0x5000, 0x5002, 0x501E):
        for number, vr, value in (
            (0x0005, "US", 2),
            (0x0010, "US", 16),
            (0x0020, "CS", "POLY"),
            (0x0022, "LO", person.name),
            (0x0030, "SH", [person.plain[:16], "mm"]),
            (0x0103, "US", 0),
            (0x200C, "OW", _padded(person.plain, 64)),
            (0x200E, "LT", person.name),
            (0x2500, "LO", person.name),
            (0x3000, "OW", _padded(person.plain, 64)),
        ):
            ds.add_new(group << 16 | number, vr, value)
    return ds


def _private_sequences(ds: Dataset, person: Named) -> Dataset:
    """Plant names in private sequences: of a vendor that nobody knows, and within one that is known to be safe."""
    deepest = Dataset()
    deepest.PatientName, deepest.Manufacturer = person.plain.replace(" ", "^", 1), person.name
    for _ in range(4):
        outer = Dataset()
        block = outer.private_block(0x0029, "VENDOR X", create=True)
        block.add_new(0x10, "LO", person.name)
        block.add_new(0x11, "UN", person.plain.encode() + b"\0" * (len(person.plain) % 2))
        block.add_new(0x20, "SQ", Sequence([deepest]))
        outer.ReferencedImageSequence = Sequence([deepest])
        deepest = outer
    ds.private_block(0x0029, "VENDOR X", create=True).add_new(0x30, "SQ", Sequence([deepest]))
    inner = Dataset()
    inner.ImageComments, inner.ReferencedSOPInstanceUID = person.name, ds.SOPInstanceUID
    other = inner.private_block(0x2001, SAFE_CREATOR, create=True)
    other.add_new(0x2D, "SS", 24)  # Number of Slices in Stack: safe, too
    other.add_new(0xF0, "LO", person.name)
    inner.private_block(0x0029, "VENDOR X", create=True).add_new(0x10, "LO", person.plain)
    ds.private_block(0x2001, SAFE_CREATOR, create=True).add_new(0x5F, "SQ", Sequence([inner]))
    return ds


def _an_icon(person: Named) -> Dataset:
    icon = with_pixels(Dataset(), write(np.zeros((SIDE, SIDE), np.uint8), person.plain, (10, 2), size=14))
    icon.PixelData = icon.PixelData[: SIDE * SIDE // 2] + _padded(person.plain, SIDE * SIDE // 2)
    return icon


def _icons(ds: Dataset, person: Named) -> Dataset:
    """Plant icons at the top, in a reference, and in a sequence that no table names."""
    item, shared = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    item.IconImageSequence = Sequence([_an_icon(person)])
    shared.IconImageSequence = Sequence([_an_icon(person)])
    ds.IconImageSequence = Sequence([_an_icon(person)])
    ds.ReferencedImageSequence = Sequence([item])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    return ds


def a_cine_with_a_name(ds: Dataset, person: Named) -> Dataset:
    """Write a name into one of nine frames."""
    frames = np.random.default_rng(9).integers(1, 120, CINE_SHAPE).astype(np.uint8)
    frames[5] = write(frames[5], person.plain.split()[-1], (WRITTEN_AT.top, WRITTEN_AT.left), size=14)
    ds = with_pixels(ds, frames)
    ds.FrameTime, ds.FrameIncrementPointer = "40", 0x00181063
    return ds


def a_waveform(person: Named, *, seed: str) -> Dataset:
    """Return an electrocardiogram whose annotations, channels and groups name the person."""
    ds = a_dataset(TwelveLeadECGWaveformStorage, seed=seed, instance=700, Modality="ECG")
    ds.AcquisitionDateTime, ds.AcquisitionContextSequence = "20261121080000", Sequence([])
    note, rate, channel, group = Dataset(), Dataset(), Dataset(), Dataset()
    note.UnformattedTextValue, note.ReferencedWaveformChannels = f"BN {person.name}", [1, 1]
    rate.ConceptNameCodeSequence = Sequence([a_code("8867-4", "LN", "Heart rate")])
    rate.MeasurementUnitsCodeSequence = Sequence([a_code("/min", "UCUM", "/min")])
    rate.NumericValue, rate.ReferencedWaveformChannels = "77", [1, 1]
    ds.WaveformAnnotationSequence = Sequence([note, rate])
    channel.ChannelLabel, channel.ChannelDerivationDescription = person.plain, person.name
    channel.ChannelSourceSequence = Sequence([a_code("2:1", "MDC", f"Lead {person.name}")])
    channel.WaveformBitsStored = 16
    group.MultiplexGroupLabel, group.WaveformOriginality = person.name, "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples, group.SamplingFrequency = 1, 50, "500"
    group.ChannelDefinitionSequence = Sequence([channel])
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.add_new(0x54001010, "OW", bytes(range(100)))
    ds.WaveformSequence = Sequence([group])
    return ds


PLACES: dict[str, Place] = {
    "overlays": _overlays,
    "unused bits": _unused_bits,
    "curves": _curves,
    "private sequences": _private_sequences,
    "icons": _icons,
}
