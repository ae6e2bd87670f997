"""STOW-RS as a transport (PS3.18 10.5): batches streamed from the blobs over one kept-alive HTTP/1.1 connection.

Implements `routing.transport.Transport`. TLS is verified, proxies and redirects are not followed, and no instance is
ever whole in memory. What an answer means is gateway/dicomweb/client/receipts.py.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx

from gateway.dicomweb.client import unpacking
from gateway.dicomweb.client.receipts import WITH_RESULTS, cause_of_status, read_results
from gateway.dicomweb.client.silence import believing, told_silence, told_status
from gateway.dicomweb.http import tracing
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.store import manifest as manifests
from kernel.clock import Clock
from kernel.errors import Forbidden, InvalidRequest, NotAuthenticated, PeerBusy, PeerUnreachable
from routing.transport import Cause, Manifest, Parcel, Receipt, ReceiptState, failed

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024  # of a response body; 16 instances need about 5 kB
TOKEN_BYTES_MAX: Final = 8192
RETRY_AFTER_MAX_S: Final = 86_400.0
_PART: Final = {"Content-Type": "application/dicom"}


class _BlobFailed(Exception):
    """Our own blob could not be read; carried through the HTTP library so that it is not taken for the peer's."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        super().__init__()


class _NoAnswer(Exception):
    """The peer gave no whole answer; `cause` and `detail` say what is known."""

    def __init__(self, cause: Cause, detail: str) -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(detail)


class StowTransport:
    """The way to one DICOMweb service; one thread uses it at a time. InvalidConfiguration: `ca_file` cannot be used."""

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        *,
        timeout_s: float,
        token_file: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._clock = clock
        self._timeout_s = timeout_s
        self._token_file = token_file
        self._random: Callable[[int], str] = secrets.token_hex
        self._client = httpx.Client(
            verify=believing(f"destination {name}", ca_file),
            timeout=timeout_s,
            headers={"Accept-Encoding": unpacking.ACCEPTED},
            trust_env=False,  # no proxy, no .netrc: only what the configuration names
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30),
        )

    def deliver(self, batch: Sequence[Parcel], manifest: Manifest | None = None) -> Sequence[Receipt]:
        """Send one batch of one study in one request; see `routing.transport.Transport`."""
        receipts = self._post(batch, manifest)
        if len(batch) == 1 or not all(
            receipt.cause is Cause.POISON and "/" not in receipt.status for receipt in receipts
        ):
            return receipts
        # The request as a whole was refused: one of them may be to blame, so each is asked about by itself.
        receipts = []
        for parcel in batch:
            receipts += self._post([parcel], manifest)
            if receipts[-1].state is ReceiptState.RETRY:
                break  # the way is blocked, not the instance
        return receipts + [replace(receipts[-1], sop_instance_uid=p.sop_instance_uid) for p in batch[len(receipts) :]]

    def _post(self, batch: Sequence[Parcel], manifest: Manifest | None) -> list[Receipt]:
        boundary = self._random(16).encode()
        head = part_head(boundary, _PART)
        length = sum(len(head) + parcel.size_bytes + len(PART_TAIL) for parcel in batch) + len(body_tail(boundary))
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary.decode()}',
            "Content-Length": str(length),
            **self._trace(batch[0].trace_id),
        }
        if manifest is not None:
            headers[manifests.HEADER] = manifests.to_header(manifest)
        try:
            status, answered, body = self._exchange("POST", "/studies", headers, _body(batch, head, boundary))
        except _NoAnswer as error:
            return failed(batch, error.cause, "", error.detail)
        if status in WITH_RESULTS:
            return read_results(batch, status, body)
        receipts = failed(batch, cause_of_status(status), str(status), self._told(status))
        pause_s = _retry_after_s(answered)
        return [_with_pause(receipt, pause_s) for receipt in receipts]

    def announce(self, manifest: Manifest) -> None:
        """Tell the peer how many instances the study has; see `routing.transport.Transport`."""
        headers = {"Content-Type": "application/json", **self._trace(manifest.trace_id)}
        body = httpx.Response(200, json=manifests.to_fields(manifest)).content
        try:
            status, _, _ = self._exchange("POST", "/manifests", headers, body)
        except _NoAnswer as error:
            raise PeerUnreachable(peer=self._name, reason=error.detail) from error
        if status < 300 or status in (404, 405, 501):
            return
        match cause_of_status(status):
            case Cause.AUTHENTICATION:
                raise NotAuthenticated if status == 401 else Forbidden(action=f"send manifests to {self._name}")
            case Cause.FULL:
                raise PeerBusy(peer=self._name, reason=f"it answered {status}")
            case Cause.POISON:
                raise InvalidRequest(reason=f"{self._name} answered a manifest with {status}")
            case _:
                raise PeerUnreachable(peer=self._name, reason=f"it answered {status}")

    def exchange(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Send DICOM JSON, or nothing, below the service's URL; return status and body of the answer.

        Raises
        ------
        PeerUnreachable
            There was no whole answer.
        """
        headers = {} if body is None else {"Content-Type": "application/dicom+json"}
        try:
            status, _, answer = self._exchange(method, path, headers, body)
        except _NoAnswer as error:
            raise PeerUnreachable(peer=self._name, reason=error.detail) from error
        return status, answer

    def probe(self) -> Receipt:
        """Ask for at most one study; any answer below 500 but a refused token shows that the service lives."""
        try:
            status, headers, _ = self._exchange("GET", "/studies?limit=1", {}, None)
        except _NoAnswer as error:
            return Receipt("", ReceiptState.RETRY, error.cause, "", error.detail)
        if status < 300 or status == 403:  # 403: a token that may only store
            return Receipt("", ReceiptState.DELIVERED, None, str(status), told_at=_told_at(headers))
        cause = cause_of_status(status)
        cause = Cause.LINK if cause is Cause.POISON else cause
        found = Receipt("", ReceiptState.RETRY, cause, str(status), self._told(status))
        return _with_pause(found, _retry_after_s(headers))

    def close(self) -> None:
        """Close the connection; the transport is not used afterwards."""
        self._client.close()

    # ------------------------------------------------------------------------------------------------------------------

    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: Iterator[bytes] | bytes | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """Return status, headers and bounded body of one request.

        Raises
        ------
        _NoAnswer
            There was none, or it was too long or too slow.
        OSError
            A blob of ours could not be read.
        """
        sent = {"Accept": "application/dicom+json", **headers, **self._authorization()}
        try:
            with self._client.stream(method, self._url + path, headers=sent, content=content) as response:
                return response.status_code, response.headers, self._read(response)
        except _BlobFailed as failure:
            raise failure.error from None
        except httpx.HTTPError as error:
            raise _NoAnswer(*told_silence(error)) from error
        except (httpx.InvalidURL, UnicodeError):  # of IDNA: a part of the name that is empty, or too long
            raise _NoAnswer(Cause.LINK, "no answer: the URL names no host") from None

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        deadline_s = self._clock.monotonic_s() + self._timeout_s
        for chunk in unpacking.unpacked(response, ANSWER_BYTES_MAX):
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise _NoAnswer(Cause.LINK, f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
            if self._clock.monotonic_s() > deadline_s:
                raise _NoAnswer(Cause.LINK, f"its answer took longer than {self._timeout_s:g} s")
        return bytes(body)

    def _authorization(self) -> dict[str, str]:
        """Read the token anew each time, so that it can be exchanged without a restart."""
        if self._token_file is None:
            return {}
        try:
            with self._token_file.open("rb") as file:
                token = file.read(TOKEN_BYTES_MAX).decode("ascii").split()[0]
        except (OSError, UnicodeDecodeError, IndexError):
            raise _NoAnswer(Cause.AUTHENTICATION, "the token file cannot be read, or holds no token") from None
        return {"Authorization": f"Bearer {token}"}

    def _told(self, status: int) -> str:
        return told_status(status, with_token=self._token_file is not None)

    def _trace(self, trace_id: str) -> dict[str, str]:
        header = tracing.traceparent(trace_id, self._random(8))
        return {tracing.HEADER: header} if header else {}


def _body(batch: Sequence[Parcel], head: bytes, boundary: bytes) -> Iterator[bytes]:
    for parcel in batch:
        yield head
        try:
            for chunk in parcel.chunks():
                yield bytes(chunk)
        except OSError as error:
            raise _BlobFailed(error) from error
        yield PART_TAIL
    yield body_tail(boundary)


def _retry_after_s(headers: httpx.Headers) -> float | None:
    text = headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _told_at(headers: httpx.Headers) -> datetime | None:
    """Return the moment of the peer's Date (RFC 9110 6.6.1), None when it says none."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _with_pause(receipt: Receipt, pause_s: float | None) -> Receipt:
    return replace(receipt, retry_after_s=pause_s)
