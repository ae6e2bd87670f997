"""The keys of a site: one secret of 32 bytes, and a sub-key for each purpose (RFC 5869).

Making, loading and guarding the secret is the caller's. Two sites with the same secret by mistake still get different
sub-keys, because the site's name goes into the derivation; so their pseudonyms cannot be joined.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
KEY_ID_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """The sub-keys of one site and key epoch; never shown by `repr`."""

    site: str
    key_id: str  # names the secret without telling it; stands beside every sealed record
    uid: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    date: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    index: bytes = field(repr=False)


def derive(secret: bytes, *, site: str) -> Keys:
    """Return the sub-keys of `site` for a secret of 32 bytes.

    Raises
    ------
    ValueError
        The secret has another length. The secret is not in the message.
    """
    if len(secret) != SECRET_BYTES:
        message = f"a site key has {SECRET_BYTES} bytes, not {len(secret)}"
        raise ValueError(message)
    parts = {purpose: _sub_key(secret, site, purpose) for purpose in ("uid", "pseudonym", "date", "seal", "index")}
    identity = _sub_key(secret, site, "key-id")
    return Keys(site=site, key_id=hashlib.sha256(identity).hexdigest()[:KEY_ID_CHARACTERS], **parts)


def _sub_key(secret: bytes, site: str, purpose: str) -> bytes:
    info = b"vienanh/anonymizer/1\x00" + purpose.encode() + b"\x00" + site.encode("utf-8")
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=b"vienanh", info=info).derive(secret)
