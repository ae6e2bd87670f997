"""Seals and opens the records that lead back from a pseudonym to a person, or from a new UID to the old one.

Storing them is the caller's: a sealed record has a blind index to find it by and nothing readable. AES-256-GCM, with
the site, the kind, the blind index and the key id as associated data, so that a record moved to another place does not
open. Finding the way from a known patient to the record needs no second index: the pseudonym is recomputed.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymizer.keys import Keys
from kernel.errors import VaultDamaged

NONCE_BYTES = 12


class VaultKind(StrEnum):
    """What a token of the vault stands for."""

    PATIENT = "patient"  # token: pseudonym; identity: name, id, issuer, birth date, sex
    STUDY = "study"  # token: new Study Instance UID; identity: accession number, dates, referring physician ...
    UID = "uid"  # token: new UID; identity: the old UID


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """The way back from one token; `identity` maps DICOM keywords to text."""

    kind: VaultKind
    token: str
    identity: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A vault entry as it may be stored: (kind, blind_index) is its key."""

    kind: VaultKind
    blind_index: bytes  # 32 bytes
    key_id: str
    nonce: bytes  # 12 bytes
    ciphertext: bytes = field(repr=False)


def blind_index(kind: VaultKind, token: str, keys: Keys) -> bytes:
    """Return the 32 bytes under which the record of `token` is kept."""
    return hmac.digest(keys.index, kind.value.encode() + b"\x00" + token.encode("utf-8"), hashlib.sha256)


def seal(entry: VaultEntry, keys: Keys, *, nonce: bytes) -> Sealed:
    """Encrypt an entry under the site's seal key; `nonce` is 12 fresh random bytes, never used twice."""
    if len(nonce) != NONCE_BYTES:
        message = f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}"
        raise ValueError(message)
    index = blind_index(entry.kind, entry.token, keys)
    text = json.dumps([entry.token, dict(entry.identity)], ensure_ascii=False, separators=(",", ":"))
    ciphertext = AESGCM(keys.seal).encrypt(nonce, text.encode("utf-8"), _bound(entry.kind, index, keys))
    return Sealed(kind=entry.kind, blind_index=index, key_id=keys.key_id, nonce=nonce, ciphertext=ciphertext)


def open_sealed(sealed: Sealed, keys: Keys) -> VaultEntry:
    """Decrypt a record.

    Raises
    ------
    VaultDamaged
        The record was changed, moved to another index, or sealed with another key.
    """
    if sealed.key_id != keys.key_id:
        raise VaultDamaged(key_id=keys.key_id)
    try:
        text = AESGCM(keys.seal).decrypt(sealed.nonce, sealed.ciphertext, _bound(sealed.kind, sealed.blind_index, keys))
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged(key_id=sealed.key_id) from error
    token, identity = json.loads(text)
    return VaultEntry(kind=sealed.kind, token=token, identity=identity)


def _bound(kind: VaultKind, index: bytes, keys: Keys) -> bytes:
    return b"\x00".join(
        (b"vienanh/vault/1", keys.site.encode("utf-8"), kind.value.encode(), keys.key_id.encode(), index)
    )
