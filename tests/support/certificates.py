"""Certificates for tests: an authority, and who it vouches for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Identity:
    """A certificate and its key as files."""

    certificate: Path
    key: Path

    @property
    def sha256(self) -> str:
        loaded = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return loaded.fingerprint(hashes.SHA256()).hex()


class Authority:
    """Signs certificates of 127.0.0.1; RSA, which every DICOM peer knows."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = rsa.generate_private_key(65537, 2048)
        self.file = folder / "ca.crt"
        own = self._built(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def vouches_for(self, common_name: str, organization: str = "BV") -> Identity:
        key = rsa.generate_private_key(65537, 2048)
        names = [(NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATION_NAME, organization)]
        subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = self._built(subject, key).add_extension(address, False).sign(self._key, hashes.SHA256())
        files = Identity(self._folder / f"{common_name}.crt", self._folder / f"{common_name}.key")
        files.certificate.write_bytes(made.public_bytes(PEM))
        private = key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        files.key.write_bytes(private)
        return files

    def _built(self, subject: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )
