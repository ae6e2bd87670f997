"""The planted corpus: nothing of the patient is legible afterwards, and nothing that must survive is lost."""

import io
from collections import Counter

import pydicom
import pytest

from anonymizer.pdf.encapsulated import not_installed
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import Refused
from tests.anonymizer.corpus import Planted, corpus
from tests.anonymizer.corpus_frames import CODED, FRAMES
from tests.anonymizer.scoring import legible, lost, pixel_digest, references, unused_bits
from tests.anonymizer.test_pixel_cleaner import Sees
from tests.anonymizer.test_samples import errors_of

PROFILES = ("tele-read", "research", "basic")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what was planted


@pytest.fixture(scope="module")
def planted() -> list[Planted]:
    return [one for one in corpus() if not one.kind.startswith("pdf") or not not_installed()]


def given_away(one: Planted, keys, profile: str) -> bytes | str:
    """Return the new file, or why it is held."""
    meta = read_file_meta(one.source)
    header = scan(one.source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    cleaner = Cleaner() if one.kind.startswith("pdf") else None
    if one.written_at is not None:
        cleaner = Cleaner(Sees((one.written_at, "text")))
    try:
        result = release(one.source, header, profile=load(profile), keys=keys, issuer="bv-huyen", cleaner=cleaner)
    except Refused as refusal:
        return refusal.code
    if not isinstance(result, Released):
        return f"{result.because} {result.in_tag}"
    return result.pixel_review or result.made.to_bytes(one.source)


@pytest.fixture(scope="module")
def outputs(planted, keys) -> dict[str, list[bytes | str]]:
    return {profile: [given_away(one, keys, profile) for one in planted] for profile in PROFILES}


def test_there_are_a_few_hundred_of_many_kinds(planted):
    assert len(planted) > 240
    assert len({one.kind for one in planted}) > 40


def test_each_has_an_instance_uid_of_its_own(planted):
    """A tool that stores them, or names files by them, must not take one for another."""
    uids = [read_file_meta(one.source).sop_instance_uid for one in planted]

    assert len(set(uids)) == len(uids)


def test_the_corpus_is_what_it_says(planted):
    """Every instance shows what was planted before anything is done, so that a score means something."""
    for one in planted:
        assert legible(one.source, one.gone), one.kind


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_planted_is_legible_afterwards(planted, outputs, profile):
    leaks = Counter(
        (one.kind, string)
        for one, output in zip(planted, outputs[profile], strict=True)
        if isinstance(output, bytes)
        for string in legible(output, one.gone)
    )

    assert leaks == {}


@pytest.mark.parametrize("profile", PROFILES)
def test_only_what_cannot_be_cleaned_is_held(planted, outputs, profile):
    for one, output in zip(planted, outputs[profile], strict=True):
        expected = dict(one.reasons).get(profile)
        if profile in one.held:
            expected = "encapsulated-document" if one.written_at is None else "ultrasound"
        why = output if isinstance(output, str) else None
        assert why == expected or (one.kind in CODED and why is None), (
            one.kind
        )  # some look like numbers, and were removed


def test_nothing_that_must_survive_is_lost(planted, outputs):
    losses = Counter(
        (one.kind, path)
        for one, output in zip(planted, outputs["tele-read"], strict=True)
        if isinstance(output, bytes)
        for path in lost(output, one.stays)
    )

    assert losses == {}


def test_no_word_within_frames_is_left(planted, outputs):
    """Bytes alone are looked at: what a decoder does with them is another's test."""
    framed = [(one, output) for one, output in zip(planted, outputs["tele-read"], strict=True) if one.kind in FRAMES]

    assert {one.kind for one, output in framed if isinstance(output, bytes)} >= {
        "frames of JPEG",
        "frames of JPEG 2000",
    }
    for one, output in framed:
        words = one.person.plain.encode()
        assert words in one.source.partition(b"\xe0\x7f\x10\0")[2]
        assert isinstance(output, str) or words not in output


def test_pixels_are_bit_exact(planted, outputs):
    for one, output in zip(planted, outputs["tele-read"], strict=True):
        if isinstance(output, bytes):
            masked = one.written_at.grown(2, 2) if one.written_at else None  # with the mask's margin
            assert pixel_digest(output, masked) == pixel_digest(one.source, masked), one.kind


@pytest.mark.parametrize("profile", PROFILES)
def test_no_bit_that_is_no_samples_is_left(planted, outputs, profile):
    drawn = [(one, output) for one, output in zip(planted, outputs[profile], strict=True) if unused_bits(one.source)]

    assert {one.kind for one, _ in drawn} == {"unused bits"}
    assert {unused_bits(one.source) for one, _ in drawn} == {0b1011 << 12}
    assert {unused_bits(output) for _, output in drawn} == {0}


@pytest.mark.parametrize("profile", ["tele-read", "research"])
def test_a_name_in_one_frame_of_a_cine_is_black_in_every_frame(planted, outputs, profile):
    written = [(one, output) for one, output in zip(planted, outputs[profile], strict=True) if one.written_at]

    assert written
    for one, output in written:
        box = one.written_at
        before, after = (
            pydicom.dcmread(io.BytesIO(content)).pixel_array[:, box.top : box.bottom, box.left : box.right]
            for content in (one.source, output)
        )
        assert before[5].max() > 200
        assert after.max() <= before.min(axis=(1, 2)).max()


@pytest.mark.parametrize("profile", PROFILES)
def test_references_across_instances_and_studies_point_where_they_did(planted, outputs, profile):
    new_of: dict[str, str] = {}
    for one, output in zip(planted, outputs[profile], strict=True):
        if not isinstance(output, bytes):
            continue
        before, after = (pydicom.dcmread(io.BytesIO(content)) for content in (one.source, output))
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            old, new = getattr(before, keyword), getattr(after, keyword)
            assert new_of.setdefault(old, new) == new != old
        if profile == "tele-read" and one.kind in {"report", "key objects", "presentation state", "everywhere"}:
            olds, news = list(references(before)), list(references(after))
            assert [keyword for keyword, _ in olds] == [keyword for keyword, _ in news]
            for (_, old), (_, new) in zip(olds, news, strict=True):
                assert new_of.setdefault(old, new) == new
    assert len(set(new_of.values())) == len(new_of)


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize(
    "kind", ["plain", "a radiograph", "report", "key objects", "presentation state", "structure set"]
)
def test_dciodvfy_finds_no_new_errors(planted, outputs, kind, tmp_path):
    number = next(number for number, one in enumerate(planted) if one.kind == kind)
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(planted[number].source)
    output = outputs["tele-read"][number]
    assert isinstance(output, bytes)
    after.write_bytes(output)

    assert not errors_of(after) - errors_of(before)
