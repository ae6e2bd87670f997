"""Short-lived leave to read one study, for another program on a person's desk: Weasis, 3D Slicer, OHIF elsewhere.

A capability is a bearer token, `vlc_<content>_<mac>`, that this node signed and keeps nowhere. It tells the study, who
asked for it and until when; it stands as long as the person's account does, and reads that study over DICOMweb alone.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from kernel.access.accounts import principal_of
from kernel.access.memory import Recent
from kernel.access.principal import Principal, Scope
from kernel.access.secrets import Signer, sha256_hex
from kernel.access.studies import StudyGrant
from kernel.access.tables import account
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import NotAuthenticated

PREFIX: Final = "vlc_"
LIFE: Final = timedelta(hours=1)  # a study over a thin line takes a while
CHARACTERS_MAX: Final = 1024


class Launches:
    """The capabilities of this node."""

    def __init__(self, db: Database, clock: Clock, signer: Signer, recent: Recent[str, Principal]) -> None:
        self._db = db
        self._clock = clock
        self._signer = signer
        self._recent = recent

    def make(self, principal: Principal, grant: StudyGrant, program: str, address: str) -> str:
        """Return a capability for a study that a person was granted; an audit line tells of it. Raises Forbidden."""
        principal.require_person("open another program")
        principal.require(Scope.DICOMWEB_READ)
        now = self._clock.now()
        told = [grant.site, grant.study_instance_uid, principal.name, int((now + LIFE).timestamp())]
        content = urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).rstrip(b"=").decode()
        line = Line(
            now,
            Action.INSTANCES_TRANSFERRED,
            principal.name,
            site=grant.site,
            study_instance_uid=grant.study_instance_uid,
            address=address,
            detail={"what": "opened in another program", "program": program},
        )
        self._db.write(lambda connection: append(connection, line))
        return f"{PREFIX}{content}.{self._signer.mac_of('launch', content)}"

    def principal_of(self, bearer: str) -> Principal:
        """Return what a capability lets its bearer do.

        Raises
        ------
        NotAuthenticated
            It is none of this node's, or has ended, or its person may no longer read that site's studies.
        """
        content, _, mac = bearer[len(PREFIX) : CHARACTERS_MAX].partition(".")
        if not bearer.isascii() or not hmac.compare_digest(mac, self._signer.mac_of("launch", content)):
            raise NotAuthenticated
        return self._recent.get_or(sha256_hex(bearer), lambda: self._look_up(content))

    def _look_up(self, content: str) -> Principal:
        try:
            told: list[Any] = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        except (NotBase64, ValueError):
            raise NotAuthenticated from None
        site, study, name, until = told
        if self._clock.now() >= datetime.fromtimestamp(until, UTC):
            raise NotAuthenticated
        with self._db.read() as connection:
            row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
        if row is None or row.disabled:
            raise NotAuthenticated
        person = principal_of(row)
        if Scope.DICOMWEB_READ not in person.scopes or not person.sees(site):
            raise NotAuthenticated
        scopes = frozenset({Scope.DICOMWEB_READ})
        return Principal(f"{name} by launch", "link", frozenset(), scopes, frozenset({site}), study=study)
