"""DICOM TLS: real clients of DCMTK and OpenSSL against the listener, and our own sender over it."""

import contextlib
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line
from gateway.dimse.scu.sender import send_files
from gateway.dimse.upper_layer import wire
from gateway.dimse.upper_layer.pdu import AssociateAccept
from gateway.dimse.upper_layer.tls import CIPHERS, ClientTls
from kernel.errors import InvalidConfiguration
from routing.transport import Cause
from tests.dimse import scripts
from tests.dimse.conftest import PATIENCE_S, Node, Peer, dcmtk
from tests.dimse.test_processes import start_processes  # noqa: F401 (a fixture)
from tests.support.builders import a_ct, as_dataset_bytes
from tests.support.certificates import Authority, Identity


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Identity:
    return authority.vouches_for("node")


@pytest.fixture(scope="module")
def client(authority: Authority) -> Identity:
    return authority.vouches_for("ct-1")


@pytest.fixture
def settings(authority: Authority, server: Identity) -> dict:
    return {
        "tls_port": 0,
        "tls_certificate": server.certificate,
        "tls_key": server.key,
        "tls_ca": authority.file,
    }


def by_dcmtk(authority: Authority, client: Identity | None) -> list[object]:
    own = ["+tla"] if client is None else ["+tls", client.key, client.certificate]
    return [*own, "+cf", authority.file, "+px"]


def target(node: Node, tls: ClientTls | None) -> Target:
    return Target("127.0.0.1", node.listener.tls_port, "VIENANH", "TLS", PATIENCE_S, tls)


# --- peers ------------------------------------------------------------------------------------------------------------


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("profile", ["+px", "+py", "+pz"])  # basic, non-downgrading, extended
def test_dcmtk_stores_over_tls_by_the_profiles_of_bcp_195(start_node, settings, authority, client, a_series, profile):
    node = start_node(**settings, tls_clients="optional")
    arguments = by_dcmtk(authority, client)[:-1]

    dcmtk("echoscu", *arguments, profile, "127.0.0.1", node.listener.tls_port)
    dcmtk("storescu", *arguments, profile, "127.0.0.1", node.listener.tls_port, *a_series)

    assert len(node.instances()) == 5
    assert node.studies() == [("complete", "association-released", 5)]


@pytest.mark.peer("dcmtk")
def test_both_ports_are_served_side_by_side_also_by_processes(start_processes, settings, authority):  # noqa: F811
    node = start_processes(processes=2, **settings)

    dcmtk("echoscu", "127.0.0.1", node.port)
    for _ in range(3):
        dcmtk("echoscu", *by_dcmtk(authority, None), "127.0.0.1", node.listener.tls_port)


@pytest.mark.peer("dcmtk")
def test_a_node_may_listen_for_tls_alone(start_node, settings, authority):
    node = start_node(**settings, plain=False)

    assert node.port == node.listener.tls_port
    dcmtk("echoscu", *by_dcmtk(authority, None), "127.0.0.1", node.port)
    assert dcmtk("echoscu", "-ta", 3, "-to", 3, "127.0.0.1", node.port, check=False).returncode != 0


@pytest.mark.parametrize(
    "offer",
    [
        ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "AES256-GCM-SHA384"],  # no forward secrecy
        ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"],  # CBC
        ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"],
    ],
)
def test_old_versions_and_weak_ciphers_are_refused(start_node, settings, offer):
    node = start_node(**settings)

    assert "Cipher is (NONE)" in by_openssl(node, *offer)


@pytest.mark.parametrize(
    ("offer", "expected"),
    [(["-tls1_3"], "TLSv1.3"), (["-tls1_2"], CIPHERS[1]), (["-tls1_2", "-cipher", CIPHERS[3]], CIPHERS[3])],
)
def test_what_is_good_is_taken(start_node, settings, authority, offer, expected):
    node = start_node(**settings)

    told = by_openssl(node, "-CAfile", str(authority.file), *offer)

    assert expected in told
    assert "Verify return code: 0 (ok)" in told


def by_openssl(node: Node, *arguments: str) -> str:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{node.listener.tls_port}", *arguments]
    ran = subprocess.run(command, input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return ran.stdout + ran.stderr


# --- client certificates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_the_required_certificate_nothing_is_said(start_node, settings, authority, version):
    node = start_node(**settings, tls_clients="required")

    with pytest.raises(OSError, match=r"(?i)certificate|handshake|reset|closed|EOF"):  # 1.3 tells it on reading
        say(node, authority, version)


def say(node: Node, authority: Authority, version: ssl.TLSVersion) -> None:
    with call(node, authority, None, version) as connection:
        connection.sendall(wire.encode(scripts.an_associate_request()))
        if not connection.recv(1):
            raise ConnectionResetError("closed")


def test_a_certificate_of_another_authority_is_refused(start_node, settings, tmp_path, authority):
    node = start_node(**settings, tls_clients="required")
    stranger = Authority(tmp_path / "other", "Other").vouches_for("ct-1")

    with pytest.raises(Lost) as lost:
        Line(target(node, ClientTls(authority.file, stranger.certificate, stranger.key)), ())

    assert lost.value.status in ("tls", "lost", "closed")  # 1.3 tells the client after its side is done


@pytest.mark.parametrize("known_by", ["digest", "subject"])
def test_a_source_is_known_by_its_certificate(start_node, settings, authority, client, known_by):
    certificate = f"sha256:{client.sha256}" if known_by == "digest" else "CN=ct-1, O=BV"
    node = start_node(
        **settings,
        tls_clients="optional",
        sources=[{"name": "ct", "certificate": certificate}],
        accept_unknown_callers=False,
    )
    other = authority.vouches_for("us-1")

    Line(target(node, ClientTls(authority.file, client.certificate, client.key)), ()).release()
    for wrong in (ClientTls(authority.file), ClientTls(authority.file, other.certificate, other.key)):
        with pytest.raises(Lost, match="1/1/3"):
            Line(target(node, wrong), ())
    assert node.answers() is not None  # in the clear it proves nothing
    assert not isinstance(node.answers(), AssociateAccept)


# --- our sender -------------------------------------------------------------------------------------------------------


def test_our_sender_delivers_over_tls(start_node, settings, authority, client, a_series):
    node = start_node(**settings, tls_clients="required")

    sent = send_files(a_series, target(node, ClientTls(authority.file, client.certificate, client.key)))

    assert all(one.receipt.is_success for one in sent)
    assert len(node.instances()) == 5


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_our_sender_does_not_talk_to_somebody_else(start_node, settings, authority, tmp_path, wrong):
    node = start_node(**settings)
    other = Authority(tmp_path / "other").file
    tls = ClientTls(other) if wrong == "authority" else ClientTls(authority.file, name="pacs.example")

    with pytest.raises(Lost) as lost:
        Line(target(node, tls), ())

    assert (lost.value.cause, lost.value.status) == (Cause.AUTHENTICATION, "tls")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("absent.crt", None, None), "/absent.crt cannot be read: No such file or directory"),
        (("rubbish", None, None), "/rubbish cannot be used: NO_CERTIFICATE_OR_CRL_FOUND"),
        ((None, "rubbish", "rubbish"), "/rubbish with {folder}/rubbish cannot be used: "),
        ((None, "rubbish", "absent.key"), "/absent.key cannot be read: No such file or directory"),
    ],
)
def test_a_file_to_call_with_that_cannot_be_used_is_named(start_node, settings, tmp_path, names, told):
    node = start_node(**settings)
    (tmp_path / "rubbish").write_text("nothing of the kind")
    tls = ClientTls(*(name and tmp_path / name for name in names))

    with pytest.raises(Lost) as lost:
        Line(target(node, tls), ())

    assert lost.value.cause is Cause.AUTHENTICATION
    assert lost.value.detail.startswith(str(tmp_path) + told.format(folder=tmp_path))


def test_a_receiver_without_tls_is_told_from_one_that_is_down(start_node, settings, authority):
    node = start_node(**settings)
    plain = Target("127.0.0.1", node.port, "VIENANH", "TLS", PATIENCE_S, ClientTls(authority.file))

    with pytest.raises(Lost, match="no TLS with the peer"):
        Line(plain, ())


# --- hostile and unlucky ----------------------------------------------------------------------------------------------


def test_a_client_that_does_not_shake_hands_is_closed_in_time(start_node, settings):
    node = start_node(**settings, negotiation_timeout_s=0.3)

    with socket.create_connection(("127.0.0.1", node.listener.tls_port), PATIENCE_S) as silent:
        assert silent.recv(1) == b""
    with socket.create_connection(("127.0.0.1", node.listener.tls_port), PATIENCE_S) as plain:
        plain.sendall(wire.encode(scripts.an_associate_request()))
        with contextlib.suppress(ConnectionResetError):
            assert plain.recv(7)[:1] in (b"", b"\x15")  # the end, or a TLS alert


def test_a_silent_association_over_tls_is_aborted(start_node, settings, authority):
    node = start_node(**settings, idle_timeout_s=0.3)

    with call(node, authority) as connection:
        peer = spoken(connection)
        assert isinstance(peer.hear(), AssociateAccept)
        assert peer.hear() is not None  # A-ABORT
        assert peer.hear() is None


def test_an_instance_cut_into_tiny_records_arrives_whole(start_node, settings, authority):
    node = start_node(**settings)
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))

    with call(node, authority) as connection:
        peer = spoken(connection)
        assert isinstance(peer.hear(), AssociateAccept)
        for start in range(0, len(message), 97):
            connection.sendall(message[start : start + 97])
        assert peer.hear_response()["Status"] == 0
        peer.releases()

    assert node.instances() == [ds.SOPInstanceUID]


def test_stopping_ends_a_silent_association_over_tls(start_node, settings, authority):
    node = start_node(**settings)

    with call(node, authority) as connection:
        peer = spoken(connection)
        assert isinstance(peer.hear(), AssociateAccept)
        node.listener.stop(5.0)
        assert node.listener.associations == 0


def test_new_certificate_files_are_used_without_a_restart_and_bad_ones_are_not(start_node, authority, tmp_path):
    first = authority.vouches_for("first")
    node = start_node(tls_port=0, tls_certificate=first.certificate, tls_key=first.key)
    assert common_name(node, authority) == "first"

    second = authority.vouches_for("second")
    second.key.replace(first.key)
    second.certificate.replace(first.certificate)
    assert common_name(node, authority) == "second"
    first.certificate.write_text("no certificate")
    assert common_name(node, authority) == "second"
    first.certificate.unlink()
    assert common_name(node, authority) == "second"
    first.certificate.symlink_to(first.certificate)  # there, and cannot be looked at

    assert common_name(node, authority) == "second"


def common_name(node: Node, authority: Authority) -> str:
    with call(node, authority) as connection:
        subject = dict(part[0] for part in connection.getpeercert()["subject"])
        return subject["commonName"]


def call(
    node: Node,
    authority: Authority,
    own: Identity | None = None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=authority.file)
    context.minimum_version = context.maximum_version = version
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    connection = socket.create_connection(("127.0.0.1", node.listener.tls_port), PATIENCE_S)
    return context.wrap_socket(connection, server_hostname="127.0.0.1")


def spoken(connection: ssl.SSLSocket) -> Peer:
    """Return a scripted peer on a connection, after its association request."""
    peer = Peer.__new__(Peer)
    peer.socket = connection
    peer.say(wire.encode(scripts.an_associate_request()))
    return peer


def test_files_that_cannot_be_used_stop_the_start(start_node, settings, tmp_path: Path):
    broken = tmp_path / "broken.key"
    broken.write_text("no key")

    with pytest.raises(InvalidConfiguration, match=r"dimse\.tls_certificate: it, tls_key or tls_ca cannot be used"):
        start_node(**{**settings, "tls_key": broken})


def test_a_sealed_key_stops_the_start_and_its_password_is_asked_for_by_nobody(start_node, settings, tmp_path: Path):
    sealed = tmp_path / "sealed.key"
    key = load_pem_private_key(Path(settings["tls_key"]).read_bytes(), None)
    sealed.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password")))

    with pytest.raises(InvalidConfiguration, match="the key is sealed with a password; a node cannot be asked for it"):
        start_node(**{**settings, "tls_key": sealed})


def test_processes_do_not_start_with_such_files_either(start_processes, settings, tmp_path: Path):  # noqa: F811
    with pytest.raises(InvalidConfiguration, match=r"dimse\.tls_certificate: .*: No such file or directory"):
        start_processes(processes=1, **{**settings, "tls_certificate": tmp_path / "none"})
