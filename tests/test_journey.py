"""The story from the modality to the reading room, on two real nodes."""

import io
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pydicom
import pytest
from PIL import Image
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from exchange.commands.table import app
from gateway.dicomweb.ups.ups_events import LOOK_AGAIN_S, POLICY
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from tests.support.access import PASSWORD
from tests.support.builders import a_cr, a_ct, a_ct_series, as_file
from tests.support.http import a_client
from tests.support.nodes import TOKEN, Network, wait_until


def files_of(folder: Path, datasets) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, ds in enumerate(datasets, start=1):
        path = folder / f"{number:03}.dcm"
        path.write_bytes(as_file(ds))
        paths.append(path)
    return paths


def push(network: Network, paths: list[Path]) -> subprocess.CompletedProcess[str]:
    command = ["storescu", "-R", "-aec", "VIENANH", "127.0.0.1", str(network.site.dimse_port), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.peer("dcmtk")
def test_a_ct_pushed_at_the_site_is_read_at_the_hub_pseudonymised_and_whole(quiet_network, tmp_path):
    network = quiet_network
    originals = list(a_ct_series(12, seed="journey", StudyDescription="CT so nao cap cuu"))
    sent = push(network, files_of(tmp_path / "ct", originals))
    assert sent.returncode == 0, sent.stderr

    study = network.arrived(12)

    assert (study["priority"], study["expected"], study["site"]) == ("stat", 12, "SITE1")
    assert study["patientName"] != "Nguyễn^Thị Hương"
    assert study["studyInstanceUID"] != originals[0].StudyInstanceUID
    with network.hub.client() as client:
        metadata = client.get(f"/dicom-web/studies/{study['studyInstanceUID']}/metadata").raise_for_status()
        assert "Hương" not in metadata.text
        assert originals[0].PatientID not in metadata.text
        assert originals[0].SOPInstanceUID not in metadata.text
        first = metadata.json()[0]
        path = f"/dicom-web/studies/{study['studyInstanceUID']}/series/{first['0020000E']['Value'][0]}"
        instance = f"{path}/instances/{first['00080018']['Value'][0]}"
        whole = client.get(instance, headers={"Accept": "application/dicom"}).raise_for_status()
        picture = client.get(f"{instance}/rendered", headers={"Accept": "image/png"}).raise_for_status()
    arrived = pydicom.dcmread(io.BytesIO(whole.content))
    original = originals[int(arrived.InstanceNumber) - 1]
    assert arrived.PixelData == original.PixelData
    assert arrived.PatientIdentityRemoved == "YES"
    assert Image.open(io.BytesIO(picture.content)).size == (64, 64)


@pytest.mark.peer("dcmtk")
def test_both_ends_tell_the_same_trace(quiet_network, tmp_path):
    network = quiet_network
    original, *others = a_ct_series(3, seed="trace")
    push(network, files_of(tmp_path / "ct", [original, *others]))
    study = network.arrived(3)

    def delivered() -> str:
        told = network.site.run("trace", original.StudyInstanceUID).stdout
        return told if "StudyDelivered" in told else ""

    at_site = wait_until(delivered, what="StudyDelivered")
    at_hub = network.hub.run("trace", study["studyInstanceUID"]).stdout

    assert at_site.startswith(trace := f"trace {study['traceId']}, begun ")
    assert at_hub.startswith(trace)
    for name in ("InstanceReceived", "PlanMade", "StudyComplete", "InstanceDeidentified", "InstanceDelivered"):
        assert name in at_site
    for name in ("InstanceReceived", "ManifestReceived", "StudyComplete"):
        assert name in at_hub


@pytest.mark.peer("dcmtk")
def test_a_slide_is_whole_at_the_hub_without_its_label_and_nobody_was_asked(quiet_network, tmp_path):
    network = quiet_network
    flavours = ("VOLUME", "LABEL", "OVERVIEW", "THUMBNAIL")
    slide = [
        a_ct(seed="slide", instance=number, SOPClassUID=WHOLE_SLIDE, ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"])
        for number, flavour in enumerate(flavours, start=1)
    ]
    sent = push(network, files_of(tmp_path / "slide", slide))
    assert sent.returncode == 0, sent.stderr

    study = network.arrived(2)

    assert study["expected"] == 2
    assert len(network.hub.instances(study["studyInstanceUID"])) == 2
    uid = slide[0].StudyInstanceUID
    assert set(network.site.instances(uid)) == {
        one.SOPInstanceUID for one in slide
    }  # to the token, which may see labels
    assert "LabelKept" in network.site.run("trace", uid).stdout


@pytest.mark.peer("dcmtk")
def test_an_account_that_is_disabled_is_out_at_once_whatever_it_has_open(quiet_network, tmp_path):
    network, hub = quiet_network, quiet_network.hub
    push(network, files_of(tmp_path / "ct", [a_ct(seed="withdrawn")]))
    study = network.arrived(1)
    metadata = f"/dicom-web/studies/{study['studyInstanceUID']}/metadata"
    hub.add_user("bs.lan", "reader", PASSWORD)
    with a_client(hub.url) as browser, a_client(hub.url) as launched:
        signed_in = browser.post("/api/session", json={"name": "bs.lan", "password": PASSWORD}).raise_for_status()
        csrf = {"X-Vienanh-CSRF": signed_in.json()["csrf"]}
        ways = f"/api/studies/{study['studyInstanceUID']}/programs/weasis?site={study['site']}"
        address = browser.post(ways, headers=csrf).raise_for_status().json()["address"]
        launched.headers["Authorization"] = re.search('Bearer [^"]+', unquote(address))[0]
        events = f"ws{hub.url.removeprefix('http')}/dicom-web/ws/subscribers/LAN"
        cookie = {"Cookie": f"vienanh_session={browser.cookies['vienanh_session']}"}
        with connect(events, additional_headers=cookie, proxy=None) as stream:
            assert [one.get(metadata).status_code for one in (browser, launched)] == [200, 200]

            assert CliRunner().invoke(app, ["user", "disable", "bs.lan", "--config", str(hub.file)]).exit_code == 0

            assert [one.get(metadata).status_code for one in (browser, launched)] == [401, 401]
            assert browser.get("/api/worklist").status_code == 401
            with pytest.raises(ConnectionClosed) as ended:
                stream.recv(timeout=4 * LOOK_AGAIN_S)
    assert ended.value.rcvd.code == POLICY


@pytest.mark.peer("dcmtk")
def test_no_log_line_names_the_patient(quiet_network, tmp_path):
    network = quiet_network
    push(network, files_of(tmp_path / "cr", [a_cr(seed="log")]))
    network.arrived(1)

    logs = network.site.log + network.hub.log

    assert "node_ready" in logs
    assert not [word for word in ("Hương", "Huong", "BN0000", "19700412", TOKEN) if word in logs]


def test_a_node_tells_the_first_administrator_s_password_once(quiet_network):
    for node in (quiet_network.site, quiet_network.hub):
        assert node.log.count("first sign-in: account admin, one-time password ") == 1


def test_a_node_answers_health_metrics_and_its_description(quiet_network):
    network = quiet_network
    with a_client(network.hub.url) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        assert client.get("/health/ready").json() == {"status": "ready"}
        assert "vienanh_stage_seconds_bucket" in client.get("/metrics").text
        assert "/api/worklist" in client.get("/api/openapi.json").json()["paths"]
        assert client.get("/dicom-web/studies").status_code == 401
        assert client.get("/api/worklist").status_code == 401


def test_a_node_stops_in_order_when_it_is_told_to(quiet_network):
    network = quiet_network

    assert network.site.stop() == 0
    assert not (network.site.data / "listening.json").exists()
