"""A vendor's slide becomes DICOM without a pixel being coded anew, and other software reads it."""

import io
import subprocess

import numpy as np
import openslide
import pydicom
import pytest
from wsidicom import WsiDicom
from wsidicom.codec import LossyCompressionIsoStandard
from wsidicom.geometry import PointMm, SizeMm
from wsidicom.metadata import (
    Equipment,
    Image,
    ImageCoordinateSystem,
    ImageType,
    Label,
    LossyCompression,
    Objectives,
    OpticalPath,
    Patient,
    Pyramid,
    Series,
    Slide,
    SlideSample,
    Study,
    WsiMetadata,
)
from wsidicom.metadata.schema.dicom.wsi import WsiMetadataDicomSchema

from kernel.dicom.pixels.frames import locate_frames
from kernel.dicom.pixels.image import image_pixel
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import MalformedSlide
from tests.wsi.builders import SHORT, Field, Picture, a_level, a_tiff, an_svs, pixels_of, texture
from tests.wsi.dicom_builders import index_of as dicom_index_of
from wsi.convert import Converter, Part, parts_of, slide_digest
from wsi.dicom_elements import encoded
from wsi.dicom_header import Identity, header_of
from wsi.jpeg import segments
from wsi.tiff_slide import index_tiff
from wsi.tile_index import Glass

SVS = an_svs()


def converted(content: bytes, folder, *, part_bytes_max: int = 1 << 40, identity: Identity | None = None):
    index = index_tiff(content)

    def read(at: int, length: int) -> bytes:
        return content[at : at + length]

    digest = slide_digest(read, len(content), index)
    converter = Converter(read, index, identity or Identity(), digest)
    parts = list(parts_of(index, part_bytes_max))
    paths = [folder / f"{number}.dcm" for number in range(len(parts))]
    for part, path in zip(parts, paths, strict=True):
        converter.write(part, path)
    return paths


def dciodvfy_errors(path) -> list[str]:
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]


def scan_bytes(tile: bytes) -> bytes:
    """Return the entropy-coded bytes of a JPEG: all that was ever encoded."""
    *_, start = segments(tile)
    return tile[start.start :].rstrip(b"\0")


def test_every_stored_tile_is_a_frame_byte_for_byte(tmp_path):
    for level, path in zip(index_tiff(SVS).levels, converted(SVS, tmp_path), strict=True):
        ds = pydicom.dcmread(path)
        frames = list(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=ds.NumberOfFrames))

        assert len(frames) == len(level.offsets)
        for number, frame in enumerate(frames):
            span = level.span(number)
            assert scan_bytes(frame) == scan_bytes(SVS[span.offset : span.offset + span.length])


@pytest.mark.peer("dicom3tools")
def test_what_is_written_has_no_errors(tmp_path):
    for path in converted(SVS, tmp_path, identity=Identity("BN-1", container="K26-1", stain="HE")):
        assert dciodvfy_errors(path) == []


def test_a_stain_that_was_told_is_said_as_a_step_of_the_preparation(tmp_path):
    for path in converted(SVS, tmp_path, identity=Identity(container="K26-1", stain="Ziehl-Neelsen đỏ")):
        ds = pydicom.dcmread(path)
        (step,) = ds.SpecimenDescriptionSequence[0].SpecimenPreparationSequence
        told = step.SpecimenPreparationStepContentItemSequence
        names = [item.ConceptNameCodeSequence[0].CodeMeaning for item in told]
        assert names == ["Specimen Identifier", "Processing type", "Using substance"]
        assert [item.get("TextValue") for item in told] == ["K26-1", None, "Ziehl-Neelsen đỏ"]
        assert told[1].ConceptCodeSequence[0].CodeValue == "127790008"
        assert dicom_index_of(path.read_bytes()).glass == Glass("K26-1", (), ("Ziehl-Neelsen đỏ",))


def test_openslide_reads_the_same_pixels_from_both(tmp_path):
    (tmp_path / "a.svs").write_bytes(SVS)
    (folder := tmp_path / "dicom").mkdir()
    first, *_ = converted(SVS, folder)

    with openslide.OpenSlide(tmp_path / "a.svs") as vendor, openslide.OpenSlide(first) as ours:
        assert ours.level_dimensions == vendor.level_dimensions
        for level, size in enumerate(vendor.level_dimensions):
            theirs = np.asarray(vendor.read_region((0, 0), level, size).convert("RGB"))
            assert np.array_equal(np.asarray(ours.read_region((0, 0), level, size).convert("RGB")), theirs)
        assert float(ours.properties["openslide.mpp-x"]) == pytest.approx(0.252)
        assert ours.properties["openslide.objective-power"] == "40"


@pytest.mark.peer("dicom3tools")
def test_a_real_slide_is_read_by_wsidicom_and_openslide(samples, tmp_path):
    path = samples / "slides" / "CMU-1-Small-Region.svs"
    (first,) = converted(path.read_bytes(), tmp_path)

    with openslide.OpenSlide(path) as vendor, openslide.OpenSlide(first) as ours, WsiDicom.open(first) as peer:
        theirs = np.asarray(vendor.read_region((1000, 1000), 0, (700, 500)).convert("RGB"))
        assert np.array_equal(np.asarray(ours.read_region((1000, 1000), 0, (700, 500)).convert("RGB")), theirs)
        assert np.array_equal(np.asarray(peer.read_region((1000, 1000), 0, (700, 500)).convert("RGB")), theirs)
    assert dciodvfy_errors(first) == []


def test_this_node_finds_the_frames_by_their_table(tmp_path):
    content = converted(SVS, tmp_path)[0].read_bytes()
    meta = read_file_meta(content)
    header = scan(content, meta.transfer_syntax_uid, offset=meta.dataset_offset)

    frames = locate_frames(content, header, image_pixel(header))

    assert frames.number_of_frames == len(frames.lengths) == 48
    assert pixels_of(frames.read(content, 47)).shape == (64, 64, 3)


@pytest.mark.peer("dicom3tools")
def test_a_large_level_is_cut_into_a_concatenation(tmp_path):
    paths = converted(SVS, tmp_path, part_bytes_max=20_000)
    parts = [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]
    finest = [ds for ds in parts if ds.TotalPixelMatrixColumns == 500]

    assert len(finest) > 1
    assert len({ds.ConcatenationUID for ds in finest}) == 1
    assert len({ds.SOPInstanceUID for ds in parts}) == len(parts)
    assert [ds.InConcatenationNumber for ds in finest] == list(range(1, len(finest) + 1))
    assert finest[0].ConcatenationFrameOffsetNumber == 0
    assert sum(ds.NumberOfFrames for ds in finest) == 48
    for path in paths:  # dciodvfy expects every part of a concatenation to have all frames
        assert [error for error in dciodvfy_errors(path) if "NumberOfFrames does not match" not in error] == []
    with WsiDicom.open(paths) as peer:
        assert (peer.size.width, peer.size.height) == (500, 380)


def test_uids_are_the_same_whenever_a_slide_is_converted_and_differ_between_slides(tmp_path):
    def uids(content: bytes, name: str) -> list[str]:
        (folder := tmp_path / name).mkdir()
        read = [pydicom.dcmread(path, stop_before_pixels=True) for path in converted(content, folder)]
        return [uid for ds in read for uid in (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)]

    assert uids(SVS, "a") == uids(SVS, "b")
    assert not set(uids(SVS, "c")) & set(uids(a_tiff(*[a_generic()]), "d"))


def test_whose_slide_it_is_comes_from_the_caller_alone(tmp_path):
    identity = Identity(patient_id="BN-1", patient_name="Nguyễn^Văn", accession_number="GPB-7", container="K26-1")

    ds = pydicom.dcmread(converted(SVS, tmp_path, identity=identity)[0])

    assert (ds.PatientID, str(ds.PatientName), ds.AccessionNumber) == ("BN-1", "Nguyễn^Văn", "GPB-7")
    assert ds.ContainerIdentifier == "K26-1"
    assert b"Tran Van A" in SVS
    assert b"Tran Van A" not in (tmp_path / "0.dcm").read_bytes()


def test_where_nothing_was_scanned_there_is_glass(tmp_path):
    level = a_generic()
    sparse = a_tiff(Picture(dict(level.fields), [b"", *level.pieces[1:]]))

    ds = pydicom.dcmread(converted(sparse, tmp_path)[0])

    frames = list(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=ds.NumberOfFrames))
    assert (pixels_of(frames[0]) >= 254).all()
    assert ds.PhotometricInterpretation == "YBR_FULL_422"


def test_a_slide_without_a_scale_or_of_other_tiles_than_jpeg_is_refused(tmp_path):
    with pytest.raises(MalformedSlide, match="microns"):
        converted(a_tiff(a_level(texture(64, 64))), tmp_path)
    native = Picture(dict(a_level(texture(64, 64), COMPRESSION=Field(SHORT, [1])).fields), [texture(64, 64).tobytes()])
    with pytest.raises(MalformedSlide, match="no JPEGs"):
        converted(a_tiff(native), tmp_path)


def test_a_tile_that_lies_leaves_no_file(tmp_path):
    level = a_generic()
    lying = a_tiff(
        Picture(dict(level.fields), [level.pieces[0], a_level(texture(32, 32), tile=32).pieces[0], *level.pieces[2:]])
    )

    with pytest.raises(MalformedSlide, match="size"):
        converted(lying, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_tile_larger_than_a_part_is_a_part_of_its_own():
    index = index_tiff(SVS)

    parts = [part for part in parts_of(index, 1) if part.level == 0]

    assert parts[0] == Part(level=0, first=0, frames=1, number=1, parts=48)
    assert parts[-1].first == 47


def a_generic() -> Picture:
    resolution = Field(5, [(40000, 1)])
    return a_level(
        texture(150, 100), X_RESOLUTION=resolution, Y_RESOLUTION=resolution, RESOLUTION_UNIT=Field(SHORT, [3])
    )


@pytest.mark.parametrize("number", [0, 1])
def test_the_header_is_what_wsidicom_would_write(number):
    index = index_tiff(SVS)
    header = encoded(header_of(index, number, Identity(patient_id="BN-1", container="K26-1"), b"digest"))
    ours = pydicom.dcmread(io.BytesIO(header), force=True)
    spacing = SizeMm(*reversed(ours.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing))
    theirs = WsiMetadataDicomSchema().dump(
        WsiMetadata(
            study=Study(uid=ours.StudyInstanceUID),
            series=Series(uid=ours.SeriesInstanceUID, number=1),
            patient=Patient(identifier="BN-1"),
            equipment=Equipment(manufacturer="Leica Biosystems"),
            slide=Slide(
                identifier="K26-1",
                samples=[SlideSample("K26-1", uid=ours.SpecimenDescriptionSequence[0].SpecimenUID)],
            ),
            pyramid=Pyramid(
                image=Image(
                    pixel_spacing=spacing,
                    image_coordinate_system=ImageCoordinateSystem(PointMm(0, 0), rotation=0),
                    lossy_compressions=[
                        LossyCompression(LossyCompressionIsoStandard.JPEG_LOSSY, float(ours.LossyImageCompressionRatio))
                    ],
                ),
                optical_paths=[OpticalPath(objective=Objectives(objective_power=40.0))],
                uid=ours.PyramidUID,
            ),
            label=Label(),
            frame_of_reference_uid=ours.FrameOfReferenceUID,
            dimension_organization_uids=[ours.DimensionOrganizationSequence[0].DimensionOrganizationUID],
        ),
        ImageType.VOLUME,
        require_icc_profile=True,
    )
    # Made anew each time (a profile has its date), written with a zone that no scanner has, or optional.
    del theirs.OpticalPathSequence[0].ICCProfile, theirs.OpticalPathSequence[0].ColorSpace, theirs.AcquisitionDateTime
    del theirs.SharedFunctionalGroupsSequence  # the frame type is added to it by whoever writes frames

    for element in theirs:
        assert plain(ours[element.tag]) == plain(element), element.keyword


def plain(element):
    """Return a value as it is compared: sequences item by item, but for the profile; numbers as numbers."""
    if element.VR == "SQ":
        return [
            {one.keyword: plain(one) for one in item if one.keyword not in {"ICCProfile", "ColorSpace"}}
            for item in element.value
        ]
    if element.VR in {"DS", "FL"}:
        values = element.value if element.VM > 1 else [element.value]
        return [pytest.approx(float(value)) for value in values]
    return str(element.value or "")
