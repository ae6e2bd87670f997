"""A slide of several files, laid out as it was: within bounds, and nowhere but in its folder."""

import errno
import io
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from consult.slides import laying_out
from consult.slides.laying_out import laid_out
from consult.slides.upload_record import Companion, Form, form_of
from kernel.errors import InvalidRequest, LimitExceeded, MalformedSlide, StorageFull
from wsi import mirax

ROOM = SimpleNamespace(free_bytes=10**9, check_space=lambda _: None)
FILES = {"K26.mrxs": b"glass", "K26/Slidedat.ini": b"[GENERAL]", "K26/Index.dat": b"", "K26/Data0000.dat": b"tiles" * 9}


def a_zip(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("K26/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def a_form(name: str, content: bytes, *folder: Companion) -> Form:
    return Form(name=name, bytes=len(content), patient_id="1", folder=folder)


def laid(
    tmp_path: Path, name: str, content: bytes, *folder: Companion, space=ROOM, bytes_max=10**6, go_on=lambda: None
):
    """Return what stands in the folder while the slide is taken, by its name."""
    came = tmp_path / "slide"
    came.write_bytes(content)
    with laid_out(came, a_form(name, content, *folder), space, bytes_max, go_on) as slide:
        if slide == came:
            return None
        beside = sorted(slide.with_suffix("").iterdir())
        return {slide.name: slide.read_bytes(), **{f"slide/{one.name}": one.read_bytes() for one in beside}}


LAID = {name.replace("K26", "slide"): content for name, content in FILES.items()}


def nothing_is_left(tmp_path: Path) -> bool:
    return sorted(one.name for one in tmp_path.iterdir()) == ["slide"]


def test_what_came_in_one_body_is_cut_into_its_files(tmp_path):
    content = b"".join(FILES.values())
    folder = [Companion(name.removeprefix("K26/"), len(value)) for name, value in FILES.items() if "/" in name]

    assert laid(tmp_path, "K26.mrxs", content, *folder) == LAID
    assert nothing_is_left(tmp_path)


def test_a_slide_of_one_file_stays_where_it_is(tmp_path):
    assert laid(tmp_path, "K26.svs", b"II*\0") is None


@pytest.mark.parametrize("above", ["", "ca 12/"])
def test_of_a_zip_the_slide_and_its_folder_are_taken_and_nothing_else(tmp_path, above):
    beside = {"readme.txt": b"", "__MACOSX/._K26.mrxs": b"", "K27/Index.dat": b"", "K26/sub/Data0001.dat": b""}
    out = {
        "../K26/Data0002.dat": b"",
        "/K26/Data0003.dat": b"",
        "K26/../../x": b"",
        "K26/Trần.dat": b"",
        "K26/a\\b": b"",
    }
    files = {**{above + name: content for name, content in FILES.items()}, **beside, **out}

    assert laid(tmp_path, "K26.ZIP", a_zip(files)) == LAID
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"PK\3\4 and nothing more", "damaged"),
        (a_zip(FILES)[:-30], "damaged"),
        (a_zip(FILES, zipfile.ZIP_STORED).replace(b"tiles" * 9, b"tilez" * 9), "damaged"),
        (a_zip({"a.svs": b""}), "no slide"),
        (a_zip({"a.mrxs": b"", "b.MRXS": b""}), "several slides"),
    ],
)
def test_a_zip_without_one_whole_slide_is_refused(tmp_path, content, said):
    with pytest.raises(MalformedSlide, match=said):
        laid(tmp_path, "K26.zip", content)

    assert nothing_is_left(tmp_path)


def test_what_comes_out_of_a_zip_has_a_bound_whatever_the_zip_says(tmp_path):
    bomb = bytearray(a_zip({**FILES, "K26/Data0001.dat": bytes(2_000_000)}))
    sizes = (2_000_000).to_bytes(4, "little")
    assert bomb.count(sizes) == 2
    honest = bytes(bomb)

    with pytest.raises(LimitExceeded, match="unpacked"):
        laid(tmp_path, "K26.zip", honest, bytes_max=1_000_000)
    with pytest.raises(
        MalformedSlide, match="damaged"
    ):  # no more is read than it says, which then has another check sum
        laid(tmp_path, "K26.zip", honest.replace(sizes, (9).to_bytes(4, "little")), bytes_max=1_000_000)
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(("bound", "of", "most"), [("ENTRIES_MAX", laying_out, 3), ("COMPANIONS_MAX", mirax, 2)])
def test_files_of_a_zip_have_a_bound(tmp_path, monkeypatch, bound, of, most):
    monkeypatch.setattr(of, bound, most)

    with pytest.raises(LimitExceeded):
        laid(tmp_path, "K26.zip", a_zip(FILES))


def test_a_full_disk_is_told_as_one(tmp_path):
    def full(_: int) -> None:
        raise StorageFull(needed_bytes=1, free_bytes=0)

    with pytest.raises(StorageFull):
        laid(tmp_path, "K26.zip", a_zip(FILES), space=SimpleNamespace(free_bytes=0, check_space=full))


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EIO, OSError)])
def test_a_disk_that_is_full_or_fails_is_no_damage_of_the_zip(tmp_path, monkeypatch, number, told):
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("consult.slides.laying_out.Path.open", fails)
    writer = laying_out._Writer(ROOM, 10**6, lambda: None)

    with pytest.raises(told):
        writer.write(io.BytesIO(b"tiles"), tmp_path / "one")
    with pytest.raises(OSError, match=os.strerror(number)):
        laying_out._unzip(tmp_path / "slide", tmp_path / "slide.mrxs", writer)


def test_a_node_that_stops_waits_for_no_zip(tmp_path):
    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        laid(tmp_path, "K26.zip", a_zip(FILES), go_on=stop)
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        '"K26.svs","folder":[{"name":"Index.dat","bytes":1}]',
        '"K26.mrxs","folder":[{"name":"../Index.dat","bytes":1}]',
        '"K26.mrxs","folder":[{"name":"..","bytes":1}]',
        '"K26.mrxs","folder":[{"name":"a/b","bytes":1}]',
        '"K26.mrxs","folder":[{"name":"Index.dat","bytes":-1}]',
        '"K26.mrxs","folder":[{"name":"Index.dat","bytes":100}]',
        '"K26.mrxs","folder":[{"name":"Index.dat","bytes":1},{"name":"INDEX.dat","bytes":1}]',
        '"K26.mrxs","folder":['
        + ",".join(f'{{"name":"{n}","bytes":0}}' for n in range(mirax.COMPANIONS_MAX + 1))
        + "]",
    ],
)
def test_a_form_with_an_odd_folder_is_refused(wrong):
    with pytest.raises(InvalidRequest):
        form_of(f'{{"bytes":100,"patient_id":"1","name":{wrong}}}'.encode())
