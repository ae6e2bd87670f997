"""Vendors' slides that come in pieces: no byte is sent twice, none is lost, and what comes in is nobody's but the caller's."""

import http.client
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from gateway.dicomweb.http.body import BATCH_BYTES
from gateway.dicomweb.store.slide_uploads import FORM_BYTES_MAX
from kernel.access.accounts import NewAccount
from kernel.archive.tables import instance
from kernel.audit import Action
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from tests.dicomweb.conftest import running_node
from tests.support.nodes import wait_until
from tests.wsi.builders import an_svs, texture
from tests.wsi.vendor_slides import an_mrxs
from wsi.jpeg import segments
from wsi.tiff_slide import index_tiff

SLIDES = "/dicom-web/uploads/slides"
SVS = an_svs()


def a_form(content: bytes = SVS, **fields: object) -> dict[str, object]:
    return {"name": "K26-1.svs", "bytes": len(content), "patient_id": "BN-1", "patient_name": "Tran^Van A", **fields}


class Sender:
    """Somebody who sends slides."""

    def __init__(self, node, token: str | None = None) -> None:
        self.node, self.token = node, token or node.a_token("dicomweb:upload", "dicomweb:read", site="BV1")

    def ask(self, method: str, path: str = SLIDES, **more):
        with self.node.http(self.token) as client:
            return client.request(method, path, **more)

    def begins(self, form: dict[str, object] | None = None) -> str:
        response = self.ask("POST", json=form or a_form())
        assert response.status_code == 201, response.text
        return f"{SLIDES}/{response.json()['upload']}"

    def sends(self, one: str, content: bytes, offset: int = 0):
        return self.ask("PATCH", one, content=content, headers={"Upload-Offset": str(offset)})

    def sees(self, one: str, *states: str):
        """Wait until a slide is in one of these states."""

        def told():
            now = self.ask("GET", one).json()
            return now if now["state"] in states else None

        return wait_until(told, what=f"one of {states}")


def test_a_slide_that_came_in_pieces_is_the_slide_that_was_sent_and_shows_nothing_of_the_scanners_words(node):
    sender = Sender(node)
    one = sender.begins(a_form(stain="HE"))

    first = sender.sends(one, SVS[:10_000]).json()
    last = sender.sends(one, SVS[10_000:], offset=10_000).json()

    assert (first["state"], first["offset"], first["bytes"]) == ("receiving", 10_000, len(SVS))
    assert last["offset"] == len(SVS)
    told = sender.sees(one, "stored", "failed")
    assert (told["state"], told["instances"], told["lossy"], told["reason"]) == ("stored", 2, False, "")
    assert told["done"] == told["total"] > 0
    metadata = sender.ask("GET", f"/dicom-web/studies/{told['study']}/metadata").json()
    finest = max(metadata, key=lambda ds: ds["00480006"]["Value"][0])
    assert (finest["00100020"]["Value"], finest["00400512"]["Value"]) == (["BN-1"], ["K26-1"])
    (step,) = finest["00400560"]["Value"][0]["00400610"]["Value"]
    assert step["00400612"]["Value"][2]["0040A160"]["Value"] == ["HE"]
    assert {ds["00080008"]["Value"][2] for ds in metadata} == {"VOLUME"}
    assert finest["0020000E"]["Value"] == [told["series"]]
    frame = sender.ask(
        "GET",
        f"/dicom-web/studies/{told['study']}/series/{told['series']}/instances/{finest['00080018']['Value'][0]}/frames/10",
        headers={"Accept": 'multipart/related; type="image/jpeg"'},
    )
    span = index_tiff(SVS).levels[0].span(9)
    *_, scan = segments(SVS[span.offset : span.offset + span.length])
    assert SVS[span.offset + scan.start : span.offset + span.length] in frame.content
    assert [row.site for row in node.rows(instance)] == ["BV1"] * 2
    assert list((node.config.node.data / "slide-uploads").glob("*/slide")) == []
    (line,) = [line for line in node.audited() if line.action == Action.IMPORT]
    assert (line.who, line.study_uid, json.loads(line.detail)["instances"]) == ("a peer", told["study"], 2)
    assert "K26" not in str(node.audited())


def test_slides_of_one_study_stand_together_and_a_second_sending_takes_nothing(node):
    sender = Sender(node)

    def sent(content: bytes, **fields: object):
        one = sender.begins(a_form(content, **fields))
        sender.sends(one, content)
        return sender.sees(one, "stored", "failed")

    first = sent(SVS, accession_number="K26")
    again = sent(SVS, accession_number="K26")
    other = sent(an_svs(big=True), accession_number="K26")
    strangers = sent(an_svs(order=">"), patient_id="BN-9", study=first["study"])

    assert (again["instances"], again["here"]) == (0, 2)
    assert first["study"] == again["study"] == other["study"]
    assert first["series"] == again["series"] != other["series"]
    assert (strangers["state"], strangers["code"]) == ("failed", "IdentityMismatch")
    assert [told["state"] for told in sender.ask("GET").json()] == ["failed", "stored", "stored", "stored"]


def a_mirax(folder: Path, pixels: np.ndarray) -> dict[str, bytes]:
    """Return a slide of several files by their names, its own first."""
    an_mrxs(pixels, folder / "K26.mrxs")
    beside = sorted((folder / "K26").iterdir())
    return {"K26.mrxs": (folder / "K26.mrxs").read_bytes(), **{f"K26/{one.name}": one.read_bytes() for one in beside}}


def test_a_slide_of_several_files_comes_as_one_body_or_as_a_zip(node, tmp_path):
    files = a_mirax(tmp_path, texture(384, 256))
    sender, content = Sender(node), b"".join(files.values())
    folder = [{"name": name[4:], "bytes": len(part)} for name, part in files.items() if "/" in name]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, part in files.items():
            archive.writestr(f"ca/{name}", part)

    one = sender.begins(a_form(content, name="K26.mrxs", folder=folder, mpp=0.5))
    half = sender.sends(one, content[:900]).json()["offset"]
    sender.sends(one, content[half:], half)
    first = sender.sees(one, "stored", "failed")
    again = sender.begins(a_form(zipped.getvalue(), name="K26.zip", mpp=0.5))
    sender.sends(again, zipped.getvalue())
    second = sender.sees(again, "stored", "failed")

    assert (first["state"], first["lossy"], first["instances"] > 0) == ("stored", True, True), first
    assert (second["state"], second["study"], second["instances"]) == ("stored", first["study"], 0), second
    assert {row.sop_class_uid for row in node.rows(instance)} == {WHOLE_SLIDE}
    left = [one for one in (node.config.node.data / "slide-uploads").rglob("*") if one.is_file()]
    assert {one.name for one in left} == {"about"}


def test_a_mirax_slide_without_its_folder_says_so(node, tmp_path):
    content = a_mirax(tmp_path, texture(128, 128))["K26.mrxs"]
    sender = Sender(node)
    one = sender.begins(a_form(content, name="K26.mrxs"))

    sender.sends(one, content)

    told = sender.sees(one, "stored", "failed")
    assert told["code"] == "MalformedSlide"
    assert "the folder of its other files is not beside it" in told["reason"]


def test_what_came_of_a_body_that_was_cut_stays(node):
    content = SVS + bytes(4 * BATCH_BYTES)  # what stands behind the last directory is nobody's
    sender = Sender(node)
    one = sender.begins(a_form(content))
    line = http.client.HTTPConnection(urlsplit(node.url).netloc)
    line.putrequest("PATCH", one)
    for name, value in (
        ("Authorization", f"Bearer {sender.token}"),
        ("Upload-Offset", "0"),
        ("Content-Length", str(len(content))),
    ):
        line.putheader(name, value)
    line.endheaders(content[: 3 * BATCH_BYTES])
    wait_until(lambda: sender.ask("GET", one).json()["offset"] >= BATCH_BYTES, what="a part of it")
    line.sock.close()

    def goes_on() -> bool:
        offset = sender.ask("GET", one).json()["offset"]
        assert offset >= BATCH_BYTES
        return sender.sends(one, content[offset:], offset).status_code == 200  # 409 while the cut one still comes in

    wait_until(goes_on, what="the rest")

    assert sender.sees(one, "stored", "failed")["state"] == "stored"


def test_only_the_next_byte_is_taken_and_the_refusal_says_which(node):
    sender = Sender(node)
    one = sender.begins()
    sender.sends(one, SVS[:100])

    for offset in (0, 99, 101, len(SVS)):
        refused = sender.sends(one, b"x", offset=offset)

        assert (refused.status_code, refused.json()["code"]) == (409, "UploadMoved")
        assert "is 100" in refused.json()["detail"]
    for odd in ("", "-1", "0x10", "9" * 16):
        refused = sender.ask("PATCH", one, content=b"x", headers={"Upload-Offset": odd})
        assert (refused.status_code, refused.json()["code"]) == (400, "InvalidRequest")
    assert sender.ask("GET", one).json()["offset"] == 100


def test_more_bytes_than_were_announced_are_refused_and_none_of_the_excess_kept(node):
    sender = Sender(node)
    one = sender.begins(a_form(bytes=10))

    refused = sender.sends(one, bytes(11))

    assert (refused.status_code, refused.json()["code"]) == (413, "LimitExceeded")
    assert sender.ask("GET", one).json()["offset"] <= 10


@pytest.mark.parametrize(
    ("content", "code"), [(b"GIF89a" * 100, "MalformedSlide"), (SVS[: len(SVS) // 2], "MalformedSlide"), (b"II*\0", "")]
)
def test_what_is_no_slide_fails_with_its_reason_and_leaves_nothing(node, content, code):
    sender = Sender(node)
    one = sender.begins(a_form(content))

    sender.sends(one, content)

    told = sender.sees(one, "stored", "failed")
    assert (told["state"], told["code"]) == ("failed", code or told["code"])
    assert told["reason"].startswith("Not a readable slide")
    assert node.rows(instance) == []
    assert list((node.config.node.data / "slide-uploads").glob("*/slide")) == []
    assert list(node.config.node.data.glob("slide-*/")) == [node.config.node.data / "slide-uploads"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient_id": ""},
        {"patient_id": "  "},
        {"patient_id": "x" * 65},
        {"patient_name": "Tran\\Van"},
        {"container": "a\nb"},
        {"accession_number": "x" * 17},
        {"study": "Tran^Van A"},
        {"mpp": -1},
        {"mpp": 1e9},
        {"bytes": 0},
        {"name": ""},
        {"unknown": 1},
    ],
)
def test_a_form_that_says_something_odd_is_refused_without_its_words(archive, wrong):
    refused = Sender(archive).ask("POST", json=a_form(**wrong))

    assert refused.status_code in (400, 409), refused.text
    assert "Tran" not in refused.text


def test_a_form_has_a_bound_and_so_has_a_slide(archive):
    sender = Sender(archive)

    assert sender.ask("POST", content=b" " * (FORM_BYTES_MAX + 1)).status_code == 413
    refused = sender.ask("POST", json=a_form(bytes=archive.config.http.body_bytes_max + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "LimitExceeded")
    assert sender.ask("POST", content=b"[" * 10_000).status_code == 400


def test_nobody_else_sees_or_sends_or_forgets_it(node):
    sender = Sender(node)
    one = sender.begins()
    stranger = Sender(node, node.access.tokens.create("another", ["dicomweb:upload"], site="BV1", by="test"))

    assert stranger.ask("GET").json() == []
    assert [stranger.ask(method, one, headers={"Upload-Offset": "0"}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3  # fmt: skip
    assert sender.ask("DELETE", one).status_code == 204
    assert sender.ask("GET", one).status_code == 404


def test_a_requester_may_and_a_reader_may_not(node):
    said = {}
    for role in ("requester", "reader"):
        node.access.accounts.create(NewAccount(role, [role]), "a long password", by="test")
        principal = node.access.authenticate_password(role, "a long password", "127.0.0.1")
        cookie = node.access.open_session(principal, "127.0.0.1")
        headers = {"Cookie": f"vienanh_session={cookie}", "X-Vienanh-CSRF": node.access.csrf_of_session(cookie)}
        with node.http(None) as client:
            said[role] = client.post(SLIDES, json=a_form(), headers=headers).status_code

    assert said == {"requester": 201, "reader": 403}


def test_a_hub_takes_none(tmp_path):
    with running_node(tmp_path / "hub", role="hub") as hub:
        refused = Sender(hub).ask("POST", json=a_form())

    assert refused.status_code == 403
    assert "hub" in refused.json()["detail"]
