"""A slide of more frames than a header has room for is de-identified frame by frame, searched, and given as any other."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from anonymizer.engine import frame_groups
from anonymizer.profiles.profile import load
from anonymizer.release import Held, Released, release
from anonymizer.residue.search import find, needles_of
from kernel.dicom.scanning import scanner
from kernel.dicom.scanning.elements import UNDEFINED, Header
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan, scan_every_frame
from kernel.errors import LimitExceeded
from tests.anonymizer.conftest import read
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import Place, a_header, as_file, placed

FRAMES = 40
FROM = "1.2.826.77.1"  # what every frame is derived from


@pytest.fixture(autouse=True)
def treated_as_one_of_many_frames(monkeypatch):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 1024)


def a_slide(comment: str = "Nguyen Thi Hoa", sources: int = 1, **attributes) -> bytes:
    """Make a TILED_SPARSE slide whose frames tell what they are derived from, and one of them who the patient is."""
    ds = placed(a_header(8 * FRAMES, 8, 8, FRAMES, **attributes), [Place(8 * at + 1, 1) for at in range(FRAMES)])
    for number, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        source, derivation, content = Dataset(), Dataset(), Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = ds.SOPClassUID, f"{FROM}.{number % sources}"
        derivation.SourceImageSequence = DicomSequence([source])
        group.DerivationImageSequence = DicomSequence([derivation])
        content.DimensionIndexValues = [number + 1, 1]
        if number == 17:
            content.FrameComments = comment
            group.add_new(0x00091010, "LO", "Hoa")
        group.FrameContentSequence = DicomSequence([content])
    return as_file(ds, [jpeg(texture(8, 8))] * FRAMES)


def header_of(source: bytes, scanning=scan_every_frame) -> Header:
    meta = read_file_meta(source)
    return scanning(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)


def released(source: bytes, keys, scanning=scan_every_frame) -> Released | Held:
    return release(source, header_of(source, scanning), profile=load("basic"), keys=keys, issuer=keys.site)


def test_it_becomes_byte_for_byte_what_it_becomes_when_all_frames_are_kept_in_memory(keys):
    source = a_slide()

    one_by_one, whole = released(source, keys), released(source, keys, scan)

    assert isinstance(one_by_one, Released)
    assert isinstance(whole, Released)
    assert not isinstance(header_of(source).index[0x52009230].items, tuple)  # they are not
    assert one_by_one.made.to_bytes(source) == whole.made.to_bytes(source)
    assert one_by_one.made.record == whole.made.record
    assert one_by_one.made.vault_entries == whole.made.vault_entries


def test_its_frames_lie_where_they_lay_refer_to_new_uids_and_name_nobody(keys):
    source = a_slide()

    result = released(source, keys)

    assert isinstance(result, Released)
    new = result.made.to_bytes(source)
    groups = read(new).PerFrameFunctionalGroupsSequence
    places = [one.PlanePositionSlideSequence[0].ColumnPositionInTotalImagePixelMatrix for one in groups]
    assert places == [8 * at + 1 for at in range(FRAMES)]
    (uid,) = {one.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID for one in groups}
    assert uid.startswith("2.25.")
    assert b"Hoa" not in new
    assert FROM.encode() not in new
    assert 0x00091010 not in groups[17]


def test_the_search_knows_the_uids_and_names_that_only_its_frames_tell():
    needles = needles_of(header_of(a_slide()))

    findings = find(b"derived from " + FROM.encode() + b".0 ", needles)

    assert [one.kind for one in findings] == ["uid"]


def test_what_its_frames_still_tell_is_found():
    needles = needles_of(header_of(a_slide()))

    assert {"uid", "name"} <= {one.kind for one in find(a_slide(), needles)}


def test_frames_without_anything_to_change_are_copied_with_delimiters_and_with_lengths(keys):
    ds = placed(a_header(8 * FRAMES, 8, 8, FRAMES), [Place(8 * at + 1, 1) for at in range(FRAMES)])
    for undefined in (False, True):
        ds["PerFrameFunctionalGroupsSequence"].is_undefined_length = undefined
        for group in ds.PerFrameFunctionalGroupsSequence:
            group.is_undefined_length_sequence_item = undefined
        source = as_file(ds, [jpeg(texture(8, 8))] * FRAMES)
        groups = header_of(source).index[0x52009230]
        assert (groups.length == UNDEFINED) is undefined

        result = released(source, keys)

        assert isinstance(result, Released)
        assert source[groups.start : groups.end] in result.made.head


@pytest.mark.parametrize("undefined", [False, True])
def test_frames_that_change_keep_their_form(keys, undefined):
    source = read(a_slide())
    source["PerFrameFunctionalGroupsSequence"].is_undefined_length = undefined
    for group in source.PerFrameFunctionalGroupsSequence:
        group.is_undefined_length_sequence_item = undefined
    frames = [jpeg(texture(8, 8))] * FRAMES
    del source.PixelData, source.file_meta
    slide = as_file(source, frames)
    assert (header_of(slide).index[0x52009230].length == UNDEFINED) is undefined

    result, whole = released(slide, keys), released(slide, keys, scan)

    assert isinstance(result, Released)
    assert isinstance(whole, Released)
    assert result.made.to_bytes(slide) == whole.made.to_bytes(slide)


@pytest.mark.parametrize(("limit", "value"), [("TELLING_MAX", 79), ("UIDS_MAX", 3)])
def test_more_uids_than_are_noted_are_refused(keys, monkeypatch, limit, value):
    slide = a_slide(sources=3)  # and their SOP class
    released(slide, keys)

    monkeypatch.setattr(frame_groups, limit, value)

    with pytest.raises(LimitExceeded, match=f"{limit} exceeded"):
        released(slide, keys)


def test_more_bytes_than_are_written_anew_are_refused(keys, monkeypatch):
    monkeypatch.setattr(scanner, "EVERY_FRAME_BYTES_MAX", 4096)

    with pytest.raises(LimitExceeded, match="EVERY_FRAME_BYTES_MAX exceeded"):
        released(a_slide(), keys)


def test_a_header_that_leaves_its_frames_out_is_never_taken(keys):
    source = a_slide()

    with pytest.raises(AssertionError):
        released(source, keys, scanner.scan_apart)
