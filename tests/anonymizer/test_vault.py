"""Keys and the vault: sub-keys by purpose and site; records that open only where they belong."""

from dataclasses import replace

import pytest

from anonymizer.pseudonyms.keys import derive
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, blind_index, open_sealed, seal
from kernel.errors import VaultDamaged

ENTRY = VaultEntry(kind=VaultKind.PATIENT, token="K7M2-9QXD-4TBC", identity={"PatientName": "Nguyễn^Thị Hương"})
NONCE = bytes(12)


def test_each_purpose_and_site_has_its_own_key():
    one, other = derive(b"s" * 32, site="one"), derive(b"s" * 32, site="other")

    keys = [key for keys in (one, other) for key in (keys.uid, keys.pseudonym, keys.date, keys.seal, keys.index)]

    assert len(set(keys)) == 10
    assert one.key_id != other.key_id
    assert one == derive(b"s" * 32, site="one")


def test_keys_are_not_shown():
    keys = derive(b"s" * 32, site="one")

    assert repr(keys) == f"Keys(site='one', key_id='{keys.key_id}')"


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match="a site key has 32 bytes, not 31"):
        derive(b"s" * 31, site="one")


def test_a_record_opens_with_its_key_and_shows_nothing_without(keys):
    sealed = seal(ENTRY, keys, nonce=NONCE)

    assert open_sealed(sealed, keys) == ENTRY
    assert "Nguyễn".encode() not in sealed.ciphertext
    assert b"K7M2" not in sealed.ciphertext + sealed.blind_index
    assert sealed.blind_index == blind_index(VaultKind.PATIENT, ENTRY.token, keys)
    assert "Nguyễn" not in repr(ENTRY) + repr(sealed)


def test_a_record_that_was_changed_or_moved_does_not_open(keys):
    sealed = seal(ENTRY, keys, nonce=NONCE)
    changed = [
        replace(sealed, ciphertext=bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]),
        replace(sealed, ciphertext=sealed.ciphertext[:-1]),
        replace(sealed, ciphertext=b""),
        replace(sealed, nonce=b"1" * 12),
        replace(sealed, nonce=b""),
        replace(sealed, blind_index=b"0" * 32),
        replace(sealed, kind=VaultKind.STUDY),
        replace(sealed, key_id="another"),
    ]

    for record in changed:
        with pytest.raises(VaultDamaged, match="cannot be opened with key"):
            open_sealed(record, keys)


def test_the_same_secret_at_another_site_opens_nothing(keys):
    elsewhere = derive(bytes(range(32)), site="bv-khac")
    sealed = replace(seal(ENTRY, keys, nonce=NONCE), key_id=elsewhere.key_id)

    with pytest.raises(VaultDamaged, match="cannot be opened"):
        open_sealed(sealed, elsewhere)


def test_a_nonce_has_twelve_bytes(keys):
    with pytest.raises(ValueError, match="a nonce has 12 bytes, not 3"):
        seal(ENTRY, keys, nonce=b"123")
