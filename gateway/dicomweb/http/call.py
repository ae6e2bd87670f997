"""One request as a handler sees it: who asks, for what, under which URL. No sockets."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope as AsgiScope

from gateway.dicomweb.http import negotiation, tracing
from gateway.dicomweb.service import Room
from kernel.access import Action, Principal, StudyGrant
from kernel.archive import index
from kernel.archive.records import Located
from kernel.errors import InvalidRequest

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
QUERY_CHARS_MAX: Final = 8192


@dataclass(slots=True)
class Address:
    """Where a request came from and went to."""

    peer: str  # the client's numeric address
    origin: str  # this node's origin as the client sees it, such as https://anh.example.vn
    prefix: str  # of the service: /dicom-web or /sites/BV1/dicom-web
    site: str | None  # the one site that the URL names
    trace_id: str  # of the study when the client said it, else of this request

    @property
    def base_url(self) -> str:
        """The service's URL, without a slash at its end."""
        return self.origin + self.prefix

    def site_url(self, site: str) -> str:
        """Return the URL of the service for one site alone."""
        return f"{self.origin}/sites/{quote(site)}/dicom-web"


def address_of(scope: AsgiScope, headers: Headers, public_url: str, trace_id: str) -> Address:
    """Return where a request came from and went to.

    Raises
    ------
    InvalidRequest
        Its Host header is no host: it would end up in the URLs that we answer.
    """
    site = scope.get("path_params", {}).get("site")
    prefix = "/dicom-web" if site is None else f"/sites/{quote(site)}/dicom-web"
    client = scope.get("client")
    origin = public_url.rstrip("/")
    if not origin:
        host = headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise InvalidRequest(reason="the Host header is not a host")
        host = _with_port(host, scope, headers)
        origin = f"{scope['scheme'].replace('ws', 'http')}://{host}"
    return Address(client[0] if client else "", origin, prefix, site, trace_id)


def _with_port(host: str, scope: AsgiScope, headers: Headers) -> str:
    """Complete what dicomweb-client leaves out: its Host header never names the port (RFC 9110 7.2 wants it)."""
    _, port = scope.get("server") or ("", None)
    is_usual = port in (None, 443 if scope["scheme"] in ("https", "wss") else 80)
    if ":" in host or is_usual or "x-forwarded-host" in headers:
        return host
    return f"{host}:{port}" if "python-requests" in headers.get("user-agent", "") else host


class Call:
    """An authorised request."""

    def __init__(self, room: Room, scope: AsgiScope, headers: Headers, principal: Principal, address: Address) -> None:
        self.room = room
        self.services = room.services
        self.headers = headers
        self.principal = principal
        self.address = address
        self.params: dict[str, Any] = scope.get("path_params", {})
        self._scope = scope

    @cached_property
    def query(self) -> QueryParams:
        """The query parameters."""
        query: bytes = self._scope.get("query_string", b"")
        if len(query) > QUERY_CHARS_MAX:
            raise InvalidRequest(reason=f"the query is longer than {QUERY_CHARS_MAX} characters")
        return QueryParams(query)

    @property
    def told_trace_id(self) -> str | None:
        """The study's trace as the client knows it; None when it sent none."""
        return tracing.trace_of(self.headers.get(tracing.HEADER, ""))

    @property
    def accept(self) -> str:
        """What the client accepts."""
        return negotiation.asked(self.headers, self.query if self._scope.get("query_string") else {})

    def open_study(self, study_instance_uid: str) -> StudyGrant:
        """Ask for leave to read a study, by the site that the URL names or those that the caller sees; audited."""
        return self.services.access.open_study(
            self.principal, study_instance_uid, Action.INSTANCES_ACCESSED, self.address.peer, self.address.site
        )

    def locate(self, grant: StudyGrant) -> Located:
        """Return where the instance is that the URL names, in the study that was granted."""
        with self.services.db.read() as connection:
            located = index.locate_instance(connection, grant, self.params["series"], self.params["instance"])
        self.tell_labels(grant, located)
        return located

    def locate_all(self, grant: StudyGrant) -> list[Located]:
        """Return where the instances are of the series that the URL names, else of the whole study."""
        with self.services.db.read() as connection:
            if "series" in self.params:
                return index.locate_series(connection, grant, self.params["series"])
            return index.locate_study(connection, grant)

    def tell_labels(self, grant: StudyGrant, *located: Located) -> None:
        """Write down a look at the label of a slide, if one is among them."""
        if any(one.shows_label for one in located):
            self.services.access.tell_label(self.principal, grant, self.address.peer)
