"""Frames in steps: three answers that together are the stored image, kept beside the original and gone with it."""

import io

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image

from kernel.access.studies import StudyGrant
from kernel.archive.derived.tier_maker import TierMaker
from kernel.archive.derived.tiers import TIERS, Tiers
from kernel.archive.index import locate_study
from kernel.clock import ManualClock
from tests.dicomweb.conftest import running_node
from tests.dicomweb.test_deletion import reclaimed, remove
from tests.dicomweb.test_wado import url_of
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine, as_file, with_pixels

JPEG_BASELINE, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"


def tiers_of(node, ds, frame=1):
    return [node.get(f"{url_of(ds)}/frames/{frame}/tiers/{number}") for number in range(TIERS)]


def samples_of(ds):
    return np.frombuffer(ds.PixelData, "<i2" if ds.PixelRepresentation else "<u2").reshape(ds.Rows, ds.Columns)


def copies(node):
    return sorted(path.name for folder in node.blobs.all_made() for path in folder.iterdir())


def a_detailed_ct(**attributes):
    """Return a CT slice of 512 x 512 with structures and noise, signed."""
    rows, columns = np.mgrid[0:512, 0:512]
    waves = 400 * np.sin(columns / 11) * np.cos(rows / 17) + np.random.default_rng(3).normal(0, 12, (512, 512))
    return with_pixels(a_ct(**attributes), waves.astype(np.int16))


@pytest.mark.parametrize(
    "ds",
    [a_detailed_ct(seed="tiers"), a_cr(seed="tiers of a radiograph"), a_ct(seed="odd", rows=37, columns=301)],
    ids=["signed CT", "MONOCHROME1 of 12 bits", "odd sizes"],
)
def test_the_tiers_of_a_frame_are_its_samples_without_loss(archive, ds):
    archive.store(ds)

    answers = tiers_of(archive, ds)

    codestream = b"".join(answer.content for answer in answers)
    assert np.array_equal(imagecodecs.htj2k_decode(codestream), samples_of(ds))
    for answer in answers:
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "application/octet-stream"


def test_the_first_tier_alone_is_the_image_at_a_quarter_and_the_second_makes_it_a_half(archive):
    ds = a_detailed_ct(seed="sizes")
    archive.store(ds)

    first, second, third = (answer.content for answer in tiers_of(archive, ds))

    for prefix, scale in ((first, 4), (first + second, 2)):
        smaller = imagecodecs.htj2k_decode(prefix, skipres=scale // 2, resilient=True)
        blocks = samples_of(ds).reshape(512 // scale, scale, 512 // scale, scale).mean(axis=(1, 3))
        assert smaller.shape == blocks.shape
        assert np.abs(smaller - blocks).mean() < 30  # of some 800: another filter, the same picture
    sizes = [len(first), len(second), len(third)]
    native = 512 * 512 * 2
    assert sizes[0] < native / 20
    assert sizes[0] < sizes[1] < sizes[2]
    assert sum(sizes) < native


def test_a_tier_that_the_browser_has_is_not_sent_again(archive):
    ds = a_ct(seed="known")
    archive.store(ds)
    first, second, _ = tiers_of(archive, ds)

    again = archive.get(f"{url_of(ds)}/frames/1/tiers/0", **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["etag"] != second.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("1/tiers/3", 404), ("2/tiers/0", 404), ("1/tiers/x", 400), ("1,2/tiers/0", 400), ("0/tiers/0", 400)],
)
def test_what_is_no_tier_of_a_frame_is_refused(archive, path, status):
    ds = a_ct(seed="refused")
    archive.store(ds)

    assert archive.get(f"{url_of(ds)}/frames/{path}").status_code == status


def test_colour_and_what_lost_detail_already_have_no_tiers(archive):
    cine = an_us_cine(seed="colour")
    lossy = with_pixels(a_cr(seed="lossy"), np.zeros((64, 64), np.uint8))
    frame = io.BytesIO()
    Image.new("L", (64, 64), 90).save(frame, "JPEG")
    lossy.PixelData = pydicom.encaps.encapsulate([frame.getvalue()])
    archive.store(cine, as_file(lossy, JPEG_BASELINE))

    for ds in (cine, lossy):
        assert [answer.status_code for answer in tiers_of(archive, ds)] == [406] * TIERS


def test_other_lossless_syntaxes_have_the_same_tiers(archive):
    ds = a_ct(seed="rle")
    expected = samples_of(ds)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.compress(RLE, encoding_plugin="pydicom")
    archive.store(as_file(ds, RLE))

    codestream = b"".join(answer.content for answer in tiers_of(archive, ds))

    assert np.array_equal(imagecodecs.htj2k_decode(codestream), expected)


def test_without_leave_to_read_the_study_there_is_no_tier(archive):
    ds = a_ct(seed="denied")
    archive.store(ds)
    elsewhere = archive.a_token("dicomweb:read", site="BV2")

    path = f"{url_of(ds)}/frames/1/tiers/0"
    assert archive.get(path, token=elsewhere).status_code == 404
    assert archive.get(path, token=None).status_code == 401


def test_copies_are_kept_once_asked_for_and_go_with_the_instance(node):
    ds = a_ct()
    node.store(ds)
    tiers_of(node, ds)
    assert copies(node) == ["1.jhc"]

    assert remove(node, ds, force="true").status_code == 204
    reclaimed(node)

    assert list(node.blobs.all_made()) == []


def test_a_copy_that_is_gone_is_made_again(node):
    ds = a_ct()
    node.store(ds)
    before = [answer.content for answer in tiers_of(node, ds)]
    for folder in node.blobs.all_made():
        (folder / "1.jhc").unlink()

    assert [answer.content for answer in tiers_of(node, ds)] == before


def located_in(node, ds):
    """Where a study's instances are, as the index says."""
    with node.db.read() as connection:
        return locate_study(connection, StudyGrant("BV1", ds.StudyInstanceUID, trace_id="", holder="test"))


def test_the_oldest_copies_are_given_up_when_there_are_too_many_bytes(node):
    slices = list(a_ct_series(6))
    node.store(*slices)
    located = located_in(node, slices[0])
    one = len(b"".join(answer.content for answer in tiers_of(node, slices[0])))
    tiers = Tiers(node.blobs, bytes_max=int(3.5 * one))

    for each in located:
        tiers.make(each)

    assert 1 <= len(copies(node)) <= 3
    kept = {folder.name for folder in node.blobs.all_made()}
    assert located[-1].blob_key.split("/")[1] in kept
    assert located[0].blob_key.split("/")[1] not in kept


def test_a_bound_of_nothing_keeps_nothing_and_still_answers(tmp_path):
    with running_node(tmp_path / "node", tiers_bytes_max=0) as node:
        ds = a_ct()
        node.store(ds)

        assert [answer.status_code for answer in tiers_of(node, ds)] == [200] * TIERS
        assert copies(node) == []


def test_complete_studies_have_their_copies_before_anybody_asks_once_the_node_is_quiet(node):
    tiers = Tiers(node.blobs, 1 << 30)
    maker = TierMaker(node.db, tiers, ManualClock())
    slices = list(a_ct_series(3))
    node.store(*slices)
    node.committer.settle_quiet(0)

    assert maker.look() == 0  # something was written since the look before
    assert maker.look() == 3
    assert len(copies(node)) == 3
    assert maker.look() == 0
