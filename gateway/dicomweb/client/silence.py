"""Why a DICOMweb peer gave no answer, or none that helps, in words for who set the destination up."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx

from kernel.errors import InvalidConfiguration
from routing.transport import Cause

# Of OpenSSL's X509_V_ERR_*; whatever else it says, the certificate is of an authority that is not believed.
_CERTIFICATE: Final[Mapping[int, str]] = {
    9: "its certificate is not valid yet; is a clock wrong?",
    10: "its certificate has expired",
    62: "its certificate is of another name than that in the URL",
    64: "its certificate is of another name than the address in the URL",
}
_UNTRUSTED: Final = "its certificate is not trusted; name its authority with ca_file"
_STATUS: Final[Mapping[int, str]] = {
    401: ": it does not take the token; `vienanh token create` makes one there",
    404: ": no DICOMweb is there; look at the URL",
    405: ": no DICOMweb is there; look at the URL",
}


def believing(destination: str, ca_file: Path | None) -> ssl.SSLContext:
    """Return whom a destination's connection believes: the authorities of `ca_file`, or those of the machine.

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
        raise InvalidConfiguration(
            source=f"destination {destination}", key="ca_file", reason=f"{ca_file} {reason}"
        ) from error


def told_status(status: int) -> str:
    """Tell an HTTP status that says yes to nothing."""
    return f"the destination answered {status}{_STATUS.get(status, '')}"


def told_silence(error: httpx.HTTPError) -> tuple[Cause, str]:
    """Tell why there was no whole answer, and what kind of obstacle that is."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Cause.AUTHENTICATION, _CERTIFICATE.get(cause.verify_code, _UNTRUSTED)
        if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
            return Cause.LINK, "no answer: it does not speak HTTPS there"
        if isinstance(cause, socket.gaierror):
            return Cause.LINK, "no answer: the name in the URL is not known (DNS)"
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return Cause.LINK, f"no answer: {cause.strerror}"
    if isinstance(error, httpx.RemoteProtocolError):
        return Cause.LINK, "no answer in HTTP; if it speaks HTTPS, the URL begins with https://"
    return Cause.LINK, f"no answer: {type(error).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
