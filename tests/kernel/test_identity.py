"""The key that tokens are verified with: what cannot be one is refused on start."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kernel.access.identity import JwtRules
from kernel.config import DimseConfig
from kernel.errors import InvalidConfiguration


def private_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_without_a_key_there_are_no_rules():
    assert JwtRules.of(DimseConfig()) is None


@pytest.mark.parametrize(
    ("algorithm", "content"),
    [("RS256", b"no key"), ("HS256", b"too short"), ("ES256", private_key()), ("RS256", private_key())],
)
def test_a_key_that_cannot_verify_or_must_not_be_here_is_refused(tmp_path, algorithm, content):
    file = tmp_path / "jwt.key"
    file.write_bytes(content)

    with pytest.raises(InvalidConfiguration, match=r"dimse\.jwt_key_file") as refused:
        JwtRules.of(DimseConfig(jwt_key_file=file, jwt_algorithm=algorithm, jwt_audience="x"))

    assert content.decode() not in str(refused.value)


def test_a_key_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidConfiguration, match="cannot be used: No such file"):
        JwtRules.of(DimseConfig(jwt_key_file=tmp_path / "none", jwt_audience="x"))


def test_the_secret_is_not_printed(tmp_path):
    file = tmp_path / "jwt.key"
    file.write_text("a secret of at least thirty-two bytes")

    rules = JwtRules.of(DimseConfig(jwt_key_file=file, jwt_algorithm="HS256", jwt_audience="x"))

    assert "thirty-two" not in repr(rules)
