"""The bench of the reading room measures a whole build, or says why not."""

from pathlib import Path

from bench.viewer import unready


def a_build(folder: Path, *kinds: str) -> Path:
    (folder / "assets").mkdir()
    (folder / "assets" / "tiny.js").write_text("1")
    for kind in ("", *kinds):
        (folder / "assets" / f"index-abc.js{kind}").write_bytes(b"x" * 10_000)
    return folder


def test_a_whole_build_is_measured(tmp_path):
    assert unready(a_build(tmp_path, ".br", ".gz")) == ""


def test_a_build_without_compressed_files_is_refused_in_words(tmp_path):
    told = unready(a_build(tmp_path, ".gz"))

    assert (
        told == "1 scripts of the reading room are not compressed, such as index-abc.js: npm run build in viewer/web."
    )


def test_no_build_is_refused_in_words(tmp_path):
    assert unready(tmp_path) == "The reading room is not built: npm run build in viewer/web."
