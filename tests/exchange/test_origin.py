"""What a node prints as its address is what a person can open."""

import datetime as dt
from dataclasses import replace
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.node.origin import local_origin, own_address, told_host, told_origin
from kernel.config import HttpConfig


def a_certificate(folder, *names: str):
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a node")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = x509.CertificateBuilder(called, called, key.public_key(), 1, start, start + dt.timedelta(days=1))
    if names:
        told = [x509.IPAddress(ip_address(one[3:])) if one.startswith("ip:") else x509.DNSName(one) for one in names]
        built = built.add_extension(x509.SubjectAlternativeName(told), critical=False)
    path = folder / "chain.pem"
    path.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def told(port: int = 8080, **settings) -> str:
    return told_origin(replace(HttpConfig(), **settings), port, lambda: "10.1.2.3")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_node_that_listens_everywhere_is_told_by_an_address_that_others_reach(host):
    assert told(host=host) == "http://10.1.2.3:8080"
    assert told(80, host=host) == "http://10.1.2.3"
    assert local_origin(replace(HttpConfig(), host=host), 8080) == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["localhost", "ip:127.0.0.1", "anh.bv.example.vn", "www.bv.example.vn"], "https://anh.bv.example.vn:8443"),
        (["*.bv.example.vn"], "https://10.1.2.3:8443"),
        (["localhost", "ip:127.0.0.1", "ip:192.168.7.5"], "https://192.168.7.5:8443"),
        (["ip:fd00::5"], "https://[fd00::5]:8443"),
        ([], "https://10.1.2.3:8443"),
    ],
)
def test_over_tls_it_is_told_by_a_name_that_its_certificate_has(tmp_path, names, expected):
    assert told(8443, host="0.0.0.0", tls_certificate=a_certificate(tmp_path, *names)) == expected


def test_a_certificate_that_cannot_be_read_is_told_elsewhere(tmp_path):
    (tmp_path / "chain.pem").write_bytes(b"no certificate")

    assert told(443, host="0.0.0.0", tls_certificate=tmp_path / "chain.pem") == "https://10.1.2.3"
    assert told(443, host="0.0.0.0", tls_certificate=tmp_path / "none.pem") == "https://10.1.2.3"


def test_what_is_configured_is_told_as_it_is():
    assert told(host="0.0.0.0", public_url="https://anh.example.vn/") == "https://anh.example.vn"
    assert told(host="127.0.0.1") == "http://127.0.0.1:8080"
    assert told(host="::1") == "http://[::1]:8080"


def test_a_modality_is_told_an_address_that_it_reaches():
    assert told_host("0.0.0.0", lambda: "10.1.2.3") == "10.1.2.3"
    assert told_host("192.168.7.5", lambda: "10.1.2.3") == "192.168.7.5"


def test_this_computer_has_an_address():
    assert ip_address(own_address())
