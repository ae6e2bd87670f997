"""STOW-RS as a transport: against a running node, and against a peer that misbehaves by script."""

import contextlib
import hashlib
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from exchange.commands.table import app
from gateway.dicomweb.client import sending as client_module
from gateway.dicomweb.client.sending import StowTransport
from gateway.dicomweb.client.silence import told_silence
from kernel.archive.tables import instance, manifest, study
from kernel.clock import SystemClock
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.errors import Forbidden, InvalidConfiguration, InvalidRequest, NotAuthenticated, PeerBusy, PeerUnreachable
from routing.transport import Cause, Manifest, Parcel, ReceiptState
from tests.dicomweb.conftest import Node, running_node
from tests.dicomweb.scripted import Scripted
from tests.support.builders import a_ct, as_file

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def a_parcel(folder: Path, ds, *, head_bytes: int = 0) -> Parcel:
    """An instance on disk as a parcel; its first `head_bytes` in memory, as after de-identification."""
    content = as_file(ds)
    meta = read_file_meta(content)
    path = folder / f"{ds.SOPInstanceUID}.{hashlib.sha256(content).hexdigest()[:8]}"
    path.write_bytes(b"other bytes before" + content[head_bytes:])
    return Parcel(
        sop_class_uid=ds.SOPClassUID,
        sop_instance_uid=ds.SOPInstanceUID,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        study_instance_uid=ds.StudyInstanceUID,
        sha256=hashlib.sha256(content[meta.dataset_offset :]).hexdigest(),
        size_bytes=len(content),
        dataset_offset=meta.dataset_offset,
        path=path,
        tail_offset=len(b"other bytes before"),
        tail_bytes=len(content) - head_bytes,
        trace_id=TRACE,
        priority="routine",
        head=content[:head_bytes],
    )


@contextlib.contextmanager
def transport(node: Node, folder: Path, token: str | None = None, **options) -> Iterator[StowTransport]:
    file = folder / "token"
    file.write_text((node.token if token is None else token) + "\n", encoding="ascii")
    with transport_to(node.url + "/dicom-web", token_file=file, **options) as made:
        yield made


@contextlib.contextmanager
def transport_to(url: str, **options) -> Iterator[StowTransport]:
    made = StowTransport("hub", url, SystemClock(), **{"timeout_s": 5.0, **options})
    yield made
    made.close()


def test_a_batch_is_delivered_and_the_bytes_arrive_as_they_were(node, tmp_path):
    parcels = [a_parcel(tmp_path, a_ct(instance=n), head_bytes=700 * (n % 2)) for n in (1, 2, 3)]
    with transport(node, tmp_path) as hub:
        receipts = hub.deliver(parcels)

    assert [(r.sop_instance_uid, r.state) for r in receipts] == [
        (parcel.sop_instance_uid, ReceiptState.DELIVERED) for parcel in parcels
    ]
    assert {row.sop_instance_uid: row.sha256 for row in node.rows(instance)} == {
        parcel.sop_instance_uid: parcel.sha256 for parcel in parcels
    }
    assert [row.trace_id for row in node.rows(study)] == [TRACE]


def test_an_instance_that_the_peer_has_is_delivered_and_other_bytes_are_a_conflict(node, tmp_path):
    with transport(node, tmp_path) as hub:
        hub.deliver([a_parcel(tmp_path, a_ct())])
        (again,) = hub.deliver([a_parcel(tmp_path, a_ct())])
        (other,) = hub.deliver([a_parcel(tmp_path, a_ct(KVP="100"))])

    assert again.is_success
    assert (other.state, other.cause, other.status) == (ReceiptState.REFUSED, Cause.CONFLICT, "409/0111")


def test_one_poisonous_instance_does_not_hold_up_its_study(node, tmp_path):
    bad = a_parcel(tmp_path, a_ct(instance=2, SeriesInstanceUID="not a uid"))
    with transport(node, tmp_path) as hub:
        receipts = hub.deliver([a_parcel(tmp_path, a_ct(instance=1)), bad, a_parcel(tmp_path, a_ct(instance=3))])

    assert [(r.state, r.cause) for r in receipts] == [
        (ReceiptState.DELIVERED, None), (ReceiptState.REFUSED, Cause.POISON), (ReceiptState.DELIVERED, None)
    ]  # fmt: skip


def test_a_batch_that_is_refused_as_a_whole_is_asked_about_one_by_one(tmp_path):
    parcels = [
        a_parcel(tmp_path, a_ct(instance=1)),
        a_parcel(tmp_path, a_ct(instance=2, rows=256, columns=256)),
        a_parcel(tmp_path, a_ct(instance=3)),
    ]
    with running_node(tmp_path / "hub", http={"body_bytes_max": 100_000}) as node, transport(node, tmp_path) as hub:
        receipts = hub.deliver(parcels)

    assert [(r.state, r.status) for r in receipts] == [
        (ReceiptState.DELIVERED, "200"), (ReceiptState.REFUSED, "413"), (ReceiptState.DELIVERED, "200")
    ]  # fmt: skip


def test_a_wrong_token_and_a_token_that_may_not_store_pause_the_lane(node, tmp_path):
    parcel = a_parcel(tmp_path, a_ct())
    for token in ("vat_wrong", node.a_token("dicomweb:read"), ""):
        with transport(node, tmp_path, token) as hub:
            (receipt,) = hub.deliver([parcel])
        assert (receipt.state, receipt.cause) == (ReceiptState.RETRY, Cause.AUTHENTICATION)


def test_a_full_peer_says_when_to_come_back(tmp_path, monkeypatch):
    with running_node(tmp_path / "hub") as node, transport(node, tmp_path) as hub:
        monkeypatch.setattr(node.blobs, "_free_bytes_min", 2**62)
        (receipt,) = hub.deliver([a_parcel(tmp_path, a_ct())])

    assert (receipt.state, receipt.cause, receipt.status) == (ReceiptState.RETRY, Cause.FULL, "503")
    assert receipt.retry_after_s == 10


def test_a_peer_that_is_not_there_is_a_link_failure(tmp_path):
    with transport_to("http://127.0.0.1:9") as nobody:
        (receipt,) = nobody.deliver([a_parcel(tmp_path, a_ct())])
        probed = nobody.probe()

    assert (receipt.state, receipt.cause, receipt.detail) == (
        ReceiptState.RETRY,
        Cause.LINK,
        "no answer: Connection refused",
    )
    assert (probed.state, probed.cause) == (ReceiptState.RETRY, Cause.LINK)


def test_a_blob_of_ours_that_is_missing_or_short_is_raised_and_not_blamed_on_the_peer(node, tmp_path):
    missing, short = a_parcel(tmp_path, a_ct(instance=1)), a_parcel(tmp_path, a_ct(instance=2))
    missing.path.unlink()
    short.path.write_bytes(short.path.read_bytes()[:-10])
    with transport(node, tmp_path) as hub:
        with pytest.raises(FileNotFoundError, match="No such file"):
            hub.deliver([missing])
        with pytest.raises(OSError, match="shorter than its parcel"):
            hub.deliver([short])
        assert hub.deliver([a_parcel(tmp_path, a_ct(instance=3))])[0].is_success


def test_the_manifest_travels_with_a_batch_and_alone(node, tmp_path):
    parcel = a_parcel(tmp_path, a_ct())
    said = Manifest(parcel.study_instance_uid, 1, 1, None, "stat", TRACE)
    with transport(node, tmp_path) as hub:
        hub.deliver([parcel], said)
        hub.announce(Manifest(parcel.study_instance_uid, 2, 1, "association-released", "stat", TRACE))

    assert [(row.version, row.instances_expected) for row in node.rows(manifest)] == [(2, 1)]
    assert [(row.state, row.priority) for row in node.rows(study)] == [("complete", 0)]


def test_probing_a_node_needs_no_right_to_read(node, tmp_path):
    with transport(node, tmp_path, node.a_token("dicomweb:store", site="BV7")) as hub:
        probed = hub.probe()
        assert probed.state is ReceiptState.DELIVERED
        assert probed.told_at is not None
        assert abs(probed.told_at - SystemClock().now()) < timedelta(minutes=5)
    with transport(node, tmp_path, "vat_wrong") as hub:
        assert hub.probe().cause is Cause.AUTHENTICATION


# --- a peer by script -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def answering(server, status: int, body: bytes = b"", *, timeout_s: float = 5.0, **headers: str):
    Scripted.answer = (status, headers, body)
    with transport_to(f"http://127.0.0.1:{server.server_port}/dicom-web", timeout_s=timeout_s) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "body", "state", "cause"),
    [
        (200, b"", ReceiptState.RETRY, Cause.LINK),
        (200, b"<html>captive portal</html>", ReceiptState.RETRY, Cause.LINK),
        (204, b"", ReceiptState.RETRY, Cause.LINK),
        (302, b"", ReceiptState.RETRY, Cause.LINK),
        (400, b"", ReceiptState.REFUSED, Cause.POISON),
        (401, b"", ReceiptState.RETRY, Cause.AUTHENTICATION),
        (403, b"", ReceiptState.RETRY, Cause.AUTHENTICATION),
        (404, b"", ReceiptState.RETRY, Cause.LINK),
        (409, b"", ReceiptState.REFUSED, Cause.POISON),
        (415, b"", ReceiptState.REFUSED, Cause.POISON),
        (429, b"", ReceiptState.RETRY, Cause.FULL),
        (500, b"", ReceiptState.RETRY, Cause.LINK),
        (502, b"", ReceiptState.RETRY, Cause.LINK),
        (503, b"", ReceiptState.RETRY, Cause.FULL),
        (507, b"", ReceiptState.RETRY, Cause.FULL),
    ],
)
def test_no_answer_but_the_peers_word_counts_as_delivered(scripted, tmp_path, status, body, state, cause):
    with answering(scripted, status, body) as peer:
        (receipt,) = peer.deliver([a_parcel(tmp_path, a_ct())])

    assert (receipt.state, receipt.cause) == (state, cause)


def test_after_a_refusal_of_the_whole_a_blocked_way_ends_the_asking(scripted, tmp_path, monkeypatch):
    parcels = [a_parcel(tmp_path, a_ct(instance=number)) for number in (1, 2, 3)]
    statuses = iter([400, 400, 503])
    sent = client_module.StowTransport._exchange

    def exchange(self, *args):
        Scripted.answer = (next(statuses), {"Retry-After": "7"}, b"")
        return sent(self, *args)

    monkeypatch.setattr(client_module.StowTransport, "_exchange", exchange)
    with answering(scripted, 400) as peer:
        receipts = peer.deliver(parcels)

    assert [(r.sop_instance_uid, r.state, r.retry_after_s) for r in receipts] == [
        (parcels[0].sop_instance_uid, ReceiptState.REFUSED, 7.0),
        (parcels[1].sop_instance_uid, ReceiptState.RETRY, 7.0),
        (parcels[2].sop_instance_uid, ReceiptState.RETRY, 7.0),
    ]


def test_an_answer_that_never_ends_and_one_that_is_too_long_are_given_up(scripted, tmp_path, monkeypatch):
    parcel = a_parcel(tmp_path, a_ct())
    with answering(scripted, 200, b"{", timeout_s=0.3, **{"Content-Length": "10"}) as peer:
        (silent,) = peer.deliver([parcel])
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", 1000)
    with answering(scripted, 200, b"x" * 2000) as peer:
        (long,) = peer.deliver([parcel])

    assert (silent.cause, silent.detail) == (Cause.LINK, "no answer: ReadTimeout")
    assert (long.cause, long.detail) == (Cause.LINK, "its answer is longer than 1000 bytes")


def test_the_request_carries_type_length_trace_and_manifest_and_no_identity(scripted, tmp_path):
    parcel = a_parcel(tmp_path, a_ct())
    said = Manifest(parcel.study_instance_uid, 5, 60, "association-released", "stat", TRACE)
    with answering(scripted, 503) as peer:
        peer.deliver([parcel], said)

    ((path, headers, body),) = Scripted.seen
    assert path == "/dicom-web/studies"
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"; boundary=')
    assert headers["Accept"] == "application/dicom+json"
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    assert headers["Vienanh-Manifest"] == (
        f"study={parcel.study_instance_uid}; version=5; instances=60; complete=association-released; priority=stat"
    )
    assert "Transfer-Encoding" not in headers
    assert len(body) == int(headers["Content-Length"])


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_peer_that_knows_no_manifests_is_no_failure(scripted, status):
    with answering(scripted, status) as peer:
        peer.announce(Manifest("1.2.3", 1, 1, None, "routine", TRACE))

    assert json.loads(Scripted.seen[0][2]) == {"study": "1.2.3", "version": 1, "instances": 1, "priority": "routine"}


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, NotAuthenticated, "Sign in"),
        (403, Forbidden, "may not send manifests to hub"),
        (400, InvalidRequest, "hub answered a manifest with 400"),
        (503, PeerBusy, "hub cannot take more now"),
        (500, PeerUnreachable, "hub cannot be reached: it answered 500"),
    ],
)
def test_a_manifest_that_is_not_taken_is_raised_by_its_cause(scripted, status, error, message):
    with answering(scripted, status) as peer, pytest.raises(error, match=message):
        peer.announce(Manifest("1.2.3", 1, 1, None, "routine", TRACE))


def a_certificate(folder: Path) -> tuple[Path, Path]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "hub.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "hub.key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return folder / "hub.pem", folder / "hub.key"


@pytest.fixture
def certificate(scripted, tmp_path) -> Path:
    """What the scripted service proves over TLS who it is with."""
    certificate, key = a_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    scripted.socket = context.wrap_socket(scripted.socket, server_side=True)
    return certificate


def test_the_command_that_searches_believes_the_authority_that_it_is_given(scripted, certificate, tmp_path):
    asked = ["find", "--dicomweb", f"https://127.0.0.1:{scripted.server_port}"]
    (tmp_path / "none.pem").write_text("no PEM")
    Scripted.answer = (204, {}, b"")

    stranger, friend, neither = (
        CliRunner().invoke(app, [*asked, *more])
        for more in ([], ["--ca", str(certificate)], ["--ca", str(tmp_path / "none.pem")])
    )

    assert friend.exit_code == 0
    assert str(stranger.exception) == (
        "the service cannot be reached: its certificate is not trusted (self-signed certificate);"
        " name its authority with --ca."
    )
    assert str(neither.exception) == f"find: --ca: {tmp_path / 'none.pem'} holds no certificate in PEM"


def test_a_certificate_is_trusted_only_by_the_configured_authority(scripted, certificate, tmp_path):
    url, parcel = f"https://127.0.0.1:{scripted.server_port}", a_parcel(tmp_path, a_ct())
    Scripted.answer = (503, {}, b"")
    with transport_to(url) as stranger, transport_to(url, ca_file=certificate) as friend:
        (untrusted,), (trusted,) = stranger.deliver([parcel]), friend.deliver([parcel])
    with transport_to(f"https://localhost:{scripted.server_port}", ca_file=certificate) as misnamed:
        other = misnamed.probe()

    assert (untrusted.cause, trusted.status) == (Cause.AUTHENTICATION, "503")
    assert (
        untrusted.detail == "its certificate is not trusted (self-signed certificate); name its authority with ca_file"
    )
    assert (other.cause, other.detail) == (
        Cause.AUTHENTICATION,
        "its certificate is of another name than that in the URL",
    )


def test_a_destination_without_tls_and_a_name_that_is_not_known_are_told_in_words(scripted):
    with (
        transport_to(f"https://127.0.0.1:{scripted.server_port}") as secure,
        transport_to("https://hub.invalid") as lost,
    ):
        assert secure.probe().detail == "no answer: it does not speak HTTPS there"
        assert lost.probe().detail == "no answer: the name in the URL cannot be looked up (DNS)"


@pytest.mark.parametrize(
    ("scheme", "hint"), [("http", "; if it speaks HTTPS, the URL begins with https://"), ("https", "")]
)
def test_what_is_no_whole_answer_is_told_and_https_named_only_where_it_may_be_meant(scheme, hint):
    asked = httpx.Request("GET", f"{scheme}://hub.invalid")
    error = httpx.RemoteProtocolError("Server disconnected without sending a response.", request=asked)

    assert told_silence(error) == (Cause.LINK, f"no whole answer in HTTP{hint}")


@pytest.mark.parametrize("url", ["https://hub..invalid", "https://hub:port", f"https://{'h' * 64}.invalid"])
def test_a_url_that_names_no_host_is_a_link_failure(url):
    with transport_to(url) as nowhere:
        probed = nowhere.probe()

    assert (probed.cause, probed.detail) == (Cause.LINK, "no answer: the URL names no host")


def test_an_answer_that_cannot_be_unpacked_says_so(scripted):
    with answering(scripted, 200, b"not packed", **{"Content-Encoding": "gzip"}) as peer:
        assert peer.probe().detail == "its answer is packed, and damaged"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (308, ": it says that it is elsewhere; look at the URL"),
        (401, ": it wants a token; name its file with token_file"),
        (403, ": it does not let this node store; look there at what the token may do"),
        (404, ": no DICOMweb is there; look at the URL"),
        (413, ": it takes nothing so large; so may a proxy before it (nginx: client_max_body_size)"),
        (500, ""),
    ],
)
def test_an_answer_that_is_no_yes_is_told_with_what_to_look_at(scripted, tmp_path, status, told):
    with answering(scripted, status) as peer:
        (receipt,) = peer.deliver([a_parcel(tmp_path, a_ct())])

    assert receipt.detail == f"the destination answered {status}{told}"


def test_a_token_that_is_not_taken_is_told_otherwise_than_one_that_lacks(node, tmp_path):
    with transport(node, tmp_path, "vat_wrong") as hub:
        assert hub.probe().detail == (
            "the destination answered 401: it does not take the token;"
            " on a Viễn Ảnh node `vienanh token create` makes one"
        )


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file or directory"), ("no PEM", "holds no certificate in PEM")],
)
def test_authorities_that_cannot_be_read_are_a_fault_of_the_configuration(tmp_path, content, reason):
    if content is not None:
        (tmp_path / "ca.crt").write_text(content)

    with pytest.raises(InvalidConfiguration) as refused:
        StowTransport("hub", "https://hub.invalid", SystemClock(), timeout_s=5.0, ca_file=tmp_path / "ca.crt")

    assert str(refused.value) == f"destination hub: ca_file: {tmp_path / 'ca.crt'} {reason}"
