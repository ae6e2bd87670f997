"""The keys of a site: of secrets of 32 bytes, a sub-key for each purpose (RFC 5869).

Which secrets there are, and since when, is in `anonymizer.pseudonyms.keyring`; making, loading and guarding them is the caller's.
Two sites with the same secret by mistake still get different sub-keys, because the site's name goes into the
derivation; so their pseudonyms cannot be joined, and what opens one site's vault opens no other's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
KEY_ID_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """The sub-keys of one site; never shown by `repr`."""

    site: str
    key_id: str  # names the secret of identifiers without telling it
    uid: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    date: bytes = field(repr=False)
    index: bytes = field(repr=False)  # never changes, so that a record is found whatever it is sealed with
    seal: bytes = field(repr=False)
    seal_id: str = field(repr=False)  # names the secret of sealing; stands beside every sealed record
    older_seals: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)  # by seal_id, to open with
    older_pseudonyms: tuple[bytes, ...] = field(default=(), repr=False)  # keys that made pseudonyms once

    def seal_named(self, seal_id: str) -> bytes | None:
        """Return the key of a seal_id, or None when these keys do not have it."""
        return self.seal if seal_id == self.seal_id else dict(self.older_seals).get(seal_id)


def derive(secret: bytes, *, site: str) -> Keys:
    """Return the sub-keys of `site` for one secret of 32 bytes that serves all purposes.

    Raises
    ------
    ValueError
        The secret has another length. The secret is not in the message.
    """
    return derive_all([secret], [secret], site=site)


def derive_all(identifiers: Sequence[bytes], seals: Sequence[bytes], *, site: str) -> Keys:
    """Return the sub-keys of `site`; of both kinds of secrets the last is used, and the others are known.

    Raises
    ------
    ValueError
        A secret has another length. The secret is not in the message.
    """
    for secret in (*identifiers, *seals):
        if len(secret) != SECRET_BYTES:
            message = f"a site key has {SECRET_BYTES} bytes, not {len(secret)}"
            raise ValueError(message)
    now, seal = identifiers[-1], seals[-1]
    return Keys(
        site=site,
        key_id=key_id(now, site),
        uid=_sub_key(now, site, "uid"),
        pseudonym=_sub_key(now, site, "pseudonym"),
        date=_sub_key(now, site, "date"),
        index=_sub_key(identifiers[0], site, "index"),
        seal=_sub_key(seal, site, "seal"),
        seal_id=key_id(seal, site),
        older_seals=tuple((key_id(one, site), _sub_key(one, site, "seal")) for one in seals[:-1]),
        older_pseudonyms=tuple(_sub_key(one, site, "pseudonym") for one in identifiers[:-1]),
    )


def key_id(secret: bytes, site: str) -> str:
    """Return the name of a secret at a site: says whether two are the same, and nothing else."""
    return hashlib.sha256(_sub_key(secret, site, "key-id")).hexdigest()[:KEY_ID_CHARACTERS]


def _sub_key(secret: bytes, site: str, purpose: str) -> bytes:
    info = b"vienanh/anonymizer/1\x00" + purpose.encode() + b"\x00" + site.encode("utf-8")
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=b"vienanh", info=info).derive(secret)
