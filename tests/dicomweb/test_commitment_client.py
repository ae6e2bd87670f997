"""A DICOMweb destination is asked for commitment over HTTP by a node like ours, and its word is taken or not."""

import pytest

from gateway.dicomweb.client.committing import ask_commitment, read_verdict
from gateway.dicomweb.client.sending import StowTransport
from kernel.archive.commitment.requests import Reference
from kernel.clock import ManualClock, SystemClock
from kernel.errors import InvalidRequest, PeerBusy, PeerUnreachable
from tests.support.builders import a_ct, a_ct_series


def asking(url: str, token_file, clock=None):
    def connect() -> StowTransport:
        return StowTransport("hub", url, SystemClock(), timeout_s=30.0, token_file=token_file)

    return ask_commitment(connect, "hub", clock or ManualClock())


@pytest.fixture
def token_file(node, tmp_path):
    path = tmp_path / "token"
    path.write_text(node.token)
    return path


def test_a_node_says_what_it_keeps_and_why_not_the_rest(node, token_file):
    node.store(a_ct())
    wanted = [Reference(str(a_ct().SOPClassUID), uid) for uid in (str(a_ct().SOPInstanceUID), "1.2.404")]

    verdict = asking(f"{node.url}/dicom-web", token_file)("2.25.1", wanted)

    assert verdict.committed == {a_ct().SOPInstanceUID}
    assert verdict.failures == {"1.2.404": 0x0112}


def test_a_result_that_does_not_come_is_asked_for_later(node, token_file, monkeypatch):
    monkeypatch.setattr("gateway.dicomweb.commitment.WAIT_S", 0.0)
    monkeypatch.setattr("gateway.dicomweb.client.committing.LOOKS_MAX", 3)
    monkeypatch.setattr("kernel.archive.commitment.desk.CommitmentDesk.run_once", lambda _: 0)
    clock = ManualClock()
    begun_s = clock.monotonic_s()

    with pytest.raises(PeerBusy, match="it answered 202"):
        asking(f"{node.url}/dicom-web", token_file, clock)("2.25.1", [Reference("1.2", "1.3")])

    assert clock.monotonic_s() - begun_s == 3.0


def test_a_destination_that_refuses_or_is_away_is_told_apart(node, token_file, tmp_path):
    references = [Reference(str(ds.SOPClassUID), str(ds.SOPInstanceUID)) for ds in a_ct_series(2)]
    other = tmp_path / "other"
    other.write_text(node.a_token("dicomweb:read"))

    with pytest.raises(InvalidRequest, match="with 403"):
        asking(f"{node.url}/dicom-web", other)("2.25.1", references)
    with pytest.raises(InvalidRequest, match="with 404"):
        asking(f"{node.url}/nothing", token_file)("2.25.1", references)
    with pytest.raises(PeerUnreachable):
        asking("http://127.0.0.1:1/dicom-web", token_file)("2.25.1", references)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"00081199":7}',
        b'{"00081199":{"Value":[{}]}}',
        b'{"00081198":{"Value":[{"00081155":{"Value":["1"]}}]}}',
    ],
)
def test_a_result_that_cannot_be_read_is_no_commitment(body):
    with pytest.raises(PeerBusy, match="its result cannot be read"):
        read_verdict(body, "hub")


@pytest.mark.parametrize("wrap", [b"%s", b"[%s]"], ids=["an object", "an array of one"])
def test_a_result_is_read_in_either_form(wrap):
    body = b'{"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]}}'

    assert read_verdict(wrap % body, "hub").committed == {"1.2"}
