"""Words within ICC profiles go; colors, and the form in which they are told, stay."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.engine.engine import deidentify
from anonymizer.profiles.profile import load
from anonymizer.words import color_profiles
from anonymizer.words.color_profiles import without_words
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.anonymizer.color_profiles import CURVE, XYZ, a_profile, a_text_tag, mluc
from tests.support.builders import a_ct, as_file

NAME = "LE VAN KHAC"
WIDE = NAME.encode("utf-16-be")


def legible(content: bytes) -> bool:
    return NAME.encode() in content or WIDE in content


@pytest.mark.parametrize("signature", [b"desc", b"cprt", b"dmnd", b"dmdd", b"vued", b"targ", b"meta", b"MINE", b"calt"])
@pytest.mark.parametrize(
    "tag",
    [
        a_text_tag(b"desc", NAME.encode()),
        a_text_tag(b"text", NAME.encode()),
        a_text_tag(b"utf8", NAME.encode()),
        a_text_tag(b"dict", NAME.encode()),
        a_text_tag(b"pseq", NAME.encode()),
        a_text_tag(b"none", NAME.encode()),
        mluc(NAME),
    ],
)
def test_texts_of_a_profile_are_blank_and_what_tells_colors_stays(signature, tag):
    profile = a_profile({b"rXYZ": XYZ, signature: tag, b"rTRC": CURVE, b"wtpt": XYZ})

    new = without_words(profile)

    assert legible(profile)
    assert not legible(new)
    assert new == a_profile({b"rXYZ": XYZ, signature: emptied(tag), b"rTRC": CURVE, b"wtpt": XYZ})
    assert without_words(new) == new


def emptied(tag: bytes) -> bytes:
    """Return a text of the same length and form with NULs for its words."""
    kept = {b"desc": 12, b"mluc": 16 + 24}.get(tag[:4], 4)
    return tag[:kept] + bytes(len(tag) - kept)


def test_what_no_tag_names_is_blank_and_the_digest_is_none_any_more():
    profile = a_profile({b"rTRC": CURVE}, behind=NAME.encode(), identifier=b"0123456789abcdef")

    new = without_words(profile)

    assert new == a_profile({b"rTRC": CURVE}, behind=bytes(len(NAME)))
    assert without_words(profile[: -len(NAME)]) == profile[: -len(NAME)]  # with its digest: there were no words


def test_a_text_of_numbers_in_a_tag_of_its_own_is_blank():
    profile = a_profile({b"MINE": b"ui08" + bytes(4) + NAME.encode()})

    assert not legible(without_words(profile))


def test_a_text_that_stands_where_colors_are_told_leaves_the_colors():
    profile = bytearray(a_profile({b"rTRC": CURVE, b"gTRC": CURVE, b"desc": a_text_tag(b"text", NAME.encode())}))
    profile[132 + 24 + 4 : 132 + 36] = profile[132 + 4 : 132 + 12]  # desc names the place of rTRC

    assert CURVE in without_words(bytes(profile))
    assert not legible(without_words(bytes(profile)))


def test_bytes_without_the_signature_of_a_profile_are_blank():
    assert without_words(NAME.encode() * 20) == bytes(20 * len(NAME))


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (a_profile({b"rTRC": CURVE})[:140], "ends within its table"),
        (a_profile({b"rTRC": CURVE})[:150], "an impossible place"),
        (a_profile({b"A2B0": b"new " + bytes(20)}), "in a form that is not known"),
        (a_profile({b"ncl2": b"ncl2" + bytes(80)}), "in a form that is not known"),
    ],
)
def test_a_profile_that_is_not_understood_is_refused(profile, reason):
    with pytest.raises(MalformedInstance, match=reason):
        without_words(profile)


def test_a_profile_of_too_many_tags_or_bytes_is_refused(monkeypatch):
    profile = a_profile({b"rTRC": CURVE, b"gTRC": CURVE}, behind=b"limit")
    monkeypatch.setattr(color_profiles, "TAGS_MAX", 1)
    with pytest.raises(LimitExceeded, match="TAGS_MAX"):
        without_words(profile)

    monkeypatch.setattr(color_profiles, "PROFILE_BYTES_MAX", len(profile) - 1)
    with pytest.raises(LimitExceeded, match="PROFILE_BYTES_MAX"):
        without_words(profile + b"")


@pytest.mark.parametrize("profile", ["basic", "research", "tele-read", "cut-ties"])
@pytest.mark.parametrize("implicit", [True, False])
def test_the_attribute_leaves_without_words_at_the_top_and_within_an_optical_path(keys, profile, implicit):
    icc = a_profile({b"desc": a_text_tag(b"desc", NAME.encode()), b"rTRC": CURVE})
    path = Dataset()
    path.ICCProfile, path.OpticalPathIdentifier = padded(icc), "1"
    ds = a_ct(ICCProfile=padded(icc), OpticalPathSequence=Sequence([path]))
    source = as_file(ds, "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1")

    made = deidentify(source, profile=load(profile), keys=keys, issuer=keys.site).to_bytes(source)

    assert source.count(icc) == 2
    assert made.count(without_words(icc)) == 2
    assert not legible(made)


def padded(content: bytes) -> bytes:
    return content + bytes(len(content) % 2)


def test_colors_are_the_same_by_the_profile_that_leaves():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.linear_gradient("L").resize((16, 16)).convert("RGB")

    new = without_words(profile)

    assert b"s\0R\0G\0B" in profile
    assert b"s\0R\0G\0B" not in new
    assert in_lab(image, new) == in_lab(image, profile)


def in_lab(image: Image.Image, profile: bytes) -> bytes:
    lab = ImageCms.createProfile("LAB")
    return ImageCms.profileToProfile(image, io.BytesIO(profile), lab, outputMode="LAB").tobytes()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_a_profile_says_nothing_but_blanks_is_put_there(data):
    profile = bytearray(a_profile({b"desc": mluc(NAME), b"rTRC": CURVE, b"cprt": a_text_tag(b"text", b"x")}))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(120, len(profile) - 4))
        profile[at : at + 4] = struct.pack(">I", data.draw(st.integers(0, 300)))

    try:
        new = without_words(bytes(profile))
    except Refused:
        return

    assert len(new) == len(profile)
    assert {after for before, after in zip(profile, new, strict=True) if before != after} <= {0}
