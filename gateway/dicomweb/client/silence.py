"""Why a DICOMweb peer gave no answer, or none that helps, in words for who set the destination up."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx

from kernel.errors import InvalidConfiguration
from routing.transport import Cause

CA_FILE: Final = "ca_file"  # of a destination
# Of OpenSSL's X509_V_ERR_*; whatever else it says, the certificate is of an authority that is not believed.
_CERTIFICATE: Final[Mapping[int, str]] = {
    9: "its certificate is not valid yet; is a clock wrong?",
    10: "its certificate has expired",
    62: "its certificate is of another name than that in the URL",
    64: "its certificate is of another name than the address in the URL",
}
_ELSEWHERE: Final = "it says that it is elsewhere; look at the URL"
_NOTHING: Final = "no DICOMweb is there; look at the URL"
_ANONYMOUS: Final = "it wants a token; name its file with token_file"
_STATUS: Final[Mapping[int, str]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), _ELSEWHERE),
    **dict.fromkeys((404, 405), _NOTHING),
    401: "it does not take the token; on a Viễn Ảnh node `vienanh token create` makes one",
    403: "it does not let this node store; look there at what the token may do",
    413: "it takes nothing so large; so may a proxy before it (nginx: client_max_body_size)",
}


def believing(source: str, ca_file: Path | None, *, setting: str = CA_FILE) -> ssl.SSLContext:
    """Return whom a connection believes: the authorities of `ca_file`, or those of the machine.

    `source` and `setting` are where the file is named: `destination hub` and its `ca_file`, or a command and its option.

    Raises
    ------
    InvalidConfiguration
        The file cannot be read, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        no_certificate = isinstance(error, ssl.SSLError)
        reason = "holds no certificate in PEM" if no_certificate else f"cannot be read: {error.strerror}"
        raise InvalidConfiguration(source=source, key=setting, reason=f"{ca_file} {reason}") from error


def told_status(status: int, *, with_token: bool) -> str:
    """Tell an HTTP status that says yes to nothing."""
    words = _ANONYMOUS if status == 401 and not with_token else _STATUS.get(status, "")
    return f"the destination answered {status}" + (f": {words}" if words else "")


def told_silence(error: httpx.HTTPError, *, setting: str = CA_FILE) -> tuple[Cause, str]:
    """Tell why there was no whole answer, and what kind of obstacle that is; `setting` as in `believing`."""
    if isinstance(error, httpx.DecodingError):  # of unpacking.py: the words are ours
        return Cause.LINK, f"its answer is {error}"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Cause.AUTHENTICATION, _CERTIFICATE.get(cause.verify_code) or _untrusted(cause, setting)
        if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
            return Cause.LINK, "no answer: it does not speak HTTPS there"
        if isinstance(cause, socket.gaierror):
            return Cause.LINK, "no answer: the name in the URL cannot be looked up (DNS)"
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return Cause.LINK, f"no answer: {cause.strerror}"
    if isinstance(error, httpx.RemoteProtocolError):
        hint = "; if it speaks HTTPS, the URL begins with https://" if error.request.url.scheme == "http" else ""
        return Cause.LINK, f"no whole answer in HTTP{hint}"
    return Cause.LINK, f"no answer: {type(error).__name__}"


def _untrusted(error: ssl.SSLCertVerificationError, setting: str) -> str:
    """Tell what OpenSSL has against a certificate; of what is not in the table it says no name."""
    return f"its certificate is not trusted ({error.verify_message}); name its authority with {setting}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
