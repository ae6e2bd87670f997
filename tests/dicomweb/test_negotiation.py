"""Content negotiation as the clients we know ask for it."""

import pytest

from gateway.dicomweb.http.negotiation import Offer, asked, choose
from kernel.errors import NotAcceptable

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
EXPLICIT = "1.2.840.10008.1.2.1"

STORED_OCTETS = Offer("application/octet-stream", True, frozenset({"*", JPEG_BASELINE}), JPEG_BASELINE)
STORED_IMAGE = Offer("image/jpeg", True, frozenset({"*", "", JPEG_BASELINE}), JPEG_BASELINE)
SINGLE_IMAGE = Offer("image/jpeg", False, frozenset({"*", "", JPEG_BASELINE}), JPEG_BASELINE)
DECODED = Offer("application/octet-stream", True, frozenset({"", EXPLICIT}), EXPLICIT)
OFFERS = [STORED_IMAGE, SINGLE_IMAGE, STORED_OCTETS, DECODED]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", STORED_IMAGE),
        ("*/*", STORED_IMAGE),
        ("multipart/related", STORED_IMAGE),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", STORED_OCTETS),  # Cornerstone3D
        ('multipart/related; type="application/octet-stream"', DECODED),  # dicomweb-client
        ('multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1', DECODED),
        ('multipart/related; type="image/jpeg"', STORED_IMAGE),
        ('multipart/related; type="image/"', STORED_IMAGE),
        ("image/jpeg", SINGLE_IMAGE),  # OpenSeadragon
        ("image/webp, image/*;q=0.8, */*;q=0.5", SINGLE_IMAGE),  # a browser's img element
        ("text/html, image/jpeg;q=0.1, multipart/related;q=0.2", STORED_IMAGE),
        ("image/jpeg;q=0.2, multipart/related; type=application/octet-stream;q=0.2", SINGLE_IMAGE),
        ("multipart/related;type=image/jpeg;q=0, */*", SINGLE_IMAGE),
        ("*/*;q=0.1, image/*;q=0.3, multipart/related; type=image/jpeg;q=0.2", SINGLE_IMAGE),
    ],
)
def test_the_best_offer_is_chosen(accept, chosen):
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/png",
        "*/*;q=0",
        "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.90",
        "multipart/related; type=application/dicom",
        "multipart/mixed",
    ],
)
def test_a_refusal_says_what_is_on_offer(accept):
    with pytest.raises(NotAcceptable, match=r'On offer: multipart/related; type="image/jpeg"; transfer-syntax=1.2.840'):
        choose(accept, OFFERS)


def test_the_query_parameter_goes_before_the_header():
    assert asked({"accept": "image/png"}, {"accept": "application/dicom json"}) == "application/dicom+json"
    assert asked({"accept": "image/png"}, {}) == "image/png"
    assert asked({}, {}) == ""
