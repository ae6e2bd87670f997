"""The file of a node's keys: made once, read by its owner alone, replaced whole; or the environment in its place."""

import contextlib
import fcntl
import os
import secrets
import tempfile
from base64 import b64decode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymizer.pseudonyms.keyring import TEXT_BYTES_MAX, Keyring, parse, text_of
from anonymizer.pseudonyms.keys import Keys
from kernel.access.secrets import load_or_create_key
from kernel.archive.blobs.durable import flush_folder
from kernel.config import Config
from kernel.database import Database
from kernel.errors import InvalidConfiguration
from routing.resealing import seals_in_use

SITE_KEY_FILE: Final = "site.key"
KEY_GONE: Final = (
    "it is not there, but this node's vault is sealed with it: put it back from its back-up; if there is none, "
    "`vienanh keys new-identifiers` begins anew, and what was sealed stays shut"
)
VARIABLE: Final = "VIENANH_SITE_KEY"  # base64 of what the file would hold; not a setting, so that nothing shows it


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file by its path."""

    path: Path

    def read(self) -> Keyring:
        """Return the keyring.

        Raises
        ------
        InvalidConfiguration
            Others may read the file, or it is no keyring; says what to do, and nothing of the content.
        """
        try:
            with self.path.open("rb") as file:
                mode, content = os.fstat(file.fileno()).st_mode, file.read(TEXT_BYTES_MAX + 1)
        except OSError as error:
            raise _unusable(self.path, f"cannot be read: {error.strerror}") from error
        if mode & 0o077:
            raise _unusable(self.path, "others may read it; chmod 600, and rotate the keys if somebody did")
        return _parsed(content, self.path)

    def read_or_create(self) -> Keyring:
        """Return the keyring; the first time make one secret, durable, readable to its owner alone."""
        if not self.path.exists():
            load_or_create_key(self.path)
        return self.read()

    def replace(self, ring: Keyring) -> None:
        """Write a keyring in place of the old one: whole or not at all, also across a power cut."""
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f"{self.path.name}.")  # made with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text_of(ring))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        flush_folder(self.path.parent)

    @contextlib.contextmanager
    def changing(self) -> Generator[None]:
        """Keep others from changing the keys meanwhile.

        Raises
        ------
        InvalidConfiguration
            Somebody else is at it.
        """
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise _unusable(self.path, "another command is changing the keys") from error
        finally:
            os.close(folder)


class SiteKeys:
    """The keys of every site whose patients this node pseudonymises, as the file has them now.

    The file is looked at whenever keys are asked for: a rotation needs no restart. It is made on first use, once.
    """

    def __init__(self, source: KeyFile | Keyring) -> None:
        self._source = source
        fixed = source if isinstance(source, Keyring) else None
        self._known: tuple[tuple[int, ...] | None, Keyring | None, dict[str, Keys]] = (None, fixed, {})

    def __call__(self, site: str) -> Keys:
        """Return the keys of a site. Raises InvalidConfiguration as `KeyFile.read`."""
        ring, known = self._now()
        if site not in known:
            known[site] = ring.keys(site)
        return known[site]

    def _now(self) -> tuple[Keyring, dict[str, Keys]]:
        seen, ring, known = self._known  # one value, so that threads never mix two
        if isinstance(self._source, KeyFile):
            now = _stamp(self._source.path)
            if ring is None or now is None or now != seen:
                # a file that vanishes from under a node would else be made anew, and every patient with it
                ring, known = self._source.read_or_create() if ring is None else self._source.read(), {}
                self._known = (now, ring, known)
        assert ring is not None
        return ring, known


def site_keys(config: Config, environment: Mapping[str, str] = os.environ) -> Callable[[str], Keys]:
    """Return the keys of each site: of the environment if it has them, else of the file."""
    ring = from_environment(environment)
    return SiteKeys(key_file(config) if ring is None else ring)


def key_file(config: Config) -> KeyFile:
    """Return the key file that the configuration names."""
    return KeyFile(config.anonymizer.key_file or config.node.data / SITE_KEY_FILE)


def check_keys(config: Config, db: Database, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a vault without its key: one made in its place would open nothing and give every patient a new pseudonym.

    Raises
    ------
    InvalidConfiguration
        The key cannot be used, or is not there although records are sealed with it; says what to do.
    """
    if from_environment(environment) is not None:
        return
    file = key_file(config)
    if file.path.exists():
        file.read()
    elif seals_in_use(db):
        raise _unusable(file.path, KEY_GONE)


def shut_records(db: Database, ring: Keyring) -> int:
    """Return how many records of the vault do not open with any seal of these keys."""
    return sum(
        count
        for site, counts in seals_in_use(db).items()
        for seal_id, count in counts.items()
        if ring.keys(site).seal_named(seal_id) is None
    )


def from_environment(environment: Mapping[str, str] = os.environ) -> Keyring | None:
    """Return the keyring of the environment, or None when it has none. Raises InvalidConfiguration."""
    text = environment.get(VARIABLE, "")
    if not text:
        return None
    try:
        return _parsed(b64decode(text, validate=True), VARIABLE)
    except ValueError:
        raise _unusable(VARIABLE, "must be base64 of what a key file holds") from None  # a cause would quote it


def new_secret() -> bytes:
    """Return a fresh secret."""
    return secrets.token_bytes(32)


def _parsed(content: bytes, source: object) -> Keyring:
    try:
        return parse(content)
    except ValueError as error:
        raise _unusable(source, f"{error}; restore it from its backup, or remove it for new identifiers") from None


def _unusable(source: object, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration(source=source, key="key", reason=reason)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_ino, now.st_mtime_ns, now.st_size, now.st_mode
