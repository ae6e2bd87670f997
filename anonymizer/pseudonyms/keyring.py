"""The secrets of a node in epochs, and the text in which they are kept. Pure: files are the caller's.

Two kinds, because they change for different reasons. *Seals* close the vault: a new one is begun whenever somebody
might have seen the old, and every record is sealed anew. *Identifiers* make UIDs, pseudonyms and date shifts: they stay
when the seal changes, so that a patient known since last year is the same one tomorrow; a new one means that every
patient gets a second pseudonym, and is begun only on purpose.
A file of exactly 32 bytes is one secret for both kinds, as nodes had before there were epochs.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from anonymizer.pseudonyms.keys import SECRET_BYTES, Keys, derive_all

FORMAT: Final = "vienanh-keys/2"
TEXT_BYTES_MAX: Final = 65_536
EPOCHS_MAX: Final = 64  # of each kind


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret, the number of its epoch from one, and when it was made (ISO 8601; empty: not known)."""

    epoch: int
    since: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All secrets, oldest first; the last of each kind is in use."""

    identifiers: tuple[Secret, ...]
    seals: tuple[Secret, ...]

    @classmethod
    def of_secret(cls, secret: bytes, since: str = "") -> "Keyring":
        """Return the keyring of one secret that serves both kinds."""
        one = (Secret(1, since, secret),)
        return cls(one, one)

    def keys(self, site: str) -> Keys:
        """Return the sub-keys of a site."""
        return derive_all([one.value for one in self.identifiers], [one.value for one in self.seals], site=site)

    def with_seal(self, secret: bytes, since: str) -> "Keyring":
        """Return the keyring with a new epoch for sealing. Raises ValueError beyond `EPOCHS_MAX`."""
        return replace(self, seals=_longer(self.seals, secret, since))

    def with_identifiers(self, secret: bytes, since: str) -> "Keyring":
        """Return the keyring with new identifiers. Raises ValueError beyond `EPOCHS_MAX`."""
        return replace(self, identifiers=_longer(self.identifiers, secret, since))

    def without_old_seals(self) -> "Keyring":
        """Return the keyring with the newest seal alone."""
        return replace(self, seals=self.seals[-1:])


def _longer(known: tuple[Secret, ...], secret: bytes, since: str) -> tuple[Secret, ...]:
    if len(known) >= EPOCHS_MAX:
        message = f"there are {EPOCHS_MAX} epochs; retire old ones first"
        raise ValueError(message)
    return (*known, Secret(known[-1].epoch + 1, since, secret))


def parse(content: bytes) -> Keyring:
    """Read a keyring from the content of a key file.

    Raises
    ------
    ValueError
        It is neither 32 bytes nor a keyring; nothing of the content is in the message.
    """
    if len(content) == SECRET_BYTES:
        return Keyring.of_secret(content)
    if len(content) > TEXT_BYTES_MAX:
        message = f"longer than {TEXT_BYTES_MAX} bytes"
        raise ValueError(message)
    try:
        document: Any = json.loads(content)
        return _keyring(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        message = f"neither {SECRET_BYTES} bytes nor a keyring of this version"
        raise ValueError(message) from None  # the cause would quote the content


def _keyring(document: Any) -> Keyring:
    if document["format"] != FORMAT:
        raise ValueError
    return Keyring(_secrets(document["identifiers"]), _secrets(document["seals"]))


def _secrets(rows: Any) -> tuple[Secret, ...]:
    entries = cast("list[dict[str, Any]]", rows)
    found = tuple(Secret(int(one["epoch"]), str(one["since"]), bytes.fromhex(one["secret"])) for one in entries)
    epochs = [one.epoch for one in found]
    if not 1 <= len(found) <= EPOCHS_MAX or epochs != sorted(set(epochs)):
        raise ValueError
    if any(len(one.value) != SECRET_BYTES for one in found):
        raise ValueError
    return found


def text_of(ring: Keyring) -> bytes:
    """Return the content of a key file."""
    document = {
        "format": FORMAT,
        "identifiers": [_row(one) for one in ring.identifiers],
        "seals": [_row(one) for one in ring.seals],
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _row(one: Secret) -> dict[str, Any]:
    return {"epoch": one.epoch, "since": one.since, "secret": one.value.hex()}
