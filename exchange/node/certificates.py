"""What is wrong with a certificate and its key, in words: dates, names, the key, the order of the chain. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.dimse.upper_layer.tls import SEALED

SOON: Final = timedelta(days=14)  # most authorities renew a month before the end: something does not, then


def faults(chain_pem: bytes, key_pem: bytes, name: str, now: datetime) -> Iterator[str]:
    """Tell what callers will stumble over.

    Parameters
    ----------
    chain_pem
        The node's certificate, and behind it those who vouch for it, each for the one before.
    name
        What callers ask for, a host's name or an address; empty when that is not known.
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
    except ValueError:
        yield "the certificate file has no readable certificate (PEM)"
        return
    yield from expiry(chain, now)
    try:
        yield from _wrong_key(chain[0], key_pem)
        if name and not _is_named(chain[0], name):
            hosts, addresses = names_of(chain[0])
            named = ", ".join(hosts + addresses) or "no name"
            yield f"the certificate is not for {name}, which callers ask for, but for {named}"
        yield from _broken_chain(chain)
    except (ValueError, UnsupportedAlgorithm):
        yield "the certificate is damaged, or of a kind that is not known here"


def authority_faults(pem: bytes, now: datetime) -> Iterator[str]:
    """Tell what is wrong with the authorities that callers' certificates are believed of."""
    try:
        yield from expiry(x509.load_pem_x509_certificates(pem), now)
    except ValueError:
        yield "the file of authorities has no readable certificate (PEM)"


def expiry(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[str]:
    """Tell of certificates that are not valid now, or soon will not be."""
    for number, one in enumerate(chain, 1):
        which = "the certificate" if len(chain) == 1 else f"certificate {number} of {len(chain)}"
        until, since = one.not_valid_after_utc, one.not_valid_before_utc
        if now > until:
            yield f"{which} expired on {until:%Y-%m-%d}; renew it"
        elif now < since:
            yield f"{which} is not valid before {since:%Y-%m-%d}; it, or this computer's clock, is wrong"
        elif until - now < SOON:
            yield f"{which} expires on {until:%Y-%m-%d}, in {(until - now).days} days; renew it"


def _wrong_key(certificate: x509.Certificate, key_pem: bytes) -> Iterator[str]:
    try:
        key = load_pem_private_key(key_pem, None)
    except TypeError:
        yield SEALED
        return
    except ValueError:
        yield "the key file has no readable private key (PEM)"
        return
    own, vouched = (
        one.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for one in (key.public_key(), certificate.public_key())
    )
    if own != vouched:
        yield "the key does not fit the certificate"


def _broken_chain(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    for number, (one, issuer) in enumerate(pairwise(chain), 1):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            yield f"certificate {number} was not issued by certificate {number + 1}: put each before its issuer"


def names_of(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """Return the hosts' names, and the addresses, that a certificate is for. Raises ValueError when they cannot be read."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    return named.get_values_for_type(x509.DNSName), [str(one) for one in named.get_values_for_type(x509.IPAddress)]


def _is_named(certificate: x509.Certificate, name: str) -> bool:
    """Whether a name is one of the certificate's, as RFC 9525 6 has it: `*` stands for the first label alone."""
    try:
        wanted = str(ipaddress.ip_address(name))
    except ValueError:
        wanted = name.rstrip(".").lower()
    hosts, addresses = names_of(certificate)
    names = {one.lower() for one in hosts + addresses}
    return wanted in names or f"*.{wanted.partition('.')[2]}" in names
