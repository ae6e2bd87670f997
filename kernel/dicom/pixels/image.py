"""What the Image Pixel module and the display attributes of a header say about its frames (PS3.3 C.7.6.3, C.11).

Values only; nothing is decoded here. In multi-frame objects with functional groups (C.7.6.16) a frame's own values
come before the shared ones, and those before the data set's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.limits import malformed
from kernel.errors import NoPixelData

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
VOI_FUNCTIONS: Final[tuple[VoiFunction, ...]] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_FUNCTIONS: Final[dict[str, VoiFunction]] = {function: function for function in VOI_FUNCTIONS}

_WHOLE_BYTES: Final = frozenset({8, 16, 32, 64})
_FLOAT_BITS: Final = {0x7FE00008: 32, 0x7FE00009: 64}
ASPECT_TOLERANCE: Final = 0.01
ASPECT_MAX: Final = 100.0
_SHARED_GROUPS, _FRAME_GROUPS = 0x52009229, 0x52009230


@dataclass(frozen=True, slots=True)
class ImagePixel:
    """How the pixels of an instance are arranged."""

    pixel_tag: int  # (7FE0,0010), (7FE0,0008) or (7FE0,0009)
    number_of_frames: int
    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int  # 1: two's complement
    planar_configuration: int  # 0: color by pixel, 1: by plane

    @property
    def is_float(self) -> bool:
        """Whether samples are floating point numbers (PS3.3 C.7.6.24)."""
        return self.pixel_tag in _FLOAT_BITS

    @property
    def has_whole_bytes(self) -> bool:
        """Whether an uncompressed sample is a number of whole bytes that machines calculate with."""
        return self.bits_allocated in _WHOLE_BYTES

    @property
    def sample_type(self) -> str:
        """The NumPy type of an uncompressed sample of whole bytes, such as "<u2"."""
        kind = "f" if self.is_float else "i" if self.pixel_representation else "u"
        return f"<{kind}{self.bits_allocated // 8}"

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame; frames follow each other without padding (PS3.5 8.1.1)."""
        samples = 2 if self.photometric_interpretation == "YBR_FULL_422" else self.samples_per_pixel
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def decoded_bytes(self) -> int:
        """Bytes that a decoded frame takes in memory."""
        return self.rows * self.columns * self.samples_per_pixel * max(1, self.bits_allocated // 8)


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A Modality or VOI LUT (PS3.3 C.11.1.1.1): values below `first_mapped` get the first entry, above it the last."""

    first_mapped: int
    bits: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Window Center and Width with their function (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"


@dataclass(frozen=True, slots=True)
class Display:
    """How the stored values of one frame become grey: the modality transformation, then the VOI transformation."""

    slope: float
    intercept: float
    modality_lut: LookupTable | None
    windows: tuple[Window, ...]
    voi_lut: LookupTable | None
    padding: int | None  # Pixel Padding Value: no part of the image (PS3.3 C.7.5.1.1.2)
    inverse: bool  # the least value is white: MONOCHROME1, or presentation LUT shape INVERSE


def image_pixel(header: Header) -> ImagePixel:
    """Read how the pixels are arranged.

    Raises
    ------
    NoPixelData
        The instance has no pixel data.
    MalformedInstance
        It has, but does not say how they are arranged.
    """
    if header.pixel_data is None:
        raise NoPixelData(what="pixel data in this instance")
    values = Values(header)
    rows, columns = values.unsigned(0x00280010), values.unsigned(0x00280011)
    bits_allocated = _FLOAT_BITS.get(header.pixel_data.tag) or values.unsigned(0x00280100)
    if not rows or not columns or not bits_allocated:
        raise malformed("Rows, Columns or Bits Allocated are missing")
    if bits_allocated > 64:
        raise malformed("Bits Allocated is more than 64")
    bits_stored = min(values.unsigned(0x00280101) or bits_allocated, bits_allocated)
    samples = values.unsigned(0x00280002) or 1
    if samples > 4:
        raise malformed("Samples per Pixel is more than 4")
    return ImagePixel(
        pixel_tag=header.pixel_data.tag,
        number_of_frames=max(values.integer(0x00280008) or 1, 1),
        rows=rows,
        columns=columns,
        samples_per_pixel=samples,
        photometric_interpretation=values.text(0x00280004) or "MONOCHROME2",
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=min(values.unsigned(0x00280102) or bits_stored - 1, bits_allocated - 1),
        pixel_representation=(values.unsigned(0x00280103) or 0) & 1,
        planar_configuration=(values.unsigned(0x00280006) or 0) & 1,
    )


def display(header: Header, image: ImagePixel, frame_index: int = 0) -> Display:
    """Read how one frame is to be shown.

    A damaged VOI LUT gives way to the windows. Without its Modality LUT an image has stored values alone, in which
    neither its windows nor its VOI LUT count.
    """
    values = Values(header)
    modality = _first(values, frame_index, 0x00289145, 0x00281053)
    voi = _first(values, frame_index, 0x00289132, 0x00281050, 0x00283010)
    signed = image.pixel_representation == 1
    padding = next(iter(values.words(0x00280120, signed=signed)), None)
    inverse = (values.text(0x20500020) == "INVERSE") or image.photometric_interpretation == "MONOCHROME1"
    modality_item, voi_item = values.item(0x00283000), voi.item(0x00283010)
    modality_lut = _lookup_table(modality_item, signed=signed)
    if modality_item is not None and modality_lut is None:
        return Display(1.0, 0.0, None, (), None, padding, inverse)
    dose = values.decimal(0x3004000E)  # of a dose this alone is the scale (PS3.3 C.8.8.3)
    slope, intercept = dose or modality.decimal(0x00281053), modality.decimal(0x00281052)
    shifted_below_zero = signed or (intercept or 0) < 0  # what the VOI LUT maps is signed then (C.11.2.1.1)
    return Display(
        slope=1.0 if slope is None or slope == 0 else slope,
        intercept=intercept or 0.0,
        modality_lut=modality_lut,
        windows=_windows(voi),
        voi_lut=_lookup_table(voi_item, signed=shifted_below_zero and modality_lut is None),
        padding=padding,
        inverse=inverse,
    )


def pixel_aspect(header: Header, frame_index: int = 0) -> float:
    """Return the height of a frame's pixels by their width.

    Pixel Spacing says it, else Imager Pixel Spacing, else Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7); within
    ASPECT_TOLERANCE they are square, and beyond ASPECT_MAX no picture could be made of them as they say.
    """
    values = Values(header)
    measures = _first(values, frame_index, 0x00289110, 0x00280030)
    sides = (measures.decimals(0x00280030), values.decimals(0x00181164), values.decimals(0x00280034))
    height, width = next((pair for pair in sides if len(pair) == 2 and min(pair) > 0), (1.0, 1.0))
    aspect = height / width
    is_square = abs(aspect - 1) <= ASPECT_TOLERANCE
    return 1.0 if is_square or not 1 / ASPECT_MAX <= aspect <= ASPECT_MAX else aspect


def _first(values: Values, frame_index: int, macro: int, *tags: int) -> Values:
    """Return the level that has one of `tags`: the frame's macro, the shared macro, or the data set."""
    for groups in (values.item(_FRAME_GROUPS, frame_index), values.item(_SHARED_GROUPS)):
        item = groups.item(macro) if groups else None
        if item is not None and any(tag in item for tag in tags):
            return item
    return values


def _windows(values: Values) -> tuple[Window, ...]:
    function = values.text(0x00281056)
    chosen = _FUNCTIONS.get(function, "LINEAR")
    pairs = zip(values.decimals(0x00281050), values.decimals(0x00281051), strict=False)
    return tuple(Window(center, width, chosen) for center, width in pairs if _is_wide_enough(width, chosen))


def _is_wide_enough(width: float, function: VoiFunction) -> bool:
    return width >= 1 if function == "LINEAR" else width > 0


def _lookup_table(item: Values | None, *, signed: bool) -> LookupTable | None:
    """Read the LUT of a Modality or VOI LUT Sequence item; None if there is none or it contradicts itself."""
    if item is None:
        return None
    descriptor = item.words(0x00283002)
    if len(descriptor) != 3:
        return None
    count, first, bits = descriptor
    count = count or 65536
    if not 1 <= bits <= 16:
        return None
    entries = item.words(0x00283006)
    if len(entries) * 2 == count + count % 2 and bits <= 8:  # packed 8-bit entries in 16-bit words
        entries = tuple(_bytes_of(entries))
    if len(entries) < count:
        return None
    return LookupTable(first - 65536 if signed and first >= 32768 else first, bits, entries[:count])


def _bytes_of(words: tuple[int, ...]) -> Iterator[int]:
    for word in words:
        yield word & 0xFF
        yield word >> 8
