"""Character sets, names and identifiers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.valuerep import PN_DELIMS

from kernel.dicom.scanning.attributes import read_attributes
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.charset import FALLBACKS, decode, parse_charsets
from kernel.dicom.vocabulary.names import NameGroups, fold, groups
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, check_uid
from kernel.errors import InvalidIdentifier, MissingIdentifier


@pytest.mark.parametrize(
    ("value", "terms"),
    [
        (b"", ()),
        (b"ISO_IR 100", ("ISO_IR 100",)),
        (b"ISO_IR 192 ", ("ISO_IR 192",)),
        (b"\\ISO 2022 IR 87", ("", "ISO 2022 IR 87")),
        (b"iso-ir 100", ("ISO_IR 100",)),
        (b"ISO IR 192", ("ISO_IR 192",)),
        (b"UTF8", ("ISO_IR 192",)),
        (b"ISO 2022-IR 87", ("ISO 2022 IR 87",)),
        (b"no such set", ("NO SUCH SET",)),
    ],
)
def test_declared_sets_are_read_with_their_usual_misspellings(value, terms):
    assert parse_charsets(value) == terms


def test_the_number_of_declared_sets_that_are_looked_at_is_bounded():
    assert len(parse_charsets(b"ISO_IR 100\\" * 10_000)) == 16


# PS3.5 annexes H, I, J: the examples of the standard.
@pytest.mark.parametrize(
    ("charsets", "value", "text"),
    [
        (("ISO_IR 100",), b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (("ISO_IR 144",), b"\xbb\xee\xda\x63\x65\xdc\xd1\xe3\xe0\xd3", "Люкceмбург"),
        (("", "ISO 2022 IR 87"), b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎"),
        (("", "ISO 2022 IR 87"), b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", "やまだ^たろう"),
        (("ISO 2022 IR 13", "ISO 2022 IR 87"), b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田"),
        (("", "ISO 2022 IR 149"), b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong^Gildong=洪^吉洞"),
        (("ISO_IR 192",), "Wang^XiaoDong=王^小東".encode(), "Wang^XiaoDong=王^小東"),
        (("GB18030",), "王^小东".encode("gb18030"), "王^小东"),
    ],
)
def test_declared_text_is_decoded_as_the_standard_says(charsets, value, text):
    assert decode(value, charsets) == text


NAME = "NGUYỄN^THỊ HƯƠNG"


def test_undeclared_utf8_is_found():
    assert decode(NAME.encode()) == NAME
    assert decode(NAME.encode(), ("ISO_IR 100",)) == NAME
    assert decode(NAME.encode(), ("ISO_IR 6",), "tcvn3") == NAME


def test_undeclared_bytes_are_what_the_source_is_known_to_write():
    cp1258 = b"NGUY\xca\xdeN^\xd0A\xcc"  # Ê and a combining tilde; Đ, and a combining grave on A

    assert decode(cp1258, (), "cp1258") == "NGUYỄN^ĐÀ"
    assert decode(b"Nguy\xd4n^Th\xde H\xad\xacng", (), "tcvn3") == "Nguyễn^Thị Hương"
    assert decode(b"J\xe9r\xf4me", (), None) == "Jérôme"
    assert decode(b"J\xe9r\xf4me", ("ISO_IR 100",), "no such hint") == "Jérôme"


def test_a_declared_set_that_is_reliable_comes_before_the_hint():
    assert decode("Люк".encode("iso8859_5"), ("ISO_IR 144",), "tcvn3") == "Люк"


def test_text_that_its_set_does_not_allow_keeps_what_can_be_kept():
    assert decode(b"A\xffB", ("ISO_IR 192",)) == "A\N{REPLACEMENT CHARACTER}B"
    assert decode("Đào".encode(), ("GB18030 X",)) == "Đào"


_SETS = [
    "",
    "ISO_IR 100",
    "ISO_IR 13",
    "ISO_IR 192",
    "GB18030",
    "ISO 2022 IR 87",
    "ISO 2022 IR 149",
    "ISO 2022 IR 58",
    "X",
]


@given(
    st.lists(
        st.sampled_from([b"\x1b$B", b"\x1b(B", b"\x1b$)C", b"\x1b", b"^", b"=", b"\\", b"A", b"\xc0\xaf"]), max_size=12
    ),
    st.lists(st.sampled_from(_SETS), max_size=3),
    st.sampled_from([None, *FALLBACKS]),
)
def test_decoding_never_fails(parts, charsets, fallback):
    assert isinstance(decode(b"".join(parts), tuple(charsets), fallback), str)


@given(st.text("山田太郎やまだ^= ", max_size=10))
def test_code_extensions_are_read_as_pydicom_reads_them(text):
    parts = [part.encode("iso2022_jp") if part not in "^= " else part.encode() for part in text]
    value = b"".join(parts)

    expected = decode_bytes(value, convert_encodings(["", "ISO 2022 IR 87"]), PN_DELIMS)
    assert decode(value, ("", "ISO 2022 IR 87")) == expected


@pytest.mark.parametrize(
    ("file", "hint"),
    [("vn_utf8_nfc", None), ("vn_undeclared_utf8", None), ("vn_ascii_unaccented", None), ("vn_tcvn3_bytes", "tcvn3")],
)
def test_vietnamese_names_of_the_samples_are_found_by_the_same_words(samples: Path, file, hint):
    data = (samples / "generated" / f"{file}.dcm").read_bytes()
    meta = read_file_meta(data)
    header = scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)

    read = read_attributes(header, transfer_syntax_uid=meta.transfer_syntax_uid, fallback_charset=hint)

    assert fold(read.patient.patient_name) in {"nguyen^thi huong", "nguyen^huong"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("NGUYỄN^THỊ HƯƠNG", "nguyen^thi huong"),
        ("Đặng^Đình  Đức", "dang^dinh duc"),
        ("ĐỖ^Thị\u00a0Ánh", "do^thi anh"),
        ("Le\u0302^Va\u0306n", "le^van"),
        ("  O'Neil ^ Anna ", "o'neil^anna"),
        ("Straße", "strasse"),
        ("Yamada^Tarou=山田^太郎", "yamada^tarou=山田^太郎"),
        ("", ""),
    ],
)
def test_names_are_folded_for_search(text, folded):
    assert fold(text) == folded
    assert fold(folded) == folded


def test_names_have_three_component_groups():
    assert groups("Yamada^Tarou =山田^太郎=やまだ^たろう") == NameGroups("Yamada^Tarou", "山田^太郎", "やまだ^たろう")
    assert groups("Nguyen^A") == NameGroups("Nguyen^A", "", "")


@pytest.mark.parametrize("uid", ["1", "1.2.840.10008", "2.25." + "9" * 38, "1.02.3", "1" * 64])
def test_what_can_be_a_uid_is_taken(uid):
    assert check_uid(uid, "StudyInstanceUID") == uid


@pytest.mark.parametrize(
    ("uid", "reason"),
    [
        ("1" * 65, "65 characters, 64 are allowed"),
        ("1.2.x", "other characters than digits and dots"),
        ("1.2 .3", "other characters"),
        ("1..2", "an empty component"),
        (".1", "an empty component"),
        ("1.", "an empty component"),
        ("١.٢", "other characters"),
    ],
)
def test_what_cannot_be_a_uid_is_refused_without_repeating_it(uid, reason):
    with pytest.raises(InvalidIdentifier, match=f"StudyInstanceUID is not a UID: {reason}") as caught:
        check_uid(uid, "StudyInstanceUID")

    assert uid not in str(caught.value)


def test_a_missing_uid_is_refused():
    with pytest.raises(MissingIdentifier, match="StudyInstanceUID is missing"):
        check_uid("", "StudyInstanceUID")


def test_the_names_of_this_implementation_are_valid():
    assert check_uid(IMPLEMENTATION_CLASS_UID, "ImplementationClassUID")
    assert len(IMPLEMENTATION_VERSION_NAME) <= 16
