"""Asking another DICOMweb service what it has: QIDO-RS as a client (PS3.18 10.6), page by page.

TLS is verified, redirects are not followed, and an answer is read within a bound.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import httpx
import msgspec

from gateway.dicomweb.client import unpacking
from gateway.dicomweb.client.silence import told_silence
from gateway.dicomweb.http.negotiation import JSON
from kernel.dicom.queries.identifier import Model
from kernel.errors import Forbidden, InvalidRequest, NotAuthenticated, PeerBusy, PeerUnreachable, Refused

Level = Literal["STUDY", "SERIES", "IMAGE"]
PAGE: Final = 200
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024  # of one page
_RESOURCE: Final[Mapping[Level, str]] = {"STUDY": "studies", "SERIES": "series", "IMAGE": "instances"}


@dataclass(frozen=True, slots=True)
class Service:
    """A DICOMweb service and how to call it."""

    url: str  # of the service, such as https://pacs.example.vn/dicom-web
    timeout_s: float
    token: str = ""  # bearer token; empty: none
    tls: ssl.SSLContext | None = None  # None: the system's authorities


def search(service: Service, level: Level, parameters: Sequence[tuple[str, str]], *, most: int) -> Iterator[Model]:
    """Yield what a service finds, as DICOM JSON objects, at most `most`.

    Raises
    ------
    PeerUnreachable, PeerBusy
        No answer, or none now.
    NotAuthenticated, Forbidden
        The token is not taken.
    Refused, InvalidRequest
        It refuses the query, or its answer is no DICOM JSON.
    """
    headers = {"Accept": JSON, "Accept-Encoding": unpacking.ACCEPTED} | (
        {"Authorization": f"Bearer {service.token}"} if service.token else {}
    )
    url, count = f"{service.url.rstrip('/')}/{_RESOURCE[level]}", 0
    verify = service.tls or ssl.create_default_context()
    with httpx.Client(headers=headers, timeout=service.timeout_s, trust_env=False, verify=verify) as client:
        while count < most:
            wanted = min(PAGE, most - count)
            page, has_more = _page(client, url, [*parameters, ("limit", str(wanted)), ("offset", str(count))])
            yield from page[:wanted]
            count += len(page)
            if not page or (len(page) < wanted and not has_more):
                return


def _page(client: httpx.Client, url: str, parameters: Sequence[tuple[str, str]]) -> tuple[list[Model], bool]:
    """Return what is on a page, and whether the service says that it gives fewer at once than there are (8.3.4.4)."""
    content = bytearray()
    try:
        with client.stream("GET", url, params=list(parameters)) as response:
            _check(response.status_code)
            has_more = response.headers.get("warning", "").startswith("299")
            for chunk in unpacking.unpacked(response, ANSWER_BYTES_MAX):
                content += chunk
                if len(content) > ANSWER_BYTES_MAX:
                    raise InvalidRequest(reason=f"the answer has more than {ANSWER_BYTES_MAX} bytes")
    except httpx.HTTPError as error:
        raise PeerUnreachable(peer="the service", reason=told_silence(error, setting="--ca")[1]) from None
    except (httpx.InvalidURL, UnicodeError):  # of IDNA: a part of the name that is empty, or too long
        raise InvalidRequest(reason="the URL names no host") from None
    if not content:  # 204
        return [], False
    try:
        return msgspec.json.decode(content, type=list[Model]), has_more
    except msgspec.MsgspecError:
        raise InvalidRequest(reason="the answer is no DICOM JSON") from None


def _check(status: int) -> None:
    if status in (200, 204, 206):
        return
    if status == 401:
        raise NotAuthenticated
    if status == 403:
        raise Forbidden(action="search there")
    if status in (429, 503):
        raise PeerBusy(peer="the service", reason=f"HTTP {status}")
    raise Refused(reason=f"the service answers with HTTP {status}")
