"""Who a DICOM user identity is: a name with a password, or a signed token (PS3.7 D.3.3.7). Kerberos and SAML are not known.

A JSON Web Token (RFC 7519) must be signed with the configured key by the configured algorithm and no other, be meant for
us (`aud`) and have an end (`exp`). Its `sub` names an account of this node; without such an account its `scope` says what
it may do, and `sites` whose studies it sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final, Literal, cast

import jwt

from kernel.access.accounts import DISPLAY_CHARACTERS_MAX, SITE_PATTERN, Accounts
from kernel.access.principal import Principal, Role, Scope
from kernel.clock import Clock
from kernel.config import DimseConfig
from kernel.errors import InvalidConfiguration, NotAuthenticated

JWT_BYTES_MAX: Final = 16 * 1024
SKEW_S: Final = 60.0  # how far another clock may be off
TOKEN_S_MAX: Final = 366 * 86400.0  # a later end is as good as none
HS256_BYTES_MIN: Final = 32  # RFC 7518 3.2
Algorithm = Literal["RS256", "ES256", "HS256"]


class IdentityKind(IntEnum):
    """User identity types (PS3.7 table D.3-14)."""

    USERNAME = 1
    PASSWORD = 2
    KERBEROS = 3
    SAML = 4
    JWT = 5


@dataclass(frozen=True, slots=True)
class JwtRules:
    """What a token must be."""

    key: bytes = field(repr=False)
    algorithm: Algorithm
    audience: str
    issuer: str = ""  # empty: any

    @classmethod
    def of(cls, config: DimseConfig) -> "JwtRules | None":
        """Read the key of the configuration; None when tokens are not taken.

        Raises
        ------
        InvalidConfiguration
            The key cannot be read, or cannot be one.
        """
        file = config.jwt_key_file
        if file is None:
            return None
        try:
            key = file.read_bytes()
            if config.jwt_algorithm == "HS256":
                key = key.strip()
                weak = len(key) < HS256_BYTES_MIN
            else:
                jwt.get_algorithm_by_name(config.jwt_algorithm).prepare_key(key)
                weak = b"PRIVATE" in key
        except (OSError, ValueError, jwt.InvalidKeyError) as error:
            why = error.strerror if isinstance(error, OSError) else f"{config.jwt_algorithm} does not take it for one"
            reason = f"cannot be used: {why}"
            raise InvalidConfiguration(source=file, key="dimse.jwt_key_file", reason=reason) from error
        if weak:
            reason = f"must be a public key, or for HS256 a secret of at least {HS256_BYTES_MIN} bytes"
            raise InvalidConfiguration(source=file, key="dimse.jwt_key_file", reason=reason)
        return cls(key, config.jwt_algorithm, config.jwt_audience, config.jwt_issuer)

    def claims(self, token: bytes, clock: Clock) -> Mapping[str, Any]:
        """Return what a token says. Raises NotAuthenticated."""
        if len(token) > JWT_BYTES_MAX:
            raise NotAuthenticated
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.key,
                algorithms=[self.algorithm],
                audience=self.audience,
                issuer=self.issuer or None,
                options={
                    "require": ["exp", "aud", "sub"],
                    "verify_exp": False,  # against our own clock, below
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            now_s = clock.now().timestamp()
            if now_s >= float(claims["exp"]) + SKEW_S or now_s < float(claims.get("nbf", now_s)) - SKEW_S:
                raise NotAuthenticated
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
            raise NotAuthenticated from None
        return claims


@dataclass(frozen=True, slots=True)
class Proved:
    """Who proved an identity, and until when the proof itself says that it is good; None: it does not say."""

    who: Principal
    until: datetime | None = None


class Identities:
    """Proves user identities."""

    def __init__(self, accounts: Accounts, clock: Clock, rules: JwtRules | None) -> None:
        self._accounts = accounts
        self._clock = clock
        self._rules = rules

    def identify(self, kind: int, primary: bytes, secondary: bytes, address: str) -> Proved:
        """Return who somebody is; a proof is never kept or logged.

        Parameters
        ----------
        primary, secondary
            The name and the password, or the token and nothing.

        Raises
        ------
        NotAuthenticated
            The proof fails, or is of a kind that proves nothing here.
        Throttled
            Too many failures.
        """
        if kind == IdentityKind.PASSWORD:
            return Proved(self._by_password(primary, secondary, address))
        if kind == IdentityKind.JWT and self._rules is not None:
            try:
                claims = self._rules.claims(primary, self._clock)
            except NotAuthenticated:
                self._accounts.token_refused(address)
                raise
            return Proved(self._by_claims(claims, address), self._end(claims))
        raise NotAuthenticated

    def _end(self, claims: Mapping[str, Any]) -> datetime:
        now = self._clock.now()
        return now + timedelta(seconds=min(float(claims["exp"]) + SKEW_S - now.timestamp(), TOKEN_S_MAX))

    def _by_password(self, primary: bytes, secondary: bytes, address: str) -> Principal:
        try:
            name, password = primary.decode("utf-8"), secondary.decode("utf-8")
        except UnicodeDecodeError:
            raise NotAuthenticated from None
        principal = self._accounts.authenticate(name, password, address)
        if principal.must_change:  # a one-time password is for the sign-in page alone
            raise NotAuthenticated
        return principal

    def _by_claims(self, claims: Mapping[str, Any], address: str) -> Principal:
        subject = str(claims["sub"])
        known = self._accounts.vouched(subject, address)
        if known is not None:
            return known
        scopes = frozenset(Scope(word) for word in str(claims.get("scope", "")).split() if word in set(Scope))
        if not scopes or not subject or len(subject) > DISPLAY_CHARACTERS_MAX or not subject.isprintable():
            self._accounts.token_refused(address)
            raise NotAuthenticated
        return Principal(subject, "token", frozenset({Role.INTEGRATOR}), scopes, _sites(claims.get("sites")))


def _sites(claim: Any) -> frozenset[str]:
    """Return whose studies a token may see: none unless it says so."""
    texts = cast("list[Any]", claim) if isinstance(claim, list) else []
    return frozenset(text for text in texts if isinstance(text, str) and SITE_PATTERN.fullmatch(text))
