"""The journey on machines that fail: a full disk, a cable pulled in a batch, a kill in a request."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.builders import a_ct_series, with_pixels
from tests.support.cable import a_cable
from tests.support.nodes import HUB, SITE, NodeProcess, wait_until
from tests.support.written import tissue
from tests.test_journey import files_of

COUNT = 30
KIND = 'multipart/related; type="application/dicom"; boundary=b'


def store(node: NodeProcess, files: dict[str, Path]) -> set[str]:
    """Send files by C-STORE, going on after a refusal; return the UIDs of those that were taken."""
    address = ["-aec", "ANY", "127.0.0.1", str(node.dimse_port)]
    command = ["storescu", "-v", "-nh", *address, *map(str, files.values())]
    sent = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    answers = re.findall(r"Received Store Response \((\w+)", sent.stdout + sent.stderr)
    return {uid for uid, answer in zip(files, answers, strict=False) if answer == "Success"}


def body_of(files: dict[str, Path]) -> Iterator[bytes]:
    for file in files.values():
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file.read_bytes() + b"\r\n"
    yield b"--b--\r\n"


def stow(node: NodeProcess, body: Iterator[bytes]) -> httpx.Response:
    with node.client() as client:
        return client.post("/dicom-web/studies", content=body, headers={"Content-Type": KIND})


def here(node: NodeProcess) -> set[str]:
    """Return what the one study of a node has, none of it twice; empty without a study."""
    studies = node.studies()
    uids = node.instances(studies[0]["studyInstanceUID"]) if studies else []
    assert len(set(uids)) == len(uids)
    return set(uids)


def written(folder: Path, *, seed: str, noisy: bool = False) -> dict[str, Path]:
    datasets = list(a_ct_series(COUNT, seed=seed))
    if noisy:
        datasets = [with_pixels(ds, tissue(512, 512, seed=number)) for number, ds in enumerate(datasets)]
    return dict(zip((ds.SOPInstanceUID for ds in datasets), files_of(folder, datasets), strict=True))


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
def test_a_site_whose_disk_is_full_to_the_last_byte_says_so_and_goes_on_when_there_is_room(small_disk, tmp_path):
    hub = NodeProcess(tmp_path / "hub", HUB).start()
    token = hub.run("token", "create", "SITE1", "--site", "SITE1", "--scope", "dicomweb:store").stdout
    settings = SITE.replace("HUB_URL", hub.url) + "[archive]\nfree_bytes_min = 1\n"
    site = NodeProcess(small_disk / "site", settings)  # its log is on this disk, too
    (small_disk / "site" / "hub.token").write_text(token)
    site.start()
    files = written(tmp_path / "ct", seed="full", noisy=True)
    try:
        promised = store(site, files)
        fill(small_disk / "ballast")
        refused = stow(site, body_of(files))
        doctor = site.run("doctor")

        assert 0 < len(promised) < COUNT
        assert (refused.status_code, refused.json()["code"]) == (503, "StorageFull")
        assert (doctor.returncode, "wrong  disk: 0 MiB are free" in doctor.stdout, doctor.stderr) == (1, True, "")

        (small_disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        assert promised <= here(site)
        assert store(site, files) == set(files)
        wait_until(lambda: len(here(hub)) == COUNT, what="arrival at the hub")
        assert "match their digests" in site.run("doctor", "--deep").stdout
    finally:
        site.stop()
        hub.stop()


def fill(file: Path) -> None:
    """Take what is left of a disk."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65536, 512, 1):
            try:
                while ballast.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
def test_a_cable_pulled_in_a_batch_and_a_hub_that_starts_anew_cost_nothing(tmp_path):
    hub = NodeProcess(tmp_path / "hub", HUB).start()
    token = hub.run("token", "create", "SITE1", "--site", "SITE1", "--scope", "dicomweb:store").stdout
    port = int(hub.url.rpartition(":")[2])
    files = written(tmp_path / "ct", seed="cable")
    with a_cable(port) as cable:
        settings = SITE.replace("HUB_URL", f"http://127.0.0.1:{cable.port}")
        site = NodeProcess(tmp_path / "site", settings.replace("[routing]", "[routing]\nrequest_timeout_s = 1"))
        (tmp_path / "site" / "hub.token").write_text(token)
        site.start()
        try:
            cable.pull_after(60_000)
            assert store(site, files) == set(files)
            assert cable.pulled.wait(30)
            told = wait_until(lambda: "link" in (said := site.run("lanes").stdout) and said, what="a pause of the lane")
            assert "paused" in told
            hub.kill()
            hub.start()
            cable.plug_in()

            wait_until(lambda: len(here(hub)) == COUNT, what="arrival at the hub")
            assert here(site) == set(files)
        finally:
            site.stop()
            hub.stop()


@pytest.mark.slow
def test_a_site_killed_in_a_request_and_again_while_it_delivers_has_and_sends_each_instance_once(network, tmp_path):
    site, files = network.site, written(tmp_path / "ct", seed="stow", noisy=True)

    def cut() -> Iterator[bytes]:
        for number, part in enumerate(body_of(files)):
            if number == COUNT // 2:
                site.kill()
            yield part

    with pytest.raises(httpx.TransportError):
        stow(site, cut())
    site.start()
    assert here(site) < set(files)

    answer = stow(site, body_of(files))
    wait_until(lambda: here(network.hub), every_s=0.005, what="the first at the hub")
    site.kill()
    site.start()

    assert answer.status_code == 200
    assert here(site) == set(files)
    wait_until(lambda: len(here(network.hub)) == COUNT, what="arrival at the hub")


def test_a_node_whose_log_cannot_be_written_starts_and_ends_all_the_same(tmp_path):
    data = tmp_path / "data"
    command = [sys.executable, "-m", "exchange", "serve", "--data", str(data), "--http-port", "0", "--dicom-port", "0"]
    with Path("/dev/full").open("w") as full, subprocess.Popen(command, stdout=full, stderr=full) as node:
        try:
            wait_until(lambda: node.poll() is not None or (data / "listening.json").exists(), what="an answer")
            address = json.loads((data / "listening.json").read_text())["http"]
            assert httpx.get(address + "/health/ready").json() == {"status": "ready"}
        finally:
            node.terminate()
