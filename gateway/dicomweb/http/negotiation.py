"""Which representation a client gets: its Accept header, or `accept` query parameter, against what is on offer.

PS3.18 8.7: the most specific media range decides about an offer, the highest quality wins, then the client's order,
then ours. `transfer-syntax` is a parameter of the range: absent it means the offer's default, `*` means as stored.
What is on offer is the handlers' business.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.dicomweb.http.media import MediaType, parse_accept
from kernel.errors import NotAcceptable

ANYTHING: Final = "*/*"
MULTIPART: Final = "multipart/related"
DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
JSON: Final = "application/dicom+json"
XML: Final = "application/dicom+xml"


class Offer(NamedTuple):
    """One representation: `media_type` alone, or as the type of the parts of a multipart/related message.

    `transfer_syntaxes` are those that a range may name for it; `"*"` and `""` among them say that it answers a range
    that asks for any, and one that says nothing.
    """

    media_type: str
    is_multipart: bool = False
    transfer_syntaxes: frozenset[str] = frozenset({"*", ""})
    transfer_syntax_uid: str = ""  # of what is given; empty where there is none

    def __str__(self) -> str:
        inner = f'{MULTIPART}; type="{self.media_type}"' if self.is_multipart else self.media_type
        return f"{inner}; transfer-syntax={self.transfer_syntax_uid}" if self.transfer_syntax_uid else inner


def choose(accept: str, offers: Sequence[Offer]) -> Offer:
    """Return the offer that the client likes best; `accept` is the header's or parameter's text, empty for anything.

    Raises
    ------
    NotAcceptable
        None is accepted; the text lists the offers.
    InvalidRequest, LimitExceeded
        `accept` cannot be read.
    """
    ranges = _ranges(accept or ANYTHING)
    best: tuple[float, int] | None = None
    chosen = None
    for offer in offers:
        rank = _rank(ranges, offer)
        if rank is not None and (best is None or rank > best):
            best, chosen = rank, offer
    if chosen is None:
        raise NotAcceptable(offered=", ".join(map(str, offers)))
    return chosen


@lru_cache(maxsize=256)  # clients send a handful of values, thousands of times
def _ranges(accept: str) -> tuple[MediaType, ...]:
    return tuple(parse_accept(accept))


def _rank(ranges: Sequence[MediaType], offer: Offer) -> tuple[float, int] | None:
    """Return (quality, minus the client's position) by the most specific range; None when it is not accepted."""
    found: tuple[int, float, int] | None = None
    for position, media_range in enumerate(ranges):
        specificity = _specificity(media_range, offer)
        if specificity >= 0 and (found is None or specificity > found[0]):
            found = (specificity, media_range.quality, -position)
    return found[1:] if found and found[1] > 0 else None


def _specificity(media_range: MediaType, offer: Offer) -> int:
    """Return how specifically the range names the offer, from 0 for */*; -1 when it does not."""
    parameters = media_range.parameters
    level = _name_level(media_range.name, MULTIPART if offer.is_multipart else offer.media_type)
    if level < 0 or parameters.get("transfer-syntax", "") not in offer.transfer_syntaxes:
        return -1
    if offer.is_multipart and "type" in parameters:
        inner = _name_level(parameters["type"].lower(), offer.media_type)
        if inner < 0:
            return -1
        level += inner
    return level + ("transfer-syntax" in parameters)


def _name_level(name: str, offered: str) -> int:
    if name == offered:
        return 3
    if name == ANYTHING:
        return 0
    kind, _, subtype = name.partition("/")
    # `image/` without a subtype is what dicomweb-client sends for any image.
    return 1 if subtype in ("*", "") and offered.startswith(kind + "/") else -1


def asked(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return what the client accepts: the `accept` query parameter when there is one, else the header (PS3.18 8.3.3)."""
    if parameter := query.get("accept"):
        return parameter.replace(" json", "+json").replace(" xml", "+xml")  # a `+` that was not escaped is a space
    return headers.get("accept", "")
