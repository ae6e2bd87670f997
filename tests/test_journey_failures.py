"""The same journey with the cable pulled, nodes killed and garbage sent: nothing acknowledged is lost, nothing doubled."""

import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.builders import a_ct_series
from tests.support.nodes import Network, wait_until
from tests.test_journey import files_of, push

COUNT = 30


class Sender(threading.Thread):
    """A pretend CT: one storescu a slice, and again for what was not acknowledged, as modalities do."""

    def __init__(self, port: int, folder: Path, datasets) -> None:
        super().__init__(daemon=True)
        self.port = port
        datasets = list(datasets)
        self.left = dict(zip((ds.SOPInstanceUID for ds in datasets), files_of(folder, datasets), strict=True))
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        for _ in range(200):
            for uid, path in list(self.left.items()):
                command = [
                    "storescu",
                    "-to",
                    "5",
                    "-ta",
                    "10",
                    "-td",
                    "10",
                    "-aec",
                    "ANY",
                    "127.0.0.1",
                    str(self.port),
                    str(path),
                ]
                if subprocess.run(command, capture_output=True, check=False, timeout=60).returncode != 0:
                    break
                self.acknowledged.add(uid)
                del self.left[uid]
            if not self.left:
                return
            threading.Event().wait(0.1)


def acknowledged_at_least(sender: Sender, count: int):
    return wait_until(lambda: len(sender.acknowledged) >= count, every_s=0.002, what=f"{count} acknowledgements")


def check_whole(network: Network) -> None:
    study = network.arrived(COUNT, timeout_s=90)
    assert len(set(network.hub.instances(study["studyInstanceUID"]))) == COUNT
    (at_site,) = network.site.studies()
    assert (at_site["have"], len(set(network.site.instances(at_site["studyInstanceUID"])))) == (COUNT, COUNT)


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
def test_a_hub_that_is_down_for_the_whole_sending_gets_everything_when_it_is_back(network, tmp_path):
    network.hub.kill()
    sent = push(network, files_of(tmp_path / "ct", a_ct_series(COUNT, seed="down")))
    assert sent.returncode == 0, sent.stderr

    def paused() -> bool:
        return "paused" in network.site.run("lanes").stdout

    wait_until(paused, what="a pause of the lane")

    network.hub.start()

    check_whole(network)


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("after", [1, 11, 23], ids=lambda after: f"after {after}")
def test_a_site_killed_while_it_receives_loses_nothing_that_it_acknowledged(network, tmp_path, after):
    sender = Sender(network.site.dimse_port, tmp_path / "ct", a_ct_series(COUNT, seed=f"site-{after}"))
    sender.start()
    acknowledged_at_least(sender, after)
    network.site.kill()
    promised = set(sender.acknowledged)

    network.site.start()
    (study,) = network.site.studies()
    found = set(network.site.instances(study["studyInstanceUID"]))

    assert promised <= found
    sender.join(60)
    check_whole(network)


@pytest.mark.slow
@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("after", [3, 17], ids=lambda after: f"after {after}")
def test_a_hub_killed_while_it_receives_has_each_instance_once_in_the_end(network, tmp_path, after):
    sender = Sender(network.site.dimse_port, tmp_path / "ct", a_ct_series(COUNT, seed=f"hub-{after}"))
    sender.start()
    wait_until(lambda: any(one["have"] >= after for one in network.hub.studies()), every_s=0.01, what="arrival")
    network.hub.kill()

    network.hub.start()

    sender.join(60)
    check_whole(network)


@pytest.mark.peer("dcmtk")
def test_garbage_is_refused_kept_apart_and_does_not_stop_the_node(network, tmp_path):
    fixtures = Path(__file__).parents[1] / "fixtures" / "dicom"
    with network.site.client() as client:
        body = (
            b"--b\r\nContent-Type: application/dicom\r\n\r\n"
            + (fixtures / "broken_html.dcm").read_bytes()
            + b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n"
            + (fixtures / "broken_no_studyinstanceuid.dcm").read_bytes()
            + b"\r\n--b--\r\n"
        )
        kind = 'multipart/related; type="application/dicom"; boundary=b'
        answer = client.post("/dicom-web/studies", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 409
    told = network.site.run("quarantine", "list").stdout
    assert "StudyInstanceUID is missing" in told
    push(network, files_of(tmp_path / "ct", a_ct_series(2, seed="after garbage")))
    assert network.arrived(2)


def test_the_doctor_says_what_is_wrong_in_words(network):
    network.hub.kill()

    told = network.site.run("doctor")

    assert told.returncode == 1
    assert "destination hub: link" in told.stdout
