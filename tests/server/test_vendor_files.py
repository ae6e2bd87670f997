"""Where a laboratory wants it, a slide's file is kept as it came: for who may see labels, as long as its series is here."""

import errno
import io
import os
import shutil
import threading
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import openslide
import pytest
from PIL import Image

from consult.slides import vendor_files
from consult.slides.intake import SlideIntake
from consult.slides.vendor_files import VendorFiles, Whose
from exchange.node.assemble import slide_intake
from kernel import audit
from kernel.archive.records import Origin
from kernel.errors import LimitExceeded, MalformedSlide, NotFound, StorageFull
from tests.server.conftest import taking_in
from tests.wsi.builders import an_svs, texture
from tests.wsi.vendor_slides import an_mrxs
from wsi.dicom_header import Identity
from wsi.openslide_child import glass_pictures

SVS = an_svs()
ORIGIN = Origin("LOCAL", "upload", "slides-add", "", "", "one")


@pytest.fixture
def intake(room) -> SlideIntake:
    config = room.stores.config
    keeping = replace(config, archive=replace(config.archive, keep_vendor_files=True))
    return slide_intake(replace(room.stores, config=keeping), taking_in(room.stores)[1])


@pytest.fixture(autouse=True)
def glass(monkeypatch):
    """Look for no pictures of the glass, which takes a process; gives what does."""
    monkeypatch.setattr(vendor_files, "glass_pictures", lambda *_: None)
    return glass_pictures


@pytest.fixture
def slide(tmp_path):
    (tmp_path / "Tran Van A.svs").write_bytes(SVS)
    return tmp_path / "Tran Van A.svs"


def an_mrxs_of(folder):
    an_mrxs(texture(384, 256), folder / "Tran Van A.mrxs")
    return folder / "Tran Van A.mrxs"


def taken(intake: SlideIntake, slide, mpp: float = 0.0):
    return intake.take(slide, Identity("BN-1", container="K26-1"), mpp, ORIGIN, lambda *_: None)


def address(one) -> str:
    return f"/api/slides/{one.study_instance_uid}/{one.series_instance_uid}/vendor-file"


def folders(room) -> list[str]:
    root = room.stores.config.node.data / "vendor-slides"
    return [one.name for one in root.iterdir()] if root.exists() else []


def test_it_is_given_back_byte_for_byte_and_written_down(room, intake, slide):
    one = taken(intake, slide)

    with room.signed_in("root") as client:
        answer = client.get(address(one)).raise_for_status()

    assert answer.content == SVS
    assert answer.headers["content-disposition"] == f'attachment; filename="{one.series_instance_uid}.svs"'
    assert answer.headers["cache-control"] == "private, no-store"
    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, one.study_instance_uid)
    assert any("slide label" in str(line.detail) for line in lines)


def test_the_slides_description_says_where_it_is_to_whom_it_is_given(room, intake, slide):
    one = taken(intake, slide)
    described = address(one).removesuffix("/vendor-file")

    with room.signed_in("root") as client:
        assert client.get(described).json()["vendorFile"] == address(one)
        at_its_site = client.get(described, params={"site": "LOCAL"}).json()["vendorFile"]
        assert client.get(at_its_site).content == SVS
        shutil.rmtree(room.stores.config.node.data / "vendor-slides")
        assert client.get(described).json()["vendorFile"] is None


def test_the_pictures_of_its_label_and_glass_are_shown_to_whom_it_is_given(room, intake, slide, glass, monkeypatch):
    monkeypatch.setattr(vendor_files, "glass_pictures", glass)
    one = taken(intake, slide)
    described = address(one).removesuffix("/vendor-file")

    with room.signed_in("root") as client:
        told = client.get(described).json()["labels"]
        pictures = [client.get(label["picture"]).raise_for_status() for label in told]
        other = client.get(f"{address(one)}/about")
    with room.signed_in("lan") as client:
        assert client.get(described).json()["labels"] == []
        assert client.get(told[0]["picture"]).status_code == 404

    assert [(label["kind"], label["picture"]) for label in told] == [
        ("label", f"{address(one)}/label"),
        ("macro", f"{address(one)}/macro"),
    ]
    with openslide.OpenSlide(slide) as peer:
        for label, picture in zip(told, pictures, strict=True):
            assert picture.headers["cache-control"] == "private, no-store"
            assert Image.open(io.BytesIO(picture.content)).size == peer.associated_images[label["kind"]].size
    assert other.status_code == 404
    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, one.study_instance_uid)
    assert any("slide label" in str(line.detail) for line in lines)


def test_a_file_that_openslide_does_not_read_is_kept_without_pictures(room, intake, slide, monkeypatch):
    def refuses(*_: object) -> None:
        raise MalformedSlide(reason="OpenSlide is not installed")

    monkeypatch.setattr(vendor_files, "glass_pictures", refuses)
    one = taken(intake, slide)

    with room.signed_in("root") as client:
        assert client.get(address(one).removesuffix("/vendor-file")).json()["labels"] == []
        assert client.get(address(one)).content == SVS


def test_who_may_not_see_labels_is_told_that_there_is_none(room, intake, slide):
    one = taken(intake, slide)

    with room.signed_in("lan") as client:
        answer = client.get(f"/api/slides/{one.study_instance_uid}/{one.series_instance_uid}")
        assert (answer.status_code, answer.json()["vendorFile"]) == (200, None)
        assert client.get(address(one)).status_code == 404
    with room.client() as nobody:
        assert nobody.get(address(one)).status_code == 401


def test_a_node_keeps_none_unless_it_is_told_to(room, slide):
    one = taken(slide_intake(room.stores, taking_in(room.stores)[1]), slide)

    assert folders(room) == []
    with room.signed_in("root") as client:
        assert client.get(address(one)).status_code == 404


def test_it_goes_with_its_series_and_no_other(room, intake, slide, monkeypatch):
    one = taken(intake, slide)
    gone = Whose("LOCAL", one.study_instance_uid, "1.2.3")  # a series that is not here any more
    files = room.slides.vendor_files
    with monkeypatch.context() as then:
        then.setattr(VendorFiles, "_is_here", lambda *_: True)
        files.keep(slide, gone)
    assert len(folders(room)) == 2

    files.sweep()

    assert len(folders(room)) == 1
    with pytest.raises(NotFound):
        files.of(SimpleNamespace(site="LOCAL", study_instance_uid=gone.study_instance_uid, labels=True), "1.2.3")
    assert (
        files.of(
            SimpleNamespace(site="LOCAL", study_instance_uid=one.study_instance_uid, labels=True),
            one.series_instance_uid,
        ).path.read_bytes()
        == SVS
    )


def test_whoever_forgets_slides_sweeps_their_files(room, slide):
    room.slides.vendor_files.keep(slide, Whose("LOCAL", "1.2", "1.2.3"))

    room.slides.forget()
    room.slides.vendor_files.sweep()  # as the thread does that was just begun

    assert folders(room) == []


def test_however_many_are_deleted_one_sweep_runs_and_one_waits(room, monkeypatch):
    files, begun, goes_on = room.slides.vendor_files, threading.Semaphore(0), threading.Event()
    ended, before = threading.Semaphore(0), threading.enumerate()

    def sweep() -> None:
        begun.release()
        assert goes_on.wait(20)
        ended.release()

    monkeypatch.setattr(files, "sweep", sweep)
    files.sweep_soon()
    assert begun.acquire(timeout=20)
    for _ in range(10):
        files.sweep_soon()

    sweeping = [one for one in threading.enumerate() if one not in before]
    goes_on.set()
    for one in sweeping:
        one.join(20)

    assert len(sweeping) == 2
    assert [ended.acquire(blocking=False) for _ in range(3)] == [True, True, False]


def test_one_that_was_half_removed_when_the_program_ended_goes_with_the_next_start_and_may_come_again(
    room, slide, monkeypatch
):
    files, whose = room.slides.vendor_files, Whose("LOCAL", "1.2", "1.2.3")
    with monkeypatch.context() as then:
        then.setattr(VendorFiles, "_is_here", lambda *_: True)
        files.keep(slide, whose)
    with monkeypatch.context() as then:
        then.setattr("consult.slides.vendor_files.shutil.rmtree", lambda folder, **_: (folder / "about").unlink())
        files.sweep()
    assert len(folders(room)) == 1

    monkeypatch.setattr(VendorFiles, "_is_here", lambda *_: True)
    files.keep(slide, whose)
    files.begin()

    (kept,) = folders(room)
    assert sorted(one.name for one in (room.stores.config.node.data / "vendor-slides" / kept).iterdir()) == [
        "about",
        "file",
    ]


def test_a_second_taking_keeps_it_once(room, intake, slide):
    taken(intake, slide)
    taken(intake, slide)

    assert len(folders(room)) == 1


def test_a_slide_of_several_files_is_given_as_a_zip_of_them_that_can_be_taken_again(room, intake, tmp_path):
    (tmp_path / "other").write_bytes(b"somebody else's")
    slide = an_mrxs_of(tmp_path)
    (tmp_path / "Tran Van A" / "link.dat").symlink_to(tmp_path / "other")
    one = taken(intake, slide, mpp=0.5)

    with room.signed_in("root") as client:
        answer = client.get(address(one)).raise_for_status()
    with room.signed_in("lan") as client:
        assert client.get(address(one)).status_code == 404

    assert answer.headers["content-disposition"] == f'attachment; filename="{one.series_instance_uid}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as kept:
        assert {entry.compress_type for entry in kept.infolist()} == {zipfile.ZIP_STORED}
        kept.extractall(tmp_path / "again")
    again = tmp_path / "again" / "slide.mrxs"
    assert again.read_bytes() == slide.read_bytes()
    assert {file.name: file.read_bytes() for file in again.with_suffix("").iterdir()} == {
        file.name: file.read_bytes() for file in slide.with_suffix("").iterdir() if not file.is_symlink()
    }
    assert taken(intake, again, mpp=0.5).series_instance_uid == one.series_instance_uid
    assert len(folders(room)) == 1


def test_of_several_files_none_may_change_or_be_missing_and_they_are_not_without_end(room, tmp_path, monkeypatch):
    files, whose, slide = room.slides.vendor_files, Whose("LOCAL", "1.2", "1.2.3"), an_mrxs_of(tmp_path)
    data = slide.with_suffix("") / "Data0000.dat"
    content, write = data.read_bytes(), vendor_files._zip

    def changed(sources, target):
        write(sources, target)
        data.write_bytes(b"another")

    monkeypatch.setattr(vendor_files, "_zip", changed)
    with pytest.raises(MalformedSlide, match="changed while it was read"):
        files.keep(slide, whose)
    monkeypatch.setattr(vendor_files, "_zip", lambda *_: data.unlink())
    with pytest.raises(MalformedSlide, match="changed while it was read"):
        files.keep(slide, whose)
    data.write_bytes(content)
    monkeypatch.setattr("wsi.mirax.COMPANIONS_MAX", 2)
    with pytest.raises(LimitExceeded, match="files of a slide"):
        files.keep(slide, whose)
    slide.rename(tmp_path / "alone.mrxs")
    with pytest.raises(MalformedSlide, match="not beside it"):
        files.keep(tmp_path / "alone.mrxs", whose)

    assert folders(room) == []


def test_one_that_changes_while_it_is_copied_or_has_no_room_leaves_nothing(room, slide, monkeypatch):
    files, whose = room.slides.vendor_files, Whose("LOCAL", "1.2", "1.2.3")

    def changed(source, target):
        target.write_bytes(source.read_bytes())
        source.write_bytes(b"another")

    monkeypatch.setattr("consult.slides.vendor_files.shutil.copyfile", changed)
    with pytest.raises(MalformedSlide, match="changed while it was read"):
        files.keep(slide, whose)
    full = SimpleNamespace(check_space=lambda _: (_ for _ in ()).throw(StorageFull(free_bytes=0, needed_bytes=1)))
    with pytest.raises(StorageFull):
        VendorFiles(room.stores.config.node.data / "vendor-slides", room.stores.db, full).keep(slide, whose)

    assert folders(room) == []


def test_a_new_start_removes_what_was_half_copied(room):
    half = room.stores.config.node.data / "vendor-slides" / "0123.new"
    half.mkdir(parents=True)
    (half / "file").write_bytes(b"half")

    room.slides.sweep()

    assert folders(room) == []


def test_a_start_leaves_alone_what_a_program_beside_it_is_copying(room, intake, slide, monkeypatch):
    copy = shutil.copyfile

    def copied(source, target):
        copy(source, target)
        room.slides.vendor_files.begin()  # another opens the same folder, as a node beside `vienanh slides add` does
        return target

    monkeypatch.setattr("consult.slides.vendor_files.shutil.copyfile", copied)
    taken(intake, slide)

    assert len(folders(room)) == 1
    assert not folders(room)[0].endswith(".new")


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EIO, OSError)])
def test_a_disk_that_is_full_is_told_as_one_and_any_other_trouble_of_it_as_it_is(
    room, slide, monkeypatch, number, told
):
    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("consult.slides.vendor_files.shutil.copyfile", fails)

    with pytest.raises(told):
        room.slides.vendor_files.keep(slide, Whose("LOCAL", "1.2", "1.2.3"))
    assert folders(room) == []


def test_the_file_of_a_series_that_went_while_it_was_copied_does_not_stay(room, slide):
    room.slides.vendor_files.keep(slide, Whose("LOCAL", "1.2", "1.2.3"))

    assert folders(room) == []
