"""Orthanc's DICOMweb plug-in as a peer: it takes what we send, sends to us, searches and retrieves from us."""

import contextlib
import io
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array

from kernel.archive.tables import instance
from routing.transport import Cause, ReceiptState
from tests.dicomweb.conftest import Node, running_node
from tests.dicomweb.test_client import a_parcel, transport_to
from tests.dicomweb.test_wado import FIXTURES
from tests.support.builders import a_ct, a_ct_series, as_file
from tests.support.http import a_client

pytestmark = pytest.mark.peer("orthanc")
START_S = 30


@contextlib.contextmanager
def orthanc(folder: Path, node: Node) -> Iterator[str]:
    """Run the distribution's Orthanc, which knows our node as the DICOMweb server `us`; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    us = {"Url": f"{node.url}/dicom-web/", "HttpHeaders": {"Authorization": f"Bearer {node.token}"}}
    settings = {
        "StorageDirectory": str(folder),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "OverwriteInstances": True,
        "Plugins": [str(next(Path("/usr/share/orthanc/plugins").glob("libOrthancDicomWeb.so*")))],
        "DicomWeb": {"Enable": True, "Servers": {"us": us}},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    log = (folder / "orthanc.log").open("wb")
    process = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        log.close()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    never = threading.Event()
    for _ in range(START_S * 10):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "Orthanc ended"
        never.wait(0.1)
    raise AssertionError("Orthanc did not start")


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, str]]:
    with (
        running_node(tmp_path_factory.mktemp("node")) as node,
        orthanc(tmp_path_factory.mktemp("orthanc"), node) as url,
    ):
        yield node, url


def test_orthanc_takes_what_we_send_and_says_so(peers, tmp_path):
    _, url = peers
    slices = list(a_ct_series(3, seed="to orthanc"))
    parcels = [a_parcel(tmp_path, ds) for ds in slices]
    with transport_to(f"{url}/dicom-web") as hub:
        first, again, probed = hub.deliver(parcels), hub.deliver(parcels), hub.probe()

    assert [receipt.state for receipt in [*first, *again, probed]] == [ReceiptState.DELIVERED] * 7
    with a_client(url) as client:
        (identifier,) = client.post("/tools/lookup", content=slices[1].SOPInstanceUID).json()
        back = client.get(f"/instances/{identifier['ID']}/file")
    assert pydicom.dcmread(io.BytesIO(back.content)).PixelData == slices[1].PixelData


def test_orthanc_does_not_hold_up_a_study_for_one_bad_instance(peers, tmp_path):
    _, url = peers
    bad = a_parcel(tmp_path, a_ct(seed="bad", instance=1))
    bad.path.write_bytes(b"other bytes before" + b"<html>".ljust(bad.tail_bytes))
    with transport_to(f"{url}/dicom-web") as hub:
        good, refused = hub.deliver([a_parcel(tmp_path, a_ct(seed="bad", instance=2)), bad])

    assert good.is_success
    assert refused.cause in (Cause.POISON, Cause.LINK)


def test_orthanc_sends_to_us_by_stow(peers):
    node, url = peers
    ds = a_ct(seed="from orthanc")
    with a_client(url) as client:
        identifier = client.post("/instances", content=as_file(ds)).raise_for_status().json()["ID"]
        sent = client.post("/dicom-web/servers/us/stow", json={"Resources": [identifier], "Synchronous": True})

    assert sent.status_code == 200, sent.text
    assert ds.SOPInstanceUID in [row.sop_instance_uid for row in node.rows(instance)]


def test_orthanc_searches_and_retrieves_from_us(peers):
    node, url = peers
    slices = list(a_ct_series(3, seed="retrieved"))
    node.store(*slices)
    study = slices[0].StudyInstanceUID
    with a_client(url) as client:
        asked = {"Uri": "/studies", "Arguments": {"StudyInstanceUID": study}}
        found = client.post("/dicom-web/servers/us/qido", json=asked).raise_for_status().json()
        got = client.post(
            "/dicom-web/servers/us/retrieve", json={"Resources": [{"Study": study}], "Synchronous": True}
        ).raise_for_status()
        here = client.post("/tools/find", json={"Level": "Instance", "Query": {"StudyInstanceUID": study}}).json()

    assert found[0]["0020000D"]["Value"] == study
    assert got.status_code == 200
    assert len(here) == 3


def test_orthanc_understands_that_nothing_was_found(peers):
    _, url = peers
    with a_client(url) as client:
        asked = {"Uri": "/studies", "Arguments": {"PatientID": "nobody"}}
        found = client.post("/dicom-web/servers/us/qido", json=asked)

    assert (found.status_code, found.json()) == (200, [])


@pytest.mark.parametrize("name", ["ct_jpeg_ls.dcm", "ct_jpeg_2000.dcm", "ct_rle.dcm", "us_cine_jpeg.dcm"])
def test_orthanc_retrieves_what_is_compressed_here(peers, name):
    node, url = peers
    content = (FIXTURES / name).read_bytes()
    ds = pydicom.dcmread(io.BytesIO(content))
    series = {"Study": ds.StudyInstanceUID, "Series": ds.SeriesInstanceUID}
    assert node.store(content).status_code == 200
    with a_client(url) as client:
        client.post(
            "/dicom-web/servers/us/retrieve", json={"Resources": [series], "Synchronous": True}
        ).raise_for_status()
        (identifier,) = client.post("/tools/lookup", content=ds.SOPInstanceUID).json()
        back = pydicom.dcmread(io.BytesIO(client.get(f"/instances/{identifier['ID']}/file").content))

    assert back.SOPInstanceUID == ds.SOPInstanceUID
    difference = np.abs(pixel_array(back).astype(int) - pixel_array(ds).astype(int))
    assert difference.mean() < 1 if "jpeg.dcm" in name else not difference.any()
