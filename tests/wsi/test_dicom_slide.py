"""A slide in DICOM is one index, whatever its instances are: counted or placed tiles, parts, focal planes, paths."""

import numpy as np
import openslide
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from kernel.dicom.pixels.encoders import ENCODERS, encode
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning import scanner
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.vocabulary.limits import LIMITS
from kernel.dicom.vocabulary.syntaxes import (
    HTJ2K_LOSSLESS,
    JPEG_2000_FAMILY,
    JPEG_2000_LOSSLESS,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
)
from kernel.errors import ExchangeError, LimitExceeded, MalformedInstance, MalformedSlide
from tests.wsi.builders import jpeg, pixels_of, texture
from tests.wsi.dicom_builders import (
    EXPLICIT,
    JPEG_BASELINE,
    Place,
    a_code,
    a_header,
    a_volume,
    an_optical_path,
    as_file,
    index_of,
    many_placed,
    placed,
    slide_of,
    stored,
    tiles_of,
    used,
)
from wsi import dicom_image, dicom_slide
from wsi.dicom_slide import Instance, index_dicom
from wsi.frame_form import FrameForm, form_of
from wsi.jpeg import ICC_SPLICED_BYTES_MAX
from wsi.slide import Address
from wsi.tile_index import Glass

WORDS = [f"tile{number:04}".encode() for number in range(64)]  # what is not decoded needs not be a picture


def numbered(width: int, height: int, frames: int, *, first: int = 0, table: str = "extended", **attributes) -> bytes:
    """Make an image of 100-px tiles whose frames are words."""
    return as_file(a_header(width, height, 100, frames, **attributes), WORDS[first : first + frames], table=table)


def test_a_slide_says_its_scale_its_place_and_its_pictures_and_which_of_them_show_the_label():
    label = numbered(100, 100, 1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
    thumbnail = numbered(90, 90, 1, ImageType=["ORIGINAL", "PRIMARY", "THUMBNAIL", "NONE"])
    whole_glass = numbered(80, 80, 1, SpecimenLabelInImage="YES")
    strange = numbered(70, 70, 1, ImageType=["ORIGINAL", "PRIMARY"])

    index = index_of(label, thumbnail, a_volume(), whole_glass, strange)

    assert (index.mpp, index.objective, index.optical_paths) == ((0.25, 0.5), 40.0, ("Brightfield",))
    assert index.on_glass is not None
    assert (index.on_glass.orientation, index.on_glass.origin_mm) == ((0, -1, 0, -1, 0, 0), (20, 40))
    assert [(one.kind, one.place) for one in index.associated] == [
        ("label", 0),
        ("thumbnail", 1),
        ("macro", 3),
        ("other", 4),
    ]


def test_a_slide_says_which_glass_it_is():
    using, fixative = a_code("424361007", "Using substance"), a_code("430864009", "Tissue Fixative")
    specimen = Dataset()
    specimen.SpecimenShortDescription = "Dạ dày"
    specimen.SpecimenPreparationSequence = [
        used(fixative, code=a_code("434162003", "Neutral Buffered Formalin")),
        used(using, code=a_code("12710003", "hematoxylin stain")),
        used(using, text="eosin"),
        used(using, text="eosin"),
    ]
    told = {"SpecificCharacterSet": "ISO_IR 192", "ContainerIdentifier": "K26-1 A2"}

    glass = index_of(a_volume(SpecimenDescriptionSequence=[specimen] * 20, **told)).glass

    assert glass == Glass("K26-1 A2", ("Dạ dày",), ("hematoxylin stain", "eosin"))
    assert index_of(a_volume()).glass == Glass()


@pytest.mark.parametrize("word", ["Unknown", "REMOVED"])
def test_the_word_for_what_nobody_says_is_no_name_of_a_glass(word):
    specimen = Dataset()
    specimen.SpecimenShortDescription = word
    specimen.SpecimenPreparationSequence = [used(a_code("424361007", "Using substance"), text=word)]

    assert index_of(a_volume(ContainerIdentifier=word, SpecimenDescriptionSequence=[specimen])).glass == Glass()


def test_a_slide_tells_so_many_stains_and_no_more(monkeypatch):
    monkeypatch.setattr(dicom_image, "TOLD_MAX", 2)
    monkeypatch.setattr(dicom_image, "STEPS_MAX", 3)
    using, specimen = a_code("424361007", "Using substance"), Dataset()
    specimen.SpecimenPreparationSequence = [used(using, text=text) for text in "aabc"]
    many = Dataset()
    many.SpecimenPreparationSequence = [used(using, text=text) for text in "xyz"]

    assert index_of(a_volume(SpecimenDescriptionSequence=[specimen])).glass.stains == ("a", "b")
    assert index_of(a_volume(SpecimenDescriptionSequence=[many])).glass.stains == ("x", "y")


@pytest.mark.parametrize("table", ["extended", "basic", "none"])
def test_tiles_are_found_by_either_offset_table_and_without_one(table):
    file = numbered(250, 200, 6, table=table)

    index = index_of(file)

    assert [stored(index, [file], column, row) for row in range(2) for column in range(3)] == WORDS[:6]


def test_the_parts_of_a_concatenation_are_one_level_in_any_order():
    whole = {"ConcatenationUID": "1.2.9", "InConcatenationTotalNumber": 2}
    second = numbered(250, 200, 2, first=4, ConcatenationFrameOffsetNumber=4, InConcatenationNumber=2, **whole)
    first = numbered(250, 200, 4, ConcatenationFrameOffsetNumber=0, InConcatenationNumber=1, **whole)

    index = index_of(second, first)

    assert [stored(index, [second, first], 2, row) for row in (0, 1)] == [WORDS[2], WORDS[5]]


def test_a_level_with_holes_is_not_shown():
    part = numbered(250, 200, 4, ConcatenationUID="1.2.9", ConcatenationFrameOffsetNumber=0)
    coarser = numbered(100, 100, 1)

    assert [level.width for level in index_of(part, coarser).levels] == [100]
    with pytest.raises(MalformedSlide, match="parts of it have not arrived"):
        index_of(part)


def test_focal_planes_and_optical_paths_are_counted_slowest():
    paths = [an_optical_path("a", "DAPI"), an_optical_path("b", "FITC")]
    file = numbered(150, 100, 12, TotalPixelMatrixFocalPlanes=3, NumberOfOpticalPaths=2, OpticalPathSequence=paths)

    index = index_of(file)

    assert (index.focal_planes, index.optical_paths) == ((0.0, 2.0, 4.0), ("DAPI", "FITC"))
    assert stored(index, [file], 1, 0, plane=2, path=1) == WORDS[11]
    assert stored(index, [file], 0, 0, plane=1, path=0) == WORDS[2]


def test_focal_planes_that_are_files_of_their_own_are_one_level():
    low = as_file(placed(a_header(200, 100, 100, 2), [Place(1, 1, 1.5), Place(101, 1, 1.5)]), WORDS[:2])
    high = as_file(placed(a_header(200, 100, 100, 2), [Place(1, 1, 4.0), Place(101, 1, 4.0)]), WORDS[2:4])

    index = index_of(high, low)

    assert index.focal_planes == (1.5, 4.0)
    assert stored(index, [high, low], 1, 0, plane=0) == WORDS[1]
    assert stored(index, [high, low], 1, 0, plane=1) == WORDS[3]


def test_a_coarser_level_without_all_focal_planes_is_made_instead_of_shown():
    deep = numbered(200, 100, 4, TotalPixelMatrixFocalPlanes=2)
    flat = numbered(100, 50, 1)

    slide = slide_of(deep, flat)

    assert [(one.width, one.stored) for one in slide.octaves] == [(200, 0), (100, None)]


def test_sparse_tiles_lie_where_they_say_and_nowhere_else():
    places = [Place(201, 1), Place(1, 101)]
    file = as_file(placed(a_header(250, 200, 100, 2), places), WORDS[:2], table="basic")

    index = index_of(file)

    assert [stored(index, [file], *at) for at in ((2, 0), (0, 1), (1, 1))] == [WORDS[0], WORDS[1], b""]


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ([Place(51, 1)], "on no grid"),
        ([Place(301, 1)], "outside the matrix"),
        ([Place(-99, 1)], "outside the matrix"),
        ([Place(1, 1), Place(101, 1)], "tells the places of more"),
    ],
)
def test_sparse_tiles_that_lie_nowhere_are_refused(places, reason):
    with pytest.raises(MalformedSlide, match=reason):
        index_of(as_file(placed(a_header(250, 200, 100, 1), places), WORDS[:1]))


@pytest.mark.parametrize(
    ("attributes", "refusal", "reason"),
    [
        ({"TotalPixelMatrixColumns": 350}, MalformedSlide, "6 frames where its matrix asks for 8"),
        ({"TotalPixelMatrixColumns": 2**32 - 1, "TotalPixelMatrixRows": 2**32 - 1}, MalformedSlide, "asks for"),
        ({"NumberOfFrames": 2_000_000_000}, LimitExceeded, "frames of a slide's instance"),
        ({"TotalPixelMatrixFocalPlanes": 2**31}, MalformedSlide, "asks for"),
        ({"TotalPixelMatrixColumns": 0}, MalformedSlide, "how large it is"),
    ],
)
def test_sizes_that_contradict_the_frames_are_refused(attributes, refusal, reason):
    with pytest.raises(refusal, match=reason):
        index_of(numbered(250, 200, 6, **attributes))


def test_a_frame_of_65535_pixels_a_side_is_refused_before_any_decoder():
    huge = as_file(a_header(65535, 65535, 65535, 1), [b"\xff\xd8"])

    with pytest.raises(LimitExceeded, match="pixels of a tile's side"):
        index_of(huge)


def test_a_table_that_leads_past_the_end_is_not_believed():
    file = a_volume(128, 64, table="basic")
    begun = file.index(b"\xfe\xff\x00\xe0\x08\x00\x00\x00")
    lying = bytearray(file)
    lying[begun + 12 : begun + 16] = (0x7FFFFFFF).to_bytes(4, "little")

    assert index_of(bytes(lying)).levels[0].offsets.tolist() == index_of(file).levels[0].offsets.tolist()


def test_frames_in_several_fragments_are_told_apart_or_refused():
    file = a_volume(64, 64, table="none")
    head = file.rindex(b"\xfe\xff\x00\xe0")
    length = int.from_bytes(file[head + 4 : head + 8], "little")
    cut = (
        file[: head + 4] + (100).to_bytes(4, "little") + file[head + 8 : head + 108]
        + b"\xfe\xff\x00\xe0" + (length - 100).to_bytes(4, "little") + file[head + 108 :]
    )  # fmt: skip

    with pytest.raises(MalformedSlide, match="several fragments"):
        index_of(cut)


def test_too_many_instances_are_refused(monkeypatch):
    monkeypatch.setattr(dicom_slide, "FILES_MAX", 1)

    with pytest.raises(LimitExceeded, match="instances of a slide"):
        index_of(a_volume(), a_volume(150, 100))


def test_a_slide_without_a_volume_is_none():
    with pytest.raises(MalformedSlide, match="no volume image"):
        index_of(numbered(100, 100, 1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"]))


def test_native_tiles_become_jpeg():
    whole = texture(128, 64)
    frames = [one.tobytes() for one in tiles_of(whole, 64)]
    file = as_file(a_header(128, 64, 64, 2, PhotometricInterpretation="RGB"), frames, syntax=EXPLICIT)
    slide = slide_of(file)
    address = Address(0, 0, 0, 1, 0)

    def form(_: int) -> FrameForm:
        meta = read_file_meta(file)
        return form_of(file, meta.transfer_syntax_uid, meta.dataset_offset)

    made = slide.decoded(
        address, slide.octave(address), lambda span: file[span.offset : span.offset + span.length], form
    )

    assert made is not None
    assert np.abs(pixels_of(made).astype(int) - whole[:, 64:]).mean() < 3


def test_tiles_are_of_the_colours_that_they_say_themselves_and_else_of_those_that_the_header_says():
    def colours(frames: list[bytes]) -> str:
        header = a_header(128, 64, 64, len(frames), PhotometricInterpretation="RGB")
        return index_of(as_file(header, frames)).levels[0].colour

    jfif = jpeg(texture(64, 64))
    unmarked = jfif[:2] + jfif[4 + int.from_bytes(jfif[4:6], "big") :]
    assert jfif[2:4] == b"\xff\xe0"

    assert colours([jfif, jfif]) == "YCbCr"
    assert colours([unmarked, unmarked]) == "RGB"
    assert colours([jpeg(texture(64, 64), keep_rgb=True)] * 2) == "RGB"
    assert colours([b"no JPEG!", b"no JPEG!"]) == "RGB"


def test_pixels_of_a_real_slide_are_openslide_s_own_where_it_has_the_colours_right(samples):
    files = sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))
    contents = [file.read_bytes() for file in files]
    slide = slide_of(*contents)

    with openslide.OpenSlide(files[0]) as peer:
        assert [(one.width, one.height) for one in slide.octaves] == list(peer.level_dimensions)
        for octave, column, row in [(slide.octaves[0], 5, 6), *((one, 0, 0) for one in slide.octaves[1:4])]:
            tile = slide.stored(
                Address(0, 0, octave.number, column, row),
                octave,
                lambda span: contents[span.file][span.offset : span.offset + span.length],
            )
            region = peer.read_region((column * 240, row * 240), octave.number, (240, 240)).convert("RGB")
            assert tile is not None
            # OpenSlide shows the three components of the smaller levels as RGB, though they say JFIF: glass is pink.
            jfif = octave.number > 0
            theirs = Image.frombytes("YCbCr", region.size, region.tobytes()).convert("RGB") if jfif else region
            ours = pixels_of(tile).astype(int)  # beginnings, which no rounding moves
            assert np.abs(ours - np.asarray(theirs)).max() <= (2 if jfif else 0)


FUZZED = a_volume(128, 64, table="basic")


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(FUZZED) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_is_refused_in_our_own_words(damage):
    content = bytearray(FUZZED)
    for at, value in damage:
        content[at] = value

    told = ""
    try:
        index_of(bytes(content))
    except ExchangeError as error:
        told = str(error)

    assert "Hoa" not in told


def test_a_cut_off_file_is_refused():
    file = a_volume()
    for length in (len(file) // 2, len(file) - 100):
        with pytest.raises((MalformedInstance, MalformedSlide)):
            index_of(file[:length])


def test_nesting_without_end_is_refused():
    deep = a_header(100, 100, 100, 1)
    inner = deep
    for _ in range(LIMITS.depth_max + 2):
        level = Dataset()
        inner.OpticalPathSequence = DicomSequence([level])
        inner = level

    with pytest.raises(LimitExceeded, match="depth"):
        index_of(as_file(deep, [jpeg(texture(100, 100))]))


def test_a_slide_places_more_frames_than_a_header_has_elements_for(monkeypatch):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 1024)  # as of one with too many elements
    frames = 5_500
    slide = many_placed(frames, across=1024)

    (level,) = index_dicom([Instance(slide, JPEG_BASELINE, 0)]).levels

    for column, row in ((0, 0), (1023, 0), (17, 4), ((frames - 1) % 1024, (frames - 1) // 1024)):
        span = level.span(level.number(column, row))
        assert slide[span.offset : span.offset + span.length] == (row * 1024 + column).to_bytes(4, "big")
    assert level.span(level.number(1023, level.rows - 1)).length == 0
    assert len(form_of(slide, JPEG_BASELINE, 0).header.buffer) < 10_000  # of what each frame says nothing is kept


@pytest.mark.parametrize("told", [39, 41])
def test_a_slide_that_places_more_or_fewer_frames_than_it_has_is_refused(told):
    slide = many_placed(40, across=8).replace(b"IS\x02\x0040", b"IS\x02\x00%d" % told)

    with pytest.raises((MalformedSlide, MalformedInstance)):
        index_dicom([Instance(slide, JPEG_BASELINE, 0)])


@pytest.mark.parametrize(
    ("syntax", "coding"),
    [
        (JPEG_2000_LOSSLESS, "jpeg2000"),
        (HTJ2K_LOSSLESS, "htj2k"),
        (JPEG_LS_LOSSLESS, "jpegls"),
        (RLE_LOSSLESS, "rle"),
    ],
)
def test_compressed_tiles_that_browsers_do_not_show_become_jpeg(syntax, coding):
    whole = texture(128, 64)
    header = a_header(128, 64, 64, 2, PhotometricInterpretation="RGB")
    image = ImagePixel(0x7FE00010, 1, 64, 64, 3, "RGB", 8, 8, 7, 0, 0)
    frames = [encode(one, image, syntax, is_rgb=True, quality=90) for one in tiles_of(whole, 64)]
    if syntax in JPEG_2000_FAMILY:
        header.PhotometricInterpretation = ENCODERS[syntax].rgb_becomes
    file = as_file(header, frames, syntax=syntax)
    slide = slide_of(file)
    address = Address(0, 0, 0, 1, 0)

    made = slide.decoded(
        address,
        slide.octave(address),
        lambda span: file[span.offset : span.offset + span.length],
        lambda _: form_of(file, syntax, read_file_meta(file).dataset_offset),
    )

    assert slide.index.levels[0].coding == coding
    assert made is not None
    assert np.abs(pixels_of(made).astype(int) - whole[:, 64:]).mean() < 3


def test_a_codestream_that_lies_about_its_size_is_refused_by_the_decoding_process():
    image = ImagePixel(0x7FE00010, 1, 64, 64, 3, "RGB", 8, 8, 7, 0, 0)
    small = encode(texture(32, 32), image, JPEG_LS_LOSSLESS, is_rgb=True, quality=90)
    file = as_file(a_header(64, 64, 64, 1, PhotometricInterpretation="RGB"), [small], syntax=JPEG_LS_LOSSLESS)
    slide = slide_of(file)
    address = Address(0, 0, 0, 0, 0)

    with pytest.raises(MalformedInstance):
        slide.decoded(
            address,
            slide.octave(address),
            lambda span: file[span.offset : span.offset + span.length],
            lambda _: form_of(file, JPEG_LS_LOSSLESS, read_file_meta(file).dataset_offset),
        )


@pytest.mark.parametrize(("length", "carried"), [(ICC_SPLICED_BYTES_MAX, True), (ICC_SPLICED_BYTES_MAX + 2, False)])
def test_a_profile_is_in_the_tiles_of_every_octave_or_in_none(length, carried):
    path = an_optical_path("1", "Brightfield")
    path.ICCProfile = b"p" * length
    volume = a_volume(OpticalPathSequence=DicomSequence([path]))
    slide = slide_of(volume)

    def tile(address: Address) -> bytes:
        return slide.stored(address, slide.octave(address), lambda span: volume[span.offset :][: span.length])

    coarse = slide.reduced(Address(0, 0, 1, 0, 0), slide.octaves[1], tile)

    for made in (tile(Address(0, 0, 0, 0, 0)), coarse):
        assert (b"ICC_PROFILE" in made) is carried
