"""The only way to a study: who wants it, may they, and the line that says they did.

What is handed out is a `StudyGrant`: it names the one study, at the one site, that its holder may read.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection, select

from kernel.access.memory import Recent
from kernel.access.principal import Principal, Scope
from kernel.archive.search.search import StudyPage, StudyQuery, search_studies
from kernel.archive.tables import study
from kernel.audit import Action, AuditOutcome, Head, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.queries.matching import Exact
from kernel.errors import AmbiguousStudy, Forbidden, NotFound
from kernel.events import Event, EventName, record

READ_SCOPES = (Scope.DICOMWEB_READ, Scope.API_READ, Scope.EXPORT, Scope.STUDY_READ)
AUDIT_EVERY_S = 600.0  # one line per principal, address, study and action in so many seconds
AUDITED_MAX = 20_000  # such lines remembered; beyond, the oldest is forgotten and may be written again
GRANT_S = 5.0  # a grant is remembered, so that a series of frames asks the database once
GRANTS_MAX = 4_096
KEYS_MAX = 50  # matching keys named in one audit line
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True)
class StudyGrant:
    """Leave to read one study. Made by `Studies.open` alone."""

    site: str
    study_instance_uid: str
    trace_id: str
    holder: str
    labels: bool = False  # the pictures of slides' labels, too


_Key = tuple[Principal, str, str, Action, str | None]


class Written(Protocol):
    """A line on its way to the disk."""

    def result(self) -> Head:
        """Wait until it is durable."""
        ...


class Studies:
    """Hands out studies and writes down to whom."""

    def __init__(self, db: Database, clock: Clock, site: str) -> None:
        self._db = db
        self._clock = clock
        self._site = site
        self._grants: Recent[_Key, StudyGrant] = Recent(clock, seconds=GRANT_S, most=GRANTS_MAX)
        self._telling = threading.Lock()
        self._told: Recent[tuple[str, ...], Written] = Recent(clock, seconds=AUDIT_EVERY_S, most=AUDITED_MAX)

    def search(self, principal: Principal, query: StudyQuery, address: str) -> StudyPage:
        """Search the studies that `principal` may see; the audit line names the keys, never what was searched for.

        Raises
        ------
        Forbidden
            The principal may not read.
        """
        if principal.study is not None:  # who was let in to one study finds that one
            query = replace(query, matches={**query.matches, "StudyInstanceUID": Exact(principal.study)})
        visible = self._asked(principal, [*query.matches, *(["text"] if query.text else [])], address)
        wanted = query.sites if visible is None else visible if query.sites is None else query.sites & visible
        with self._db.read() as connection:
            return search_studies(connection, replace(query, sites=wanted))

    def may_search(self, principal: Principal, keywords: Iterable[str], address: str) -> frozenset[str] | None:
        """Audit a search by matching keys and return the sites that may be searched; None means all.

        Raises
        ------
        Forbidden
            The principal may not read, or only one study.
        """
        _check_unbound(principal)
        return self._asked(principal, keywords, address)

    def _asked(self, principal: Principal, keywords: Iterable[str], address: str) -> frozenset[str] | None:
        self._check_reader(principal, Action.QUERY, "", address)
        self._tell_query(principal, "studies", keywords, address)
        return principal.sites

    def may_list(
        self, principal: Principal, scope: Scope, what: str, keywords: Iterable[str], address: str
    ) -> frozenset[str] | None:
        """Audit a look at what `scope` is about, such as orders; return the sites it may cover, None for all.

        Raises
        ------
        Forbidden
            The principal has not this right.
        """
        principal.require(scope)
        _check_unbound(principal)
        self._tell_query(principal, what, keywords, address)
        return principal.sites

    def _tell_query(self, principal: Principal, what: str, keywords: Iterable[str], address: str) -> None:
        keys = ",".join(sorted(keywords)[:KEYS_MAX])
        detail = {"keys": keys} if what == "studies" else {"keys": keys, "of": what}
        line = Line(self._clock.now(), Action.QUERY, principal.name, address=address, detail=detail)
        self._tell(principal, line, keys=f"{what}:{keys}")

    def open(
        self,
        principal: Principal,
        study_instance_uid: str,
        action: Action,
        address: str,
        site: str | None = None,
    ) -> StudyGrant:
        """Give leave to read one study, and write that down before it is used.

        Raises
        ------
        Forbidden
            The principal may not read at all.
        NotFound
            There is no such study, or none that the principal may see: the answer is the same.
        AmbiguousStudy
            More than one visible site has this UID, and `site` does not say which is meant.
        """
        key = (principal, study_instance_uid, address, action, site)
        return self._grants.get_or(key, lambda: self._grant(*key))

    def tell_label(self, principal: Principal, grant: StudyGrant, address: str) -> None:
        """Write down that somebody looks at the label of a slide, before they do."""
        line = Line(
            self._clock.now(),
            Action.INSTANCES_ACCESSED,
            principal.name,
            role=_roles(principal),
            site=grant.site,
            study_instance_uid=grant.study_instance_uid,
            address=address,
            detail={"what": "slide label"},
        )
        self._tell(principal, line, keys="label")

    def may_delete(self, principal: Principal, uid: str, address: str, site: str | None = None) -> StudyGrant:
        """Return which study the principal means to delete; nothing is allowed by it (`kernel.archive.deletion.deletion`).

        Raises
        ------
        Forbidden
            The principal may not delete at all.
        NotFound, AmbiguousStudy
            As `open`.
        """
        principal.require(Scope.DICOMWEB_DELETE)
        found, trace_id = self._find(principal, uid, address, Action.STUDY_DELETED, site)
        return StudyGrant(found, uid, trace_id, principal.name)

    def may_store(self, principal: Principal) -> str:
        """Return the site for which `principal` may store.

        Raises
        ------
        Forbidden
            It may not store, or sees several sites and this node's own is not among them.
        """
        return self.may_write(principal, Scope.DICOMWEB_STORE)

    def may_write(self, principal: Principal, scope: Scope, named: str | None = None) -> str:
        """Return the site for which `principal` may write what `scope` is about; `named` when it says which.

        Raises
        ------
        Forbidden
            It may not, or not for the site that it names, or no single site is given to it.
        """
        principal.require(scope)
        _check_unbound(principal)
        if principal.site is not None:
            site = principal.site
        elif named is not None and principal.sees(named):
            site = named
        elif principal.sees(self._site):
            site = self._site
        elif principal.sites and len(principal.sites) == 1:
            site = next(iter(principal.sites))
        else:
            raise Forbidden(action="store: no single site is given to it")
        if named not in (None, site):
            raise Forbidden(action="write for another site")
        return site

    def _grant(self, principal: Principal, uid: str, address: str, action: Action, site: str | None) -> StudyGrant:
        self._check_reader(principal, action, uid if _UID.fullmatch(uid) else "", address)
        found, trace_id = self._find(principal, uid, address, action, site)
        grant = StudyGrant(found, uid, trace_id, principal.name, Scope.LABELS_READ in principal.scopes)
        line = Line(
            self._clock.now(),
            action,
            principal.name,
            role=_roles(principal),
            site=grant.site,
            study_instance_uid=uid,
            address=address,
        )
        opened = Event(EventName.STUDY_OPENED, line.at, grant.site, uid, grant.trace_id)
        by_a_person = principal.kind == "account" and action is Action.INSTANCES_ACCESSED
        self._tell(principal, line, event=opened if by_a_person else None)
        return grant

    def _find(self, principal: Principal, uid: str, address: str, action: Action, site: str | None) -> tuple[str, str]:
        """Return site and trace of a study that the principal may see. Raises NotFound, AmbiguousStudy."""
        if principal.study not in (None, uid):
            self._refuse(principal, action, uid if _UID.fullmatch(uid) else "", address)
            raise NotFound(what="study")
        sites = principal.sites if site is None else frozenset({site}) if principal.sees(site) else frozenset[str]()
        here = select(study.c.site, study.c.trace_id).where(study.c.study_instance_uid == uid).limit(2)
        with self._db.read() as connection:
            visible = connection.execute(here if sites is None else here.where(study.c.site.in_(sites))).all()
            elsewhere = not visible and connection.execute(here).first() is not None
        if elsewhere:
            self._refuse(principal, action, uid, address)
        if not visible:
            raise NotFound(what="study")
        if len(visible) > 1:
            raise AmbiguousStudy(study_instance_uid=uid)
        return visible[0].site, visible[0].trace_id

    def forget(self) -> None:
        """Forget the grants that were given: studies were deleted."""
        self._grants.forget()

    def _check_reader(self, principal: Principal, action: Action, uid: str, address: str) -> None:
        if not principal.scopes.intersection(READ_SCOPES):
            self._refuse(principal, action, uid, address)
            raise Forbidden(action="read studies")

    def _refuse(self, principal: Principal, action: Action, uid: str, address: str) -> None:
        line = Line(
            self._clock.now(),
            action,
            principal.name,
            AuditOutcome.SERIOUS_FAILURE,
            role=_roles(principal),
            study_instance_uid=uid,
            address=address,
        )
        self._tell(principal, line)

    def _tell(self, principal: Principal, line: Line, *, keys: str = "", event: Event | None = None) -> None:
        """Append `line` unless its like was appended lately; return when it is durable."""
        who = (principal.kind, principal.name, line.address)
        key = (*who, line.action, line.outcome, line.site, line.study_instance_uid, keys)

        def tell(connection: Connection) -> Head:
            if event is not None:
                record(connection, event)
            return append(connection, line)

        with self._telling:  # many frames at once wait for one line
            written = self._told.get_or(key, lambda: self._db.submit(tell))
        try:
            written.result()
        except Exception:
            self._told.drop(key)
            raise


def _check_unbound(principal: Principal) -> None:
    """Refuse who was let in to one study alone what is about others, too. Raises Forbidden."""
    if principal.study is not None:
        raise Forbidden(action="look for studies")


def _roles(principal: Principal) -> str:
    return " ".join(sorted(principal.roles))
