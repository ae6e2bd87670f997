"""Passwords, session cookies and bearer tokens as bytes: made, hashed, signed, compared. No database.

Nothing here prints a secret: the classes that hold one have a `repr` of their own, and errors carry none.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
import threading
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from kernel.errors import Busy, InvalidConfiguration, InvalidRequest

RandomBytes = Callable[[int], bytes]
KEY_BYTES = 32
SESSION_ID_BYTES = 32
TOKEN_ID_BYTES = 8
TOKEN_SECRET_BYTES = 32
CREDENTIAL_CHARACTERS_MAX = 256  # of a cookie value or bearer token; more is not looked at
PASSWORD_CHARACTERS_MAX = 1024
HASHES_AT_ONCE = 4  # each takes 64 MiB for a moment
HASH_WAIT_S = 10.0


def load_or_create_key(path: Path, random_bytes: RandomBytes = secrets.token_bytes) -> bytes:
    """Return the key in `path`; the first time make it, durable, readable to its owner alone.

    Raises
    ------
    InvalidConfiguration
        The file is of another length, or others may read it.
    """
    if not path.exists():
        _make_key(path, random_bytes(KEY_BYTES))
    return _read_key(path)


def _make_key(path: Path, key: bytes) -> None:
    """Write a key whole or not at all, also across a power cut; a key that another process made meanwhile stands."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise InvalidConfiguration(source=path, key="key", reason=f"must be {KEY_BYTES} bytes; restore or remove it")
    if path.stat().st_mode & 0o077:
        raise InvalidConfiguration(source=path, key="key", reason="others may read it; chmod 600")
    return key


def sha256_hex(text: str) -> str:
    """Return what is stored instead of a secret that is random enough to need no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


class Signer:
    """Signs session cookies, `v1.<id>.<mac>`, and derives each session's CSRF value."""

    def __init__(self, key: bytes, random_bytes: RandomBytes = secrets.token_bytes) -> None:
        self._key = key
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return "Signer()"

    def new_session_id(self) -> str:
        """Return a fresh, unguessable session identifier."""
        return _text(self._random_bytes(SESSION_ID_BYTES))

    def cookie(self, session_id: str) -> str:
        """Return the cookie's value for a session."""
        return f"v1.{session_id}.{self._mac('session', session_id)}"

    def session_id(self, cookie: str) -> str | None:
        """Return the session that a cookie names, or None unless this node signed it."""
        if len(cookie) > CREDENTIAL_CHARACTERS_MAX or not cookie.isascii():
            return None
        version, _, rest = cookie.partition(".")
        session_id, _, mac = rest.partition(".")
        signed = hmac.compare_digest(mac, self._mac("session", session_id))
        return session_id if signed and version == "v1" else None

    def csrf(self, session_id: str) -> str:
        """Return the value that a page of this session must send with unsafe methods."""
        return self._mac("csrf", session_id)

    def mac_of(self, purpose: str, content: str) -> str:
        """Return the MAC of what this node says for a purpose of its own, neither `session` nor `csrf`."""
        assert purpose not in ("session", "csrf"), "a content would pass for a session"
        return self._mac(purpose, content)

    def _mac(self, purpose: str, session_id: str) -> str:
        return _text(hmac.digest(self._key, f"{purpose}:{session_id}".encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class TokenParts:
    """A bearer token, `vat_<id>_<secret>`, in its parts."""

    token_id: str
    secret: str

    def __repr__(self) -> str:
        return f"TokenParts({self.token_id!r})"

    def text(self) -> str:
        """Return the token as it is shown once and sent in each request."""
        return f"vat_{self.token_id}_{self.secret}"


def new_token(random_bytes: RandomBytes = secrets.token_bytes) -> TokenParts:
    """Return a fresh token."""
    return TokenParts(random_bytes(TOKEN_ID_BYTES).hex(), _text(random_bytes(TOKEN_SECRET_BYTES)))


def parse_token(bearer: str) -> TokenParts | None:
    """Return the parts of a bearer token, or None when it has not that form."""
    if len(bearer) > CREDENTIAL_CHARACTERS_MAX or not bearer.isascii():
        return None
    prefix, _, rest = bearer.partition("_")
    token_id, _, secret = rest.partition("_")
    return TokenParts(token_id, secret) if prefix == "vat" and len(token_id) == 2 * TOKEN_ID_BYTES and secret else None


class Passwords:
    """Argon2id with the library's parameters (RFC 9106), at most `HASHES_AT_ONCE` at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._nobody = self.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        with _Turn(self._turn):
            return self._hasher.hash(normalized(password))

    def matches(self, password: str, stored: str | None) -> bool:
        """Compare with the stored hash; without one, do the same work and say no."""
        with _Turn(self._turn):
            try:
                self._hasher.verify(stored or self._nobody, normalized(password))
            except Argon2Error:
                return False
        return stored is not None


class _Turn:
    def __init__(self, semaphore: threading.BoundedSemaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        if not self._semaphore.acquire(timeout=HASH_WAIT_S):
            raise Busy(what="many people are signing in")

    def __exit__(self, *_: object) -> None:
        self._semaphore.release()


def normalized(password: str) -> str:
    """Return one form for what keyboards send in two: Vietnamese letters composed or with marks beside them.

    Raises
    ------
    InvalidRequest
        It is longer than `PASSWORD_CHARACTERS_MAX`.
    """
    if len(password) > PASSWORD_CHARACTERS_MAX:
        raise InvalidRequest(reason=f"a password has at most {PASSWORD_CHARACTERS_MAX} characters")
    return unicodedata.normalize("NFC", password)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
