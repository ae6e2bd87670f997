"""The story of a report: written at the hub about a pseudonymous study, in the site's own PACS under the patient's name."""

import queue
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AllStoragePresentationContexts, evt

from tests.support.builders import a_ct_series, as_file
from tests.support.entities import an_entity
from tests.support.http import a_client
from tests.support.nodes import HUB, SITE, NodeProcess, wait_until
from tests.support.reports import a_structured_report

PASSWORD = "mat khau dai du"
RETURNING = """
[[destination]]
name = "site1"
kind = "stow"
url = "SITE_URL/dicom-web"
token_file = "site1.token"
profile = "none"
[[rule]]
name = "reports go back"
modality = ["SR", "KO"]
to = ["site1"]
"""
HOME = """
[[destination]]
name = "pacs"
kind = "dimse"
host = "127.0.0.1"
port = PACS_PORT
ae_title = "PACS"
profile = "none"
[[rule]]
name = "reports home"
source = ["reidentified"]
to = ["pacs"]
final = true
"""


class Pacs:
    """The site's PACS: pynetdicom as a storage SCP."""

    def __init__(self) -> None:
        self.stored: queue.Queue[Dataset] = queue.Queue()
        ae = an_entity("PACS")
        ae.supported_contexts = AllStoragePresentationContexts
        self._server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)])
        self.port = self._server.server_address[1]

    def _store(self, event: evt.Event) -> int:
        ds = event.dataset
        ds.decode()
        self.stored.put(ds)
        return 0x0000

    def stop(self) -> None:
        self._server.shutdown()


class Story:
    """A hub, a site and the site's PACS; the hub may send reports to the site."""

    def __init__(self, folder: Path) -> None:
        self.pacs = Pacs()
        self.hub = NodeProcess(folder / "hub", HUB).start()
        at_hub = self.hub.run("token", "create", "SITE1", "--site", "SITE1", "--scope", "dicomweb:store")
        self.token = at_hub.stdout.strip()
        rules = SITE.replace("[[rule]]", HOME.replace("PACS_PORT", str(self.pacs.port)) + "[[rule]]", 1)
        rules = rules.replace("lease_s = 5.0", 'lease_s = 5.0\nreturns_from = ["hub"]')
        self.site = NodeProcess(folder / "site", rules.replace("HUB_URL", self.hub.url))
        (folder / "site" / "hub.token").write_text(at_hub.stdout)
        self.site.start()
        at_site = self.site.run("token", "create", "hub", "--site", "SITE1", "--scope", "dicomweb:store")
        assert at_site.returncode == 0, at_site.stderr
        self.hub.stop()
        (folder / "hub" / "site1.token").write_text(at_site.stdout)
        self.hub.file.write_text(self.hub.file.read_text() + RETURNING.replace("SITE_URL", self.site.url))
        self.hub.start()

    def stop(self) -> None:
        self.site.stop()
        self.hub.stop()
        self.pacs.stop()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    running = Story(tmp_path_factory.mktemp("story"))
    try:
        yield running
    finally:
        running.stop()


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
def test_a_report_from_the_hub_is_in_the_sites_pacs_as_the_patients_own_and_the_hub_never_knew_who(story, tmp_path):
    originals = list(a_ct_series(2, seed="return", StudyDate="20261121"))
    push(story, tmp_path, originals)
    image = at_hub(story, 2)
    report = a_structured_report(image, f"{image.PatientID}: không thấy bất thường.")

    store_at_hub(story, report)
    home = story.pacs.stored.get(timeout=60)

    original = originals[0]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "AccessionNumber"):
        assert home[keyword].value == original[keyword].value, keyword
    evidence = home.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == original.SeriesInstanceUID
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID in {one.SOPInstanceUID for one in originals}
    assert home.ContentSequence[0].TextValue == "Nguyễn Thị Hương: không thấy bất thường."
    told = wait_until(lambda: returned(story, original), what="ReportReturned")
    assert "InstanceDelivered" in told
    assert traces_of(story, original) == []
    assert story.pacs.stored.empty()


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
def test_what_a_reader_measured_and_chose_at_the_hub_is_seen_at_the_site_on_the_patients_own_images(story, tmp_path):
    originals = list(a_ct_series(4, seed="marks go home", StudyDate="20261122"))
    push(story, tmp_path, originals)
    image = at_hub(story, 4)
    of = {"seriesInstanceUID": image.SeriesInstanceUID, "sopInstanceUID": image.SOPInstanceUID, "frameNumber": None}
    length = {"quantity": "length", "value": 12.5, "unit": "mm"}
    mark = {**of, "uid": "2.25.7", "kind": "length", "points": [[10.5, 20.25], [30.0, 20.25]], "figures": [length]}
    marks = {"base": None, "marks": [{**mark, "calibration": "patient", "text": "ổ máu tụ"}]}
    choice = {"base": None, "title": "forReport", "description": "xem lát này", "images": [of]}

    story.hub.add_user("bs.hub", "reader", PASSWORD, "BS Trung tâm")
    with signed_in(story.hub, "bs.hub") as reader:
        for what, body in (("marks", marks), ("key-images", choice)):
            reader.post(f"/api/studies/{image.StudyInstanceUID}/{what}", json=body).raise_for_status()
    home = [story.pacs.stored.get(timeout=60) for _ in range(2)]

    original = next(one for one in originals if one.InstanceNumber == image.InstanceNumber)
    assert {(ds.Modality, ds.PatientID, ds.StudyInstanceUID) for ds in home} == {
        (modality, original.PatientID, original.StudyInstanceUID) for modality in ("SR", "KO")
    }
    with story.site.client() as site:
        address = f"/api/studies/{original.StudyInstanceUID}"
        (document,) = site.get(f"{address}/others-marks").raise_for_status().json()["documents"]
        (others,) = site.get(f"{address}/key-images").raise_for_status().json()["others"]
    (drawn,) = document["marks"]
    assert (document["author"], drawn["kind"], drawn["text"]) == ("BS Trung tâm", "length", "ổ máu tụ")
    assert drawn["amounts"] == [{"name": "Length", "value": 12.5, "unit": "mm"}]
    (shape,) = drawn["shapes"]
    assert shape["points"] == mark["points"]
    here = {"seriesInstanceUID": original.SeriesInstanceUID, "sopInstanceUID": original.SOPInstanceUID}
    assert {name: shape[name] for name in here} == here
    assert (others["author"], others["title"]) == ("BS Trung tâm", "forReport")
    assert others["images"] == [{**here, "frameNumber": None}]


@contextmanager
def signed_in(node: NodeProcess, name: str) -> Generator[httpx.Client]:
    """Give a client with a person's session."""
    with a_client(node.url) as client:
        session = client.post("/api/session", json={"name": name, "password": PASSWORD}).raise_for_status().json()
        client.headers["X-Vienanh-CSRF"] = session["csrf"]
        yield client


def push(story: Story, folder: Path, originals: list[Dataset]) -> None:
    paths = [folder / f"{number}.dcm" for number in range(len(originals))]
    for path, ds in zip(paths, originals, strict=True):
        path.write_bytes(as_file(ds))
    command = ["storescu", "-aec", "VIENANH", "127.0.0.1", str(story.site.dimse_port), *map(str, paths)]
    sent = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert sent.returncode == 0, sent.stderr


def at_hub(story: Story, count: int) -> Dataset:
    """Return an image as a reader at the hub sees it, when all have arrived."""

    def whole() -> str:
        studies = story.hub.studies()
        return next((one["studyInstanceUID"] for one in studies if one["have"] == count), "")

    study = wait_until(whole, what="arrival at the hub")
    with story.hub.client() as client:
        answer = client.get(f"/dicom-web/studies/{study}/metadata").raise_for_status()
    return Dataset.from_json(answer.json()[0], bulk_data_uri_handler=lambda _: b"")


def store_at_hub(story: Story, report: Dataset) -> None:
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + as_file(report) + b"\r\n--b--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
    with story.hub.client(story.token) as client:
        client.post("/dicom-web/studies", content=body, headers=headers).raise_for_status()


def returned(story: Story, original: Dataset) -> str:
    told = story.site.run("trace", original.StudyInstanceUID).stdout
    return told if "ReportReturned" in told and "pacs" in told else ""


def traces_of(story: Story, original: Dataset) -> list[str]:
    """Return the files of the hub, and its answers, that hold anything of the patient's or of the original."""
    told = {str(path): path.read_bytes() for path in story.hub.folder.rglob("*") if path.is_file()}
    with story.hub.client() as client:
        told["worklist"] = client.get("/api/worklist").content
        for study in client.get("/dicom-web/studies").json():
            uid = study["0020000D"]["Value"][0]
            told[uid] = client.get(f"/dicom-web/studies/{uid}/metadata").raise_for_status().content
    assert len(told) > 5
    return traces_in(told, original)


def traces_in(told: dict[str, bytes], original: Dataset) -> list[str]:
    needles = [
        *("hương", "huong", original.PatientID, original.AccessionNumber, original.PatientBirthDate),
        *(original.StudyInstanceUID, original.SeriesInstanceUID, original.SOPInstanceUID),
    ]
    folded = {name: content.decode("utf-8", "replace").lower() for name, content in told.items()}
    return [f"{needle} in {name}" for name, text in folded.items() for needle in needles if needle.lower() in text]


def test_the_search_for_traces_finds_what_is_there():
    ds = next(a_ct_series(1))

    found = traces_in({"a file": as_file(ds), "another": b"nothing"}, ds)

    assert {f"{needle} in a file" for needle in ("hương", ds.PatientID, ds.SOPInstanceUID)} <= set(found)
    assert not [one for one in found if "another" in one]
