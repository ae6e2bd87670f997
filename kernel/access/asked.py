"""Access as listener processes have it: asked of the process that owns the database, which also writes the audit lines."""

from typing import Final, Protocol

import msgspec

from kernel.access import Access, Action, Principal, StudyGrant
from kernel.access.identity import Proved
from kernel.archive.owner.asking import LocalOwner, Owner

OPEN_STUDY: Final = "access.open_study"
TELL_LABEL: Final = "access.tell_label"
MAY_SEARCH: Final = "access.may_search"
IDENTIFY: Final = "access.identify"
STANDS: Final = "access.stands"


class StudyAccess(Protocol):
    """The part of `Access` that services for reading use; `Access` is one."""

    def open_study(
        self, principal: Principal, study_instance_uid: str, action: Action, address: str, site: str | None = None
    ) -> StudyGrant:
        """Give leave to read one study; audited before it returns. Raises Forbidden, NotFound, AmbiguousStudy."""
        ...

    def tell_label(self, principal: Principal, grant: StudyGrant, address: str) -> None:
        """Write down that somebody takes the label of a slide, before they do."""
        ...

    def may_search(self, principal: Principal, keywords: list[str], address: str) -> frozenset[str] | None:
        """Audit a search; return the sites it may cover, None for all. Raises Forbidden."""
        ...


class _OpenStudy(msgspec.Struct, array_like=True, frozen=True):
    principal: Principal
    study_instance_uid: str
    action: Action
    address: str
    site: str | None


class _TellLabel(msgspec.Struct, array_like=True, frozen=True):
    principal: Principal
    grant: StudyGrant
    address: str


class _MaySearch(msgspec.Struct, array_like=True, frozen=True):
    principal: Principal
    keywords: list[str]
    address: str


class _Identify(msgspec.Struct, array_like=True, frozen=True):
    kind: int
    primary: bytes
    secondary: bytes
    address: str

    def __repr__(self) -> str:
        return "_Identify(...)"  # the fields are secrets


_encode = msgspec.msgpack.Encoder().encode
_open_study = msgspec.msgpack.Decoder(_OpenStudy).decode
_tell_label = msgspec.msgpack.Decoder(_TellLabel).decode
_may_search = msgspec.msgpack.Decoder(_MaySearch).decode
_identify = msgspec.msgpack.Decoder(_Identify).decode
_principal = msgspec.msgpack.Decoder(Principal).decode
_proved = msgspec.msgpack.Decoder(Proved).decode
_answer = msgspec.msgpack.Decoder(bool).decode
_grant = msgspec.msgpack.Decoder(StudyGrant).decode
_sites = msgspec.msgpack.Decoder(frozenset[str] | None).decode


class AskedAccess:
    """`StudyAccess` of a listener process."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def open_study(
        self, principal: Principal, study_instance_uid: str, action: Action, address: str, site: str | None = None
    ) -> StudyGrant:
        """Ask for leave to read one study. Raises as `Access.open_study`, and Busy."""
        asked = _OpenStudy(principal, study_instance_uid, action, address, site)
        return _grant(self._owner.ask(OPEN_STUDY, _encode(asked)))

    def tell_label(self, principal: Principal, grant: StudyGrant, address: str) -> None:
        """Have it written down that somebody takes the label of a slide. Raises Busy."""
        self._owner.ask(TELL_LABEL, _encode(_TellLabel(principal, grant, address)))

    def may_search(self, principal: Principal, keywords: list[str], address: str) -> frozenset[str] | None:
        """Ask which sites a search may cover. Raises as `Access.may_search`, and Busy."""
        return _sites(self._owner.ask(MAY_SEARCH, _encode(_MaySearch(principal, keywords, address))))

    def identify(self, kind: int, primary: bytes, secondary: bytes, address: str) -> Proved:
        """Ask who a user identity is. Raises as `Access.identify`, and Busy."""
        asked = _Identify(kind, primary, secondary, address)
        return _proved(self._owner.ask(IDENTIFY, _encode(asked)))

    def stands(self, who: Principal) -> bool:
        """Ask whether who proved an identity may still do all that. Raises Busy."""
        return _answer(self._owner.ask(STANDS, _encode(who)))


def serve_access(owner: LocalOwner, access: Access) -> None:
    """Answer the questions of `AskedAccess`."""

    def open_study(body: bytes) -> bytes:
        one = _open_study(body)
        return _encode(access.open_study(one.principal, one.study_instance_uid, one.action, one.address, one.site))

    def tell_label(body: bytes) -> bytes:
        one = _tell_label(body)
        access.tell_label(one.principal, one.grant, one.address)
        return b""

    def may_search(body: bytes) -> bytes:
        one = _may_search(body)
        return _encode(access.may_search(one.principal, one.keywords, one.address))

    def identify(body: bytes) -> bytes:
        one = _identify(body)
        return _encode(access.identify(one.kind, one.primary, one.secondary, one.address))

    owner.serve(IDENTIFY, identify)
    owner.serve(STANDS, lambda body: _encode(access.stands(_principal(body))))
    owner.serve(OPEN_STUDY, open_study)
    owner.serve(TELL_LABEL, tell_label)
    owner.serve(MAY_SEARCH, may_search)
