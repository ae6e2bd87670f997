"""Secrets in epochs: seals change, identifiers stay; what a key file holds is read or refused, and never quoted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.pseudonyms.identifiers import new_uid, pseudonym, shift_days
from anonymizer.pseudonyms.keyring import EPOCHS_MAX, TEXT_BYTES_MAX, Keyring, parse, text_of
from anonymizer.pseudonyms.keys import derive
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, open_sealed, reseal, seal
from kernel.errors import VaultDamaged

RING = Keyring.of_secret(b"a" * 32)
ROTATED = RING.with_seal(b"b" * 32, "2026-11-22T10:00:00+00:00")
ENTRY = VaultEntry(VaultKind.PATIENT, "K7M2-9QXD-4TBC", {"PatientName": "Nguyễn^Thị Hương"})
SECRETS = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5)


def test_a_new_seal_changes_no_uid_pseudonym_or_date_shift():
    before, after = RING.keys("one"), ROTATED.keys("one")

    assert (after.key_id, after.index) == (before.key_id, before.index)
    assert new_uid(after.uid, b"1.2.3") == new_uid(before.uid, b"1.2.3")
    assert pseudonym(after.pseudonym, "one", "BN1") == pseudonym(before.pseudonym, "one", "BN1")
    assert shift_days(after.date, "one", "BN1") == shift_days(before.date, "one", "BN1")
    assert (after.seal, after.seal_id) != (before.seal, before.seal_id)


def test_what_the_old_seal_closed_opens_after_a_rotation_and_the_old_seal_opens_nothing_sealed_anew():
    before, after = RING.keys("one"), ROTATED.keys("one")
    old = seal(ENTRY, before, nonce=bytes(12))

    new = reseal(old, after, nonce=b"1" * 12)

    assert open_sealed(old, after) == open_sealed(new, after) == ENTRY
    assert (new.blind_index, new.key_id) == (old.blind_index, after.seal_id)
    with pytest.raises(VaultDamaged):
        open_sealed(new, before)
    with pytest.raises(VaultDamaged):
        open_sealed(old, ROTATED.without_old_seals().keys("one"))


def test_new_identifiers_change_everything_but_the_way_to_a_record():
    before, after = RING.keys("one"), RING.with_identifiers(b"c" * 32, "").keys("one")

    assert len({before.uid, after.uid, before.pseudonym, after.pseudonym, before.date, after.date}) == 6
    assert (after.index, after.seal_id) == (before.index, before.seal_id)
    assert after.older_pseudonyms == (before.pseudonym,)


def test_a_file_of_32_bytes_gives_the_keys_that_it_always_gave():
    assert parse(b"s" * 32).keys("one") == derive(b"s" * 32, site="one")
    assert derive(b"s" * 32, site="one").key_id == "8647413cc0bc"  # of the first vaults


@given(SECRETS, SECRETS)
def test_a_keyring_is_read_as_it_was_written(identifiers, seals):
    ring = Keyring.of_secret(identifiers[0])
    for secret in identifiers[1:]:
        ring = ring.with_identifiers(secret, "2026-01-01T00:00:00+00:00")
    for secret in seals:
        ring = ring.with_seal(secret, "2026-01-02T00:00:00+00:00")

    assert parse(text_of(ring)) == ring


@pytest.mark.parametrize(
    "change",
    [
        {"format": "vienanh-keys/3"},
        {"seals": []},
        {"seals": None},
        {"seals": [{"epoch": 1, "since": "", "secret": "6e6f"}]},
        {"seals": [{"epoch": 2, "since": "", "secret": "00" * 32}, {"epoch": 1, "since": "", "secret": "00" * 32}]},
        {"identifiers": [{"epoch": n + 1, "since": "", "secret": "00" * 32} for n in range(EPOCHS_MAX + 1)]},
    ],
)
def test_a_keyring_that_is_none_is_refused_without_a_word_of_it(change):
    document = json.loads(text_of(RING)) | change

    with pytest.raises(ValueError, match="neither 32 bytes nor a keyring of this version") as refused:
        parse(json.dumps(document).encode())

    assert refused.value.__cause__ is None


@given(st.binary(max_size=80).filter(lambda content: len(content) != 32))
def test_other_bytes_are_no_keyring(content):
    with pytest.raises(ValueError, match="neither 32 bytes"):
        parse(content)


def test_a_key_file_and_its_epochs_have_bounds():
    full = RING
    for _ in range(EPOCHS_MAX - 1):
        full = full.with_seal(b"x" * 32, "")

    assert len(text_of(full.with_identifiers(b"y" * 32, ""))) < TEXT_BYTES_MAX
    with pytest.raises(ValueError, match="there are 64 epochs; retire old ones first"):
        full.with_seal(b"z" * 32, "")
    with pytest.raises(ValueError, match="longer than 65536 bytes"):
        parse(b" " * (TEXT_BYTES_MAX + 1))


def test_no_secret_is_shown():
    assert "61" * 8 not in repr(RING)
    assert "aaaa" not in repr(RING) + repr(RING.keys("one"))
