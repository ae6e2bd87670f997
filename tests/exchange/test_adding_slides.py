"""Vendors' slides come into a running node's archive and answer every door at once; a second run changes nothing."""

import errno
import os
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import openslide
import pytest
from typer.testing import CliRunner

from exchange.commands import adding_slides
from exchange.commands.table import app
from kernel.errors import MalformedSlide
from tests.support.nodes import HUB, NodeProcess
from tests.wsi.builders import SHORT, Field, a_level, a_tiff, an_svs, jpeg, pixels_of, texture
from wsi import openslide_child, openslide_process
from wsi.jpeg import segments
from wsi.mirax import check_companions
from wsi.tiff import Tag
from wsi.tiff_slide import index_tiff


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    process = NodeProcess(tmp_path_factory.mktemp("node") / "hub", HUB).start()
    yield process
    process.stop()


def add(node: NodeProcess, *arguments: str | Path) -> str:
    run = node.run("slides", "add", *map(str, arguments))
    assert run.returncode == 0, run.stderr
    return run.stdout


def study_in(told: str) -> str:
    return told.rsplit("Study ", 1)[1].strip()


def test_a_slide_that_was_added_answers_dicomweb_and_the_reading_room_at_once(node, tmp_path):
    content = an_svs()
    (tmp_path / "K26-1.svs").write_bytes(content)

    study = study_in(add(node, tmp_path / "K26-1.svs", "--patient-id", "BN-1", "--patient-name", "Tran^Van A"))

    with node.client() as client:
        root = f"/dicom-web/studies/{study}"
        finest, _ = client.get(f"{root}/metadata").raise_for_status().json()
        series, uid = finest["0020000E"]["Value"][0], finest["00080018"]["Value"][0]
        one = f"{root}/series/{series}/instances/{uid}"
        accept = {"Accept": 'multipart/related; type="image/jpeg"'}
        frame = client.get(f"{one}/frames/10", headers=accept).raise_for_status()
        picture = client.get(f"{one}/frames/10/rendered", headers={"Accept": "image/jpeg"}).raise_for_status()
        small = client.get(f"{root}/thumbnail", headers={"Accept": "image/jpeg"}).raise_for_status()
        told = client.get(f"/api/slides/{study}/{series}").raise_for_status().json()
        tile = client.get(f"{told['tiles']}/0/0/0/1_1").raise_for_status()

    index = index_tiff(content)
    span = index.levels[0].span(9)
    stored = content[span.offset : span.offset + span.length]
    *_, scan = segments(stored)
    assert stored[scan.start :] in frame.content
    assert stored[scan.start :] in tile.content
    assert np.abs(pixels_of(picture.content).astype(int) - pixels_of(tile.content)).mean() < 3
    assert pixels_of(small.content).shape[1] <= 128
    assert (finest["00100020"]["Value"], finest["00400512"]["Value"]) == (["BN-1"], ["K26-1"])
    assert "label" not in str(told["associated"])


def test_a_second_run_takes_nothing_and_slides_of_one_accession_are_one_study(node, tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs(order=">"))
    (tmp_path / "b.svs").write_bytes(an_svs(big=True))
    case = ("--patient-id", "BN-2", "--accession-number", "K26")

    first = add(node, tmp_path / "a.svs", *case)
    again = add(node, tmp_path / "a.svs", *case)
    second = add(node, tmp_path / "b.svs", *case)

    assert "2 instances were taken" in first
    assert "was here already" in again
    assert study_in(first) == study_in(again) == study_in(second)
    with node.client() as client:
        series = client.get(f"/dicom-web/studies/{study_in(first)}/series").json()
        assert sorted(one["00200011"]["Value"][0] for one in series) == [1, 2]
        named = (one["0020000E"]["Value"][0] for one in series)
        glasses = [client.get(f"/api/slides/{study_in(first)}/{one}").json()["container"] for one in named]
        assert sorted(glasses) == ["a", "b"]
    for other in (("--patient-id", "BN-2", "--study-uid", "1.2.3"), ("--patient-id", "BN-9")):
        run = node.run("slides", "add", str(tmp_path / "a.svs"), *other)
        assert (run.returncode, "under which this slide is here already" in run.stderr) == (2, True)


def test_photographs_of_fields_stand_in_the_study_of_their_slide_and_are_shown(node, tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs(order=">", big=True))
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (tmp_path / name).write_bytes(jpeg(texture(90, 60) // int(name[0])))
    case = ("--patient-id", "BN-4", "--accession-number", "K27")
    study = study_in(add(node, tmp_path / "a.svs", *case))

    run = node.run("slides", "photograph", str(tmp_path / "1.jpg"), str(tmp_path / "2.jpg"), *case)
    again = node.run("slides", "photograph", str(tmp_path / "1.jpg"), *case)
    strangers = node.run("slides", "photograph", str(tmp_path / "3.jpg"), "--patient-id", "BN-5", "--study-uid", study)

    assert (run.returncode, study_in(run.stdout)) == (0, study), run.stderr
    assert "was here already" in again.stdout
    assert (strangers.returncode, "that of the study" in strangers.stderr) == (2, True)
    with node.client() as client:
        root = f"/dicom-web/studies/{study}"
        (series,) = client.get(f"{root}/series", params={"Modality": "XC"}).json()
        instances = client.get(f"{root}/series/{series['0020000E']['Value'][0]}/instances").json()
        one = f"{root}/series/{series['0020000E']['Value'][0]}/instances/{instances[0]['00080018']['Value'][0]}"
        picture = client.get(f"{one}/rendered", headers={"Accept": "image/jpeg"}).raise_for_status()
    assert len(instances) == 2
    assert pixels_of(picture.content).shape == (60, 90, 3)


def test_what_only_openslide_reads_is_decoded_and_says_that_it_is_lossy(node, tmp_path):
    (tmp_path / "a.tif").write_bytes(_deflated(texture(700, 300)))

    told = add(node, tmp_path / "a.tif", "--patient-id", "BN-3", "--mpp", "0.5")

    assert "encoded anew: lossy" in told
    with node.client() as client:
        finest, *_ = client.get(f"/dicom-web/studies/{study_in(told)}/metadata").json()
        series = finest["0020000E"]["Value"][0]
        slide = client.get(f"/api/slides/{study_in(told)}/{series}").json()
        tile = client.get(f"{slide['tiles']}/0/0/0/0_0").raise_for_status()
    assert (finest["00080008"]["Value"][0], finest["00082111"]["Value"]) == (
        "DERIVED",
        ["Decoded by OpenSlide and encoded anew"],
    )
    with openslide.OpenSlide(tmp_path / "a.tif") as peer:
        theirs = np.asarray(peer.read_region((0, 0), 0, (512, 300)).convert("RGB")).astype(int)
    assert np.abs(pixels_of(tile.content)[:300] - theirs).mean() < 3


def _deflated(pixels: np.ndarray) -> bytes:
    """Make a generic TIFF whose tiles no browser knows."""
    picture = a_level(pixels, 256, COMPRESSION=Field(SHORT, [8]))
    tiles = [zlib.compress(np.ascontiguousarray(pixels_of(piece)).tobytes()) for piece in picture.pieces]
    values = {**picture.fields, Tag.PHOTOMETRIC_INTERPRETATION: Field(SHORT, [2])}
    return a_tiff(picture._replace(fields=values, pieces=tiles))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a" * 10, "OpenSlide does not know it"),
        (b"", "OpenSlide does not know it"),
        (a_tiff(a_level(texture(64, 64))), "does not say how many microns"),
    ],
)
def test_what_is_no_slide_gets_one_line_and_leaves_nothing(tmp_path, content, reason):
    (tmp_path / "a.svs").write_bytes(content)

    told = CliRunner().invoke(
        app, ["slides", "add", str(tmp_path / "a.svs"), "--patient-id", "1", "--data", str(tmp_path / "data")]
    )

    assert told.exit_code == 2
    assert reason in " ".join(told.output.split())
    assert "Traceback" not in told.output
    assert list((tmp_path / "data").glob("slide-*")) == []
    assert list((tmp_path / "data" / "blobs").glob("??/*")) == []


def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text("import threading\nthreading.Event().wait(600)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(openslide_child, "_PROGRAM", "sleeper")
    monkeypatch.setattr(openslide_child, "SILENT_S", 1.0)

    with pytest.raises(MalformedSlide, match="does not come to an end"):
        openslide_child.decoded_slide(tmp_path / "a", tmp_path, lambda *_: None)


def test_a_process_that_crashes_says_that_it_failed(tmp_path, monkeypatch):
    (tmp_path / "crasher.py").write_text("import os\nos.abort()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(openslide_child, "_PROGRAM", "crasher")

    with pytest.raises(MalformedSlide, match="OpenSlide failed on it"):
        openslide_child.decoded_slide(tmp_path / "a", tmp_path, lambda *_: None)


def test_a_full_disk_is_told_as_one_and_not_as_a_damaged_slide(tmp_path, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a.svs").write_bytes(an_svs())
    (tmp_path / "sayer.py").write_text(f"print('errno {errno.ENOSPC}')\n")
    with monkeypatch.context() as then:  # the process that decodes says it
        then.setattr(openslide_process.resource, "setrlimit", lambda *_: None)
        then.setattr(openslide_process, "_decode", full)
        then.setattr(sys, "argv", ["", "tiles", "a", "b", "c"])
        assert openslide_process.main() == 1
        assert capsys.readouterr().out == f"errno {errno.ENOSPC}\n"
    with monkeypatch.context() as then:  # and who waits for it hears it
        then.syspath_prepend(str(tmp_path))
        then.setattr(openslide_child, "_PROGRAM", "sayer")
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            openslide_child.decoded_slide(tmp_path / "a", tmp_path, lambda *_: None)
    monkeypatch.setattr("consult.slides.intake.opened_source", full)

    told = CliRunner().invoke(
        app, ["slides", "add", str(tmp_path / "a.svs"), "--patient-id", "1", "--data", str(tmp_path / "data")]
    )

    assert "Not enough storage" in told.output


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "sub/Data.dat"])
def test_a_slide_that_names_files_elsewhere_is_not_opened(tmp_path, name):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_text(
        f"[HIERARCHICAL]\nINDEXFILE = Index.dat\n[DATAFILE]\nFILE_0 = {name}\n"
    )

    with pytest.raises(MalformedSlide, match="outside its folder"):
        check_companions(tmp_path / "a.mrxs")


@pytest.mark.parametrize(("count", "taken"), [("1", True), ("7", False)])
def test_a_slide_of_several_focal_planes_is_refused_and_not_taken_for_one(tmp_path, count, taken):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_text(
        "[HIERARCHICAL]\nINDEXFILE = Index.dat\nHIER_COUNT = 3\nHIER_0_NAME = Slide zoom level\nHIER_0_COUNT = 9\n"
        f"HIER_2_NAME = Microscope focus level\nHIER_2_COUNT = {count}\n"
    )

    with nullcontext() if taken else pytest.raises(MalformedSlide, match="several focal planes"):
        check_companions(tmp_path / "a.mrxs")


def test_a_slide_whose_companion_is_a_link_is_not_opened(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_text("[HIERARCHICAL]\nINDEXFILE = Index.dat\n[DATAFILE]\nFILE_0 = D.dat\n")
    check_companions(tmp_path / "a.mrxs")
    (tmp_path / "a" / "D.dat").symlink_to("/etc/passwd")

    with pytest.raises(MalformedSlide, match="outside its folder"):
        check_companions(tmp_path / "a.mrxs")


def test_more_files_than_one_command_takes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(adding_slides, "FILES_MAX", 1)
    (tmp_path / "a.svs").write_bytes(an_svs())
    file = str(tmp_path / "a.svs")

    told = CliRunner().invoke(app, ["slides", "add", file, file, "--patient-id", "1", "--data", str(tmp_path / "data")])

    assert told.exit_code == 2
    assert "slides added at once" in told.output
