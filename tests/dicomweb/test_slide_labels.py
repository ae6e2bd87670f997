"""The label of a slide, and whatever else is not its tissue, is not there for who has no right to see it."""

import pytest

from kernel import audit
from kernel.access import Action, Principal
from kernel.access.principal import ROLE_SCOPES, Role, Scope
from kernel.archive.index import locate_study
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import SERIES, STUDY, a_header, a_volume, as_file

STUDY_URL, SERIES_URL = f"/dicom-web/studies/{STUDY}", f"/dicom-web/studies/{STUDY}/series/{SERIES}"
LABEL = "1.2.3.1.1.64"
READ, LABELS = ("dicomweb:read", "api:read"), ("dicomweb:read", "api:read", "labels:read")


def a_label(flavour: str = "LABEL", width: int = 64, **attributes) -> bytes:
    """Make a picture of one tile; the header denies, as converters do, that anything is burned in."""
    header = a_header(width, 48, 64, 1, ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"], **attributes)
    header.BurnedInAnnotation = "NO"
    return as_file(header, [jpeg(texture(64, 64))])


@pytest.fixture
def slide(node):
    assert node.store(a_volume(), a_label(), a_label("OVERVIEW", 63), a_label("THUMBNAIL", 62)).status_code == 200
    return node


def uids(answer) -> set[str]:
    return {one["00080018"]["Value"][0] for one in answer.json()}


TISSUE = {"1.2.3.1.1.300", "1.2.3.1.1.62"}
BESIDE = {LABEL, "1.2.3.1.1.63"}


def test_readers_do_not_have_the_right():
    assert [role for role in Role if Scope.LABELS_READ in ROLE_SCOPES[role]] == [Role.ADMIN]


@pytest.mark.parametrize("path", [f"{STUDY_URL}/metadata", f"{SERIES_URL}/metadata", f"{SERIES_URL}/instances"])
def test_metadata_and_search_leave_labels_out(slide, path):
    without, with_right = slide.a_token(*READ), slide.a_token(*LABELS)

    for _ in range(2):  # the second answer is a remembered one
        assert uids(slide.get(path, without)) == TISSUE
        assert uids(slide.get(path, with_right)) == TISSUE | BESIDE


@pytest.mark.parametrize(
    "what",
    ["", "/metadata", "/frames/1", "/frames/1/rendered", "/rendered", "/thumbnail", "/bulkdata", "/pixeldata"],
)
def test_an_instance_that_shows_the_label_is_not_there(slide, what):
    without, with_right = slide.a_token(*READ), slide.a_token(*LABELS)
    path = f"{SERIES_URL}/instances/{LABEL}{what}"

    assert slide.get(path, with_right).status_code == 200
    assert slide.get(path, without).status_code == 404  # though it was just served, and is remembered


def looks_at_labels(node) -> int:
    with node.db.read() as connection:
        return sum(line.detail.get("what") == "slide label" for line in audit.of_study(connection, STUDY))


def test_whole_studies_and_series_are_retrieved_without_labels(slide):
    without, with_right = slide.a_token(*READ), slide.a_token(*LABELS)

    for path in (STUDY_URL, SERIES_URL):
        assert slide.get(path, without).content.count(b"Content-Type: application/dicom") == 2
    assert looks_at_labels(slide) == 0
    for path in (STUDY_URL, SERIES_URL):
        assert slide.get(path, with_right).content.count(b"Content-Type: application/dicom") == 4
    assert looks_at_labels(slide) == 1


def test_pictures_of_a_whole_study_tell_the_look_at_its_labels(slide):
    assert slide.get(f"{STUDY_URL}/rendered", slide.a_token(*LABELS)).status_code == 200

    assert looks_at_labels(slide) == 1


@pytest.mark.parametrize("what", ["bulkdata", "pixeldata"])
def test_all_bulk_data_are_given_without_labels(slide, what):
    without, with_right = slide.a_token(*READ), slide.a_token(*LABELS)

    for path in (STUDY_URL, SERIES_URL):
        shown = {uid for uid in TISSUE | BESIDE if f"/{uid}/".encode() in slide.get(f"{path}/{what}", without).content}
        every = {
            uid for uid in TISSUE | BESIDE if f"/{uid}/".encode() in slide.get(f"{path}/{what}", with_right).content
        }
        assert (shown, every) == (TISSUE, TISSUE | BESIDE)
    assert looks_at_labels(slide) == 1


def test_a_volume_that_says_the_label_is_in_it_is_no_tissue(node):
    node.store(a_volume(SpecimenLabelInImage="YES"), a_label("THUMBNAIL", 62), a_label("", 61))

    assert uids(node.get(f"{SERIES_URL}/instances", node.a_token(*READ))) == {"1.2.3.1.1.62"}


def test_a_look_at_a_label_is_an_audit_line_of_its_own(slide):
    token = slide.a_token(*LABELS)

    for _ in range(3):
        slide.get(f"{SERIES_URL}/instances/{LABEL}/frames/1/rendered", token)

    assert looks_at_labels(slide) == 1


def test_a_slide_in_the_reading_room_names_what_its_reader_may_see(slide):
    """The description is of what the grant has: without the right the slide has no label at all."""
    for scopes, count in ((READ, 2), (LABELS, 4)):
        principal = Principal("one", "token", frozenset(), frozenset(map(Scope, scopes)))
        grant = slide.access.open_study(principal, STUDY, Action.INSTANCES_ACCESSED, "127.0.0.1")
        with slide.db.read() as connection:
            assert len(locate_study(connection, grant)) == count
