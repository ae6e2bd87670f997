"""What the doctor says of certificates, the clock, addresses and limits, each in words."""

import os
import resource
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from exchange.commands import doctor
from exchange.commands.machine_findings import of_machine
from exchange.commands.table import app
from exchange.node import machine
from exchange.node.certificates import authority_faults, faults
from kernel import config_reading
from kernel.clock import SystemClock
from routing.transport import Receipt, ReceiptState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PEM = serialization.Encoding.PEM
OWN, ISSUERS = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def key_of(key=OWN, seal: serialization.KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, seal or serialization.NoEncryption())


def certificate(*, days: tuple[float, float] = (-1, 90), names=("anh.example.vn",), by="Authority", key=OWN) -> bytes:
    """Make a certificate of `names` that is valid from and until so many days from now."""

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    made = (
        x509.CertificateBuilder()
        .subject_name(named("Authority" if key is ISSUERS else "node"))
        .issuer_name(named(by))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if names:
        alternatives = [x509.DNSName(name) for name in names]
        made = made.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return made.sign(ISSUERS, hashes.SHA256()).public_bytes(PEM)


AUTHORITY = certificate(names=(), key=ISSUERS)


def told(chain: bytes, key: bytes | None = None, name: str = "anh.example.vn") -> list[str]:
    return list(faults(chain, key or key_of(), name, NOW))


def test_a_good_chain_is_told_nothing_of():
    assert told(certificate() + AUTHORITY) == []
    assert told(certificate(names=("*.example.vn",))) == []
    assert told(certificate(names=()), name="") == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((-90, -1), "the certificate expired on 2026-11-22; renew it"),
        ((-90, 3), "the certificate expires on 2026-11-26, in 3 days; renew it"),
        ((2, 90), "the certificate is not valid before 2026-11-25; it, or this computer's clock, is wrong"),
    ],
)
def test_a_certificate_that_is_not_valid_or_soon_will_not_be_is_told_with_its_day(days, expected):
    assert told(certificate(days=days)) == [expected]


def test_one_of_a_chain_that_expired_is_told_by_its_place():
    assert told(certificate() + certificate(names=(), days=(-90, -1), key=ISSUERS)) == [
        "certificate 2 of 2 expired on 2026-11-22; renew it"
    ]


@pytest.mark.parametrize("names", [("pacs.example.vn",), ("*.vn",), ("*.anh.example.vn",), ()])
def test_a_certificate_of_another_name_is_told_with_the_names_that_it_has(names):
    (fault,) = told(certificate(names=names))

    assert fault == (
        f"the certificate is not for anh.example.vn, which callers ask for, but for {', '.join(names) or 'no name'}"
    )


def test_a_key_of_something_else_one_with_a_password_and_none_are_told_apart():
    sealed = key_of(seal=serialization.BestAvailableEncryption(b"secret"))

    assert told(certificate(), key_of(ISSUERS)) == ["the key does not fit the certificate"]
    assert told(certificate(), sealed) == ["the key is sealed with a password; a node cannot be asked for it"]
    assert told(certificate(), b"nothing") == ["the key file has no readable private key (PEM)"]
    assert told(b"nothing") == ["the certificate file has no readable certificate (PEM)"]


def test_a_chain_in_the_wrong_order_is_told():
    (fault,) = told(certificate() + certificate(names=("other.vn",)))

    assert fault == "certificate 1 was not issued by certificate 2: put each before its issuer"


def test_authorities_that_expired_are_told():
    assert list(authority_faults(certificate(days=(-90, -1)), NOW)) == [
        "the certificate expired on 2026-11-22; renew it"
    ]
    assert list(authority_faults(b"", NOW)) == ["the file of authorities has no readable certificate (PEM)"]


def test_a_clock_that_was_set_back_is_told_by_a_file_that_was_written_later(tmp_path: Path):
    program = tmp_path / "program.py"
    for file, moment in ((program, NOW - timedelta(days=9)), (tmp_path / "vienanh.db", NOW + timedelta(days=400))):
        file.touch()
        os.utime(file, (moment.timestamp(), moment.timestamp()))

    assert machine.clock_fault(tmp_path, program, NOW) == (
        "it says 2026-11-23 12:00:00 UTC, but vienanh.db was written at 2027-12-28 12:00:00 UTC: "
        "it is slow, or was set back"
    )
    assert machine.clock_fault(tmp_path / "none", program, NOW) == ""
    assert machine.clock_fault(tmp_path / "none", program, NOW - timedelta(days=10)).startswith("it says 2026-11-13")


@pytest.mark.parametrize(("seconds", "is_told"), [(0, False), (299, False), (-299, False), (301, True), (-301, True)])
def test_clocks_that_are_minutes_apart_are_told(seconds, is_told):
    assert bool(machine.apart(NOW, NOW + timedelta(seconds=seconds))) == is_told


def test_the_doctor_tells_of_a_destination_whose_clock_is_elsewhere(monkeypatch, tmp_path):
    class Hub:
        def probe(self) -> Receipt:
            return Receipt("", ReceiptState.DELIVERED, told_at=SystemClock().now() - timedelta(hours=7))

        def close(self) -> None:
            pass

    file = tmp_path / "node.toml"
    file.write_text('[[destination]]\nname = "hub"\nkind = "stow"\nurl = "http://127.0.0.1:9"\n')
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(doctor, "transports", lambda *_: {"hub": Hub})

    told = CliRunner().invoke(app, ["doctor", "--config", str(file)]).output

    assert "wrong  clock of hub: its clock says 20" in told


def test_an_address_in_use_is_told_and_is_that_of_a_node_that_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VIENANH_DIMSE_PORT", "0")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("VIENANH_HTTP_PORT", str(port))
        config = config_reading.load(None)

        found = {one.what: one for one in of_machine(config, SystemClock().now())}

        assert found["addresses"].wrong == (
            f"HTTP cannot listen on 127.0.0.1:{port}: another program listens there (`ss -ltnp` names it):"
            " end it, or set another http.port"
        )
        monkeypatch.setattr("exchange.commands.machine_findings.is_served", lambda _: True)
        found = {one.what: one for one in of_machine(config, SystemClock().now())}
        assert found["addresses"].wrong == ""


def test_an_account_that_may_open_too_few_files_is_told_so(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 2048))

    assert machine.few_open_files(2048) == ""
    assert machine.few_open_files(4096) == (
        "this account may open 2048 at once, 4096 are wanted: LimitNOFILE= of the service, or ulimit -Hn"
    )
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    assert machine.few_open_files(4096) == ""


@pytest.mark.parametrize(
    ("files", "left", "expected"),
    [
        (1_000_000, 500_000, ""),
        (1_000_000, 9, "only 9 more files can be made in its file system"),
        (0, 0, ""),  # a file system that does not count
    ],
)
def test_a_file_system_without_names_is_told_so(monkeypatch, tmp_path, files, left, expected):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=files, f_favail=left))

    assert machine.few_names(tmp_path) == expected
