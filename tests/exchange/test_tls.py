"""HTTPS from files, and what changes when a trusted proxy speaks it for us."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette

from exchange.node import http_door
from exchange.node.supervise import DRAIN_S, uvicorn_settings
from kernel.config import HttpConfig
from kernel.errors import InvalidConfiguration
from tests.support.http import a_client
from tests.support.nodes import HUB, NodeProcess

PASSWORD = "mat khau dai du"


def certificate(folder: Path, password: bytes = b"") -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that vouches for itself; return it and its key, sealed with a password if there is one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "node.crt").write_bytes(made.public_bytes(pem))
    seal = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, seal)
    (folder / "node.key").write_bytes(private)
    return folder / "node.crt", folder / "node.key"


def sign_in(node: NodeProcess, client: httpx.Client, **headers: str) -> httpx.Response:
    made = node.run("user", "add", "lan", "--role", "reader", "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    return client.post("/api/session", json={"name": "lan", "password": PASSWORD}, headers=headers)


@pytest.fixture
def node_with(tmp_path):
    running: list[NodeProcess] = []

    def start(settings: str) -> NodeProcess:
        running.append(NodeProcess(tmp_path / "node", HUB.replace("[http]\nport = 0", settings)).start())
        return running[-1]

    yield start
    for node in running:
        node.stop()


def test_a_node_with_a_certificate_speaks_https_and_binds_its_cookie_to_it(node_with, tmp_path):
    crt, key = certificate(tmp_path)
    node = node_with(f'[http]\nport = 0\ntls_certificate = "{crt}"\ntls_key = "{key}"')

    with httpx.Client(base_url=node.url, verify=ssl.create_default_context(cafile=crt), trust_env=False) as client:
        answer = sign_in(node, client)

    assert node.url.startswith("https://")
    assert "secure" in {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def shown_by(port: int) -> bytes:
    """Shake hands and return the certificate that was shown."""
    return shaken(port)[0]


def shaken(port: int, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[bytes, str]:
    """Shake hands and return the certificate that was shown, and the cipher suite that was agreed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, version
    with socket.create_connection(("127.0.0.1", port), 10) as line, context.wrap_socket(line) as secured:
        return secured.getpeercert(binary_form=True) or b"", (secured.cipher() or ("",))[0]


def der(crt: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(crt.read_text())


def test_a_renewed_certificate_is_shown_to_the_next_caller_and_a_broken_one_to_nobody(tmp_path):
    crt, key = certificate(tmp_path)
    first = der(crt)
    server = uvicorn.Server(uvicorn_settings(HttpConfig(tls_certificate=crt, tls_key=key), Starlette()))
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        assert shown_by(port) == first
        assert shaken(port, ssl.TLSVersion.TLSv1_2) == (first, "ECDHE-ECDSA-AES256-GCM-SHA384")

        certificate(tmp_path)
        second = der(crt)
        assert shown_by(port) == second != first

        key.write_text("half written")
        assert shown_by(port) == second
        certificate(tmp_path, password=b"asked for by nobody")
        assert shown_by(port) == second
        key.unlink()
        assert shown_by(port) == second
        key.symlink_to(key)  # there, and cannot be looked at
        assert shown_by(port) == second
        key.unlink()

        certificate(tmp_path)
        assert shown_by(port) == der(crt) != second
    finally:
        server.should_exit = True
        thread.join()


def test_a_client_that_keeps_its_connection_does_not_keep_the_node_from_stopping(tmp_path, monkeypatch):
    monkeypatch.setattr(http_door, "FAREWELL_S", 0.1)
    crt, key = certificate(tmp_path)
    server = uvicorn.Server(uvicorn_settings(HttpConfig(tls_certificate=crt, tls_key=key), Starlette()))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()

    context = ssl.create_default_context(cafile=crt)
    with httpx.Client(
        base_url=f"https://127.0.0.1:{listening.getsockname()[1]}", verify=context, trust_env=False
    ) as one:
        assert one.get("/").status_code == 404
        server.should_exit = True
        thread.join(DRAIN_S / 2)

        assert not thread.is_alive()


def test_a_key_that_is_sealed_is_told_and_its_password_asked_for_by_nobody(tmp_path):
    crt, key = certificate(tmp_path, password=b"asked for by nobody")

    with pytest.raises(InvalidConfiguration, match=r"http\.tls_certificate: .* the key is sealed with a password"):
        uvicorn_settings(HttpConfig(tls_certificate=crt, tls_key=key), Starlette())


def test_files_that_are_not_there_are_told(tmp_path):
    with pytest.raises(InvalidConfiguration, match=r"it or tls_key cannot be used: No such file or directory$"):
        uvicorn_settings(HttpConfig(tls_certificate=tmp_path / "none.crt", tls_key=tmp_path / "none.key"), Starlette())


@pytest.mark.parametrize(("trusted", "secure"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_only_a_trusted_proxy_can_say_that_the_browser_speaks_https(node_with, trusted, secure):
    node = node_with(f'[http]\nport = 0\ntrusted_proxies = ["{trusted}"]')

    with a_client(node.url) as client:
        answer = sign_in(node, client, **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})

    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert ("secure" in attributes) is secure
