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
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymizer.pseudonyms.keys import Keys
from kernel.errors import VaultDamaged

NONCE_BYTES = 12
_cipher = lru_cache(maxsize=64)(AESGCM)  # a key's schedule is as secret as the key, which is in memory, too


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
    key_id: str  # `Keys.seal_id` of the seal
    nonce: bytes  # 12 bytes
    ciphertext: bytes = field(repr=False)


def blind_index(kind: VaultKind, token: str, keys: Keys) -> bytes:
    """Return the 32 bytes under which the record of `token` is kept."""
    return hmac.digest(keys.index, kind.value.encode() + b"\x00" + token.encode("utf-8"), hashlib.sha256)


def seal(entry: VaultEntry, keys: Keys, *, nonce: bytes) -> Sealed:
    """Encrypt an entry under the site's seal key; `nonce` is 12 fresh random bytes, never used twice."""
    index = blind_index(entry.kind, entry.token, keys)
    text = json.dumps([entry.token, dict(entry.identity)], ensure_ascii=False, separators=(",", ":"))
    return _sealed(entry.kind, index, text.encode("utf-8"), keys, nonce)


def open_sealed(sealed: Sealed, keys: Keys) -> VaultEntry:
    """Decrypt a record.

    Raises
    ------
    VaultDamaged
        The record was changed, moved to another index, or sealed with a key that these do not have.
    """
    token, identity = json.loads(_text(sealed, keys))
    return VaultEntry(kind=sealed.kind, token=token, identity=identity)


def reseal(sealed: Sealed, keys: Keys, *, nonce: bytes) -> Sealed:
    """Return the record under the newest seal, found by the same blind index; `nonce` as for `seal`.

    Raises
    ------
    VaultDamaged
        As `open_sealed`.
    """
    return _sealed(sealed.kind, sealed.blind_index, _text(sealed, keys), keys, nonce)


def _sealed(kind: VaultKind, index: bytes, text: bytes, keys: Keys, nonce: bytes) -> Sealed:
    if len(nonce) != NONCE_BYTES:
        message = f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}"
        raise ValueError(message)
    ciphertext = _cipher(keys.seal).encrypt(nonce, text, _bound(kind, index, keys.site, keys.seal_id))
    return Sealed(kind=kind, blind_index=index, key_id=keys.seal_id, nonce=nonce, ciphertext=ciphertext)


def _text(sealed: Sealed, keys: Keys) -> bytes:
    key = keys.seal_named(sealed.key_id)
    if key is None:
        raise VaultDamaged(key_id=keys.seal_id)
    bound = _bound(sealed.kind, sealed.blind_index, keys.site, sealed.key_id)
    try:
        return _cipher(key).decrypt(sealed.nonce, sealed.ciphertext, bound)
    except (InvalidTag, ValueError) as error:
        raise VaultDamaged(key_id=sealed.key_id) from error


def _bound(kind: VaultKind, index: bytes, site: str, seal_id: str) -> bytes:
    return b"\x00".join((b"vienanh/vault/1", site.encode("utf-8"), kind.value.encode(), seal_id.encode(), index))
