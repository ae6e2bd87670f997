"""The residue check finds what an engine has missed, wherever and in whatever character set, and cries seldom."""

import base64
import gzip
import hashlib
import io
import json
import quopri
import random
import urllib.parse
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.residue import coded as residue_coded
from anonymizer.residue import forms as residue_forms
from anonymizer.residue import unpacked as residue_unpacked
from anonymizer.residue.coded import decoded
from anonymizer.residue.search import FINDINGS_MAX, find, needles_of
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import LimitExceeded
from tests.support.builders import a_ct, as_file
from tests.support.papers import a_typed_pdf


def needles(ds: Dataset):
    source = as_file(ds)
    meta = read_file_meta(source)
    return needles_of(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))


def patient(**attributes) -> Dataset:
    known = {
        "PatientName": "Nguyễn^Thị Hương",
        "PatientID": "BN-0012345",
        "PatientBirthDate": "19700412",
        "AccessionNumber": "A26-0099",
        "PatientTelephoneNumbers": "0912 345 678",
        "PatientAddress": "Thôn 3, xã Ea Tu, Buôn Ma Thuột",
        "OperatorsName": "Trần^Bình",
    }
    return a_ct(**known | attributes)


def an_output(**attributes) -> bytes:
    """Return what an engine that forgot something would give: a harmless instance with `attributes`."""
    ds = a_ct(seed="output")
    for keyword in ("PatientName", "ReferringPhysicianName", "PatientID", "AccessionNumber", "StudyID"):
        setattr(ds, keyword, "")
    ds.PatientBirthDate = ""
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return as_file(ds)


@pytest.mark.parametrize(
    ("left", "kind"),
    [
        ("Nguyễn Thị Hương", "name"),
        ("NGUYEN THI HUONG", "name"),
        ("hương", "name"),
        ("HƯƠNG", "name"),
        ("CT cho huong", "name"),
        ("HuongNguyen", None),
        ("Hương nguyễn", "name"),
        ("thi huong", "name"),
        ("NguyễnThị", "name"),
        ("BN Thị", "name"),
        ("ms. thi", "name"),
        ("BN-0012345", "id"),
        ("id:0012345;", None),
        ("bn0012345", "id"),
        ("A26-0099", "id"),
        ("A260099", "id"),
        ("19700412", "date"),
        ("sinh 12/04/1970", "date"),
        ("12-4-1970", "date"),
        ("1970.04.12", "date"),
        ("12041970", "date"),
        ("tel 0912345678", "phone"),
        ("912345678", "phone"),
        ("0912 345 678", "phone"),
        ("thon 3, xa ea tu, buon ma thuot", "address"),
        ("Tran Binh", "name"),
        ("binh", None),
        ("CT so nao, khong can quang", None),
        ("1970", None),
        ("219700412", None),
        ("Huongly", None),
    ],
)
def test_what_is_left_in_an_lo_is_found(left, kind):
    found = find(an_output(Manufacturer=left), needles(patient()))

    assert [(one.path, one.kind) for one in found] == ([("(0008,0070)", kind)] if kind else [])


@pytest.mark.parametrize(
    "encoded",
    [
        "Hương".encode(),
        "HƯƠNG".encode(),
        "Hu\u031bo\u031bng".encode(),  # decomposed
        "Hương".encode("cp1258"),
        "HƯƠNG".encode("cp1258"),
        b"H\xad\xacng",  # TCVN3
        b"H\xad\xacNG",
        "Hương".encode("utf-16-le"),
        "Hương".encode("utf-16-be"),
        "HUONG".encode("utf-16-be"),
        b"HUONG",
    ],
)
def test_a_name_is_found_in_every_character_set(encoded):
    marker = b"MARKER" + b"." * 20
    output = an_output(Manufacturer=marker.decode()).replace(marker, encoded.ljust(len(marker), b" "))

    found = find(output, needles(patient()))

    assert [one.path for one in found] == ["(0008,0070)"]


@pytest.mark.parametrize("name", ["Müller^Jürgen", "MÜLLER^JÜRGEN"])
def test_a_name_is_found_in_latin_1(name):
    marker = "MARKER......"
    output = an_output(Manufacturer=marker).replace(marker.encode(), "Jürgen".encode("latin-1").ljust(len(marker)))

    assert [one.kind for one in find(output, needles(patient(PatientName=name)))] == ["name"]


def test_a_name_is_found_in_a_private_tag_and_in_a_sequence():
    item, inner = Dataset(), Dataset()
    inner.CodeMeaning = "anh huong"
    item.PurposeOfReferenceCodeSequence = Sequence([Dataset(), inner])
    ds = a_ct(seed="output", PatientName="", PatientID="", ReferringPhysicianName="", AccessionNumber="")
    ds.PatientBirthDate = ""
    ds.SourceImageSequence = Sequence([item])
    ds.private_block(0x0029, "VENDOR", create=True).add_new(0x10, "LO", "HUONG")

    found = find(as_file(ds), needles(patient()))

    assert {one.path for one in found} == {"(0029,1010)", "(0008,2112)[0].(0040,A170)[1].(0008,0104)"}


def test_a_name_in_the_preamble_or_the_file_meta_is_found():
    output = bytearray(an_output())
    output[10:15] = b"Huong"

    assert [one.path for one in find(bytes(output), needles(patient()))] == ["file meta"]


def test_an_original_uid_is_found_wherever_it_is_but_not_as_a_part_of_another():
    original = patient(FrameOfReferenceUID="1.2.3.4.5")

    assert [one.kind for one in find(an_output(Manufacturer="uid=1.2.3.4.5,"), needles(original))] == ["uid"]
    assert find(an_output(FrameOfReferenceUID="1.2.3.4.55"), needles(original)) == ()
    assert find(an_output(FrameOfReferenceUID="1.2.3.4.5.6"), needles(original)) == ()


def test_the_engines_output_is_clean_and_the_original_is_not(site):
    ds = patient()
    source = as_file(ds)

    for profile in ("basic", "tele-read"):
        assert find(site.deidentifies(source, profile).head, needles(ds)) == ()
    kinds = {one.kind for one in find(source, needles(ds))}
    assert kinds == {"name", "id", "date", "phone", "address", "uid"}


@pytest.mark.parametrize("name", ["HEAD^PHANTOM", "Test^Patient", "Lê^An", "CT^MR", "", "^", "Philips^Original"])
def test_a_name_of_common_or_short_words_holds_nothing(site, name):
    ds = a_ct(PatientName=name, Manufacturer="Philips", SeriesDescription="Axial head", BodyPartExamined="HEAD")

    for profile in ("basic", "tele-read"):
        assert find(site.deidentifies(as_file(ds), profile).head, needles(ds)) == ()


@pytest.mark.parametrize("number", ["1", "12", "120", "1024", "0001", "TEST"])
def test_a_short_number_is_in_every_header_by_chance(number):
    ds = a_ct(PatientID=number, AccessionNumber=number, KVP="120")

    assert find(an_output(KVP="120", WindowCenter="1024", StudyID=number), needles(ds)) == ()


def test_a_birth_date_that_means_unknown_is_not_looked_for():
    assert find(an_output(ContentDate="19000101"), needles(patient(PatientBirthDate="19000101"))) == ()


def test_a_finding_never_shows_what_it_found():
    found = find(an_output(Manufacturer="Hương BN-0012345"), needles(patient()))

    assert "ương" not in repr(found) + repr(needles(patient()))
    assert "0012345" not in repr(found) + repr(needles(patient()))


def test_findings_are_bounded():
    ds = a_ct(seed="output")
    ds.SourceImageSequence = Sequence([Dataset() for _ in range(3 * FINDINGS_MAX)])
    for item in ds.SourceImageSequence:
        item.CodeMeaning = "Huong"

    names = [one for one in find(as_file(ds), needles(patient())) if one.kind == "name"]

    assert FINDINGS_MAX // 2 < len(names) <= FINDINGS_MAX


def test_a_name_of_a_thousand_words_costs_no_more_than_a_dozen():
    forms = residue_forms.of_name(" ".join(f"word{number}" for number in range(1000)), alone=True)

    assert len(forms) < 1000


def packed(content: bytes) -> dict[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", content)
    stream = zlib.compress(content)
    return {
        "zlib": stream,
        "gzip": gzip.compress(content),
        "zip": archive.getvalue(),
        "pdf": b"%PDF-1.4\n4 0 obj <</Filter/FlateDecode/Length 99>>\nstream\n" + stream + b"\nendstream endobj",
        "twice": zlib.compress(b"x" * 50 + stream),
        "cut off": zlib.compress(content * 30 + bytes(range(256)) * 9)[:-40],
        "damaged": zlib.compress(random.Random(1).randbytes(64) + content + random.Random(2).randbytes(4096))[:-900]
        + b"\xff" * 900,
    }


@pytest.mark.parametrize("how", list(packed(b"")))
def test_what_is_compressed_within_a_value_is_found(how):
    content = packed("kết quả của bà Hương, 50 tuổi ".encode() * 3)[how]
    output = an_output()
    marked = an_output(ICCProfile=content + bytes(len(content) % 2))

    assert find(output, needles(patient())) == ()
    assert [(one.path, one.kind) for one in find(marked, needles(patient()))] == [("(0028,2000)", "name")]


def test_a_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(residue_unpacked, "ALL_BYTES_MAX", 1_000_000)
    bomb = zlib.compress(bytes(2_000_000))
    output = an_output(ICCProfile=bomb + bytes(len(bomb) % 2))

    with pytest.raises(LimitExceeded, match="packed within values"):
        find(output, needles(patient()))


def test_streams_are_counted(monkeypatch):
    monkeypatch.setattr(residue_unpacked, "PIECES_MAX", 5)

    with pytest.raises(LimitExceeded):
        list(residue_unpacked.unpacked(zlib.compress(b"harmless text") * 6))
    assert len(list(residue_unpacked.unpacked(zlib.compress(b"harmless text") * 5))) == 5


def test_streams_within_streams_are_followed_to_a_depth():
    content = b"harmless and dull"
    for _ in range(residue_unpacked.DEPTH_MAX + 2):
        content = zlib.compress(content)

    assert len(list(residue_unpacked.unpacked(content))) == residue_unpacked.DEPTH_MAX


LINE = "kết quả của bà Hương, 50 tuổi, "
CODED = {
    "base64": base64.b64encode(LINE.encode()),
    "base64 of a name alone": base64.b64encode(b"Nguyen Huong"),
    "base64 without padding": base64.b64encode(b"Nguyen Thi Huong").rstrip(b"="),
    "base64 for addresses": base64.urlsafe_b64encode(LINE.encode() + b"\xfb\xff\xfe"),
    "base64 behind letters": b"x" + base64.b64encode(LINE.encode()),
    "base64 in lines": base64.encodebytes(LINE.encode() * 4),
    "base64 behind a sign": b"data:text/plain;base64," + base64.b64encode(LINE.encode()),
    "base64 behind an equals sign": b"name=" + base64.b64encode(b"Thi Huong"),
    "base64 of a number": base64.b64encode(b"BN-0012345"),
    "base64 of base64": base64.b64encode(base64.b64encode(LINE.encode())),
    "base64 of zlib": base64.b64encode(zlib.compress(LINE.encode() * 3)),
    "base64 of a zip": base64.b64encode(packed(LINE.encode() * 3)["zip"]),
    "base64 of UTF-16": base64.b64encode("Nguyen Thi Huong".encode("utf-16-le")),
    "hexadecimal": LINE.encode().hex().encode(),
    "hexadecimal of a name": b"HUONG".hex().encode(),
    "hexadecimal of a PDF": b"%PDF-1.4 (<" + "Thị Hương".encode("utf-16-be").hex().upper().encode() + b">) Tj",
    "percent signs": urllib.parse.quote(LINE).encode(),
    "percent signs of a form": b"https://x/?ten=" + urllib.parse.quote_plus("Thị Hương").encode(),
    "quoted-printable": quopri.encodestring(LINE.encode()),
    "quoted-printable in a header": b"=?utf-8?Q?Th=E1=BB=8B_H=C6=B0=C6=A1ng?=",
    "quoted-printable over lines": b"ho ten H=C6=B0=\r\n=C6=A1ng",
    "JSON": json.dumps({"name": "Thị Hương"}).encode(),
    "UTF-16, little endian": "ong Thi, 50 tuoi".encode("utf-16-le"),
    "UTF-16, big endian": "sinh 12/04/1970".encode("utf-16-be"),
    "UTF-16 of a number": "so BN-0012345".encode("utf-16-le"),
    "UTF-16 of a telephone number": "tel 0912345678.".encode("utf-16-be"),
}


@pytest.mark.parametrize("how", CODED)
def test_what_is_coded_within_a_text_or_bytes_is_found(how):
    coded = CODED[how]
    for vr in ("OB", "UN", "UT"):
        ds = a_ct(seed="output", PatientName="", PatientID="", ReferringPhysicianName="", AccessionNumber="")
        ds.PatientBirthDate, ds.StudyID, ds.SOPInstanceUID = "", "", "2.25.4711"
        del ds.PixelData
        block = ds.private_block(0x0029, "VENDOR", create=True)
        block.add_new(0x10, vr, coded.decode("latin-1") if vr == "UT" else coded + b" " * (len(coded) % 2))

        assert {one.path for one in find(as_file(ds), needles(patient()))} == {"(0029,1010)"}


def test_a_pdf_within_a_resource_within_a_value_is_searched():
    document = a_typed_pdf(["BN Thi Huong"])
    stream = document.index(b"BT /F1")
    document = document[:stream] + zlib.compress(document[stream : document.index(b"endstream")]) + b"endstream"
    resource = json.dumps({"contentType": "application/pdf", "data": base64.b64encode(document).decode()})
    message = f"MSH|^~\\&|\rOBX|1|ED|PDF||^application^pdf^Base64^{base64.b64encode(document).decode()}"

    for text in (resource, message):
        assert [one.kind for one in find(an_output(TextValue=text), needles(patient()))] == ["name"]


@pytest.mark.parametrize(
    "text",
    [
        "2.25.300816574472776865756849676848697848494",  # digits that would be letters if they were hexadecimal
        "SIEMENS HEALTHINEERS ORIGINAL PRIMARY AXIAL 0.48828125",
        "5 % = 12 mm, x=y, %%",
        "https://example.org/fhir/StructureDefinition/radiology-report",
    ],
)
def test_what_is_coded_in_nothing_holds_nothing(text):
    assert find(an_output(TextValue=text), needles(patient())) == ()


def test_most_words_of_a_header_stand_for_nothing():
    words = [piece for _, piece in decoded(an_output().partition(b"\xe0\x7f\x10\0")[0])]

    assert len(words) < 5


def test_coded_pieces_are_counted(monkeypatch):
    texts = b" ".join(base64.b64encode(b"harmless text %d" % number) for number in range(10, 16))
    assert len(list(residue_unpacked.unpacked(texts))) >= 6

    monkeypatch.setattr(residue_unpacked, "PIECES_MAX", 5)
    with pytest.raises(LimitExceeded, match="pieces packed within values exceeded: 6 is more than 5"):
        list(residue_unpacked.unpacked(texts))


def test_a_header_full_of_digests_is_searched_each_once_whatever_it_may_stand_for():
    digests = [hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(1_500)]
    hidden = "bà Thị Hương, 50 tuổi, ở Huế".encode().hex().encode()

    pieces = [piece for _, piece in decoded(b"\r\n".join([*digests, hidden, *digests]))]

    assert len(pieces) < len(digests) + 10
    assert any("Thị Hương".encode() in piece for piece in pieces)


def test_coded_words_beyond_the_bound_are_not_decoded(monkeypatch):
    decode = residue_coded._meanings
    seen: list[bytes] = []
    monkeypatch.setattr(residue_coded, "_meanings", lambda word: seen.append(word) or decode(word))
    monkeypatch.setattr(residue_unpacked, "PIECES_MAX", 5)
    texts = b" ".join(base64.b64encode(b"harmless text %d" % number) for number in range(10, 99))

    with pytest.raises(LimitExceeded):
        list(residue_unpacked.unpacked(texts))

    assert len(seen) <= 6


def test_a_long_word_that_stands_for_nothing_is_not_kept():
    list(decoded(b"short.one " + b"none." * 1_000))

    assert max(map(len, residue_coded._meaningless)) <= residue_coded.KEPT_BYTES_MAX


def test_a_text_of_many_escapes_is_searched():
    escapes = residue_unpacked.PIECES_MAX + 1
    text = b"".join(b"%%20\\u0020=20" + bytes(600) for _ in range(escapes)) + b"%48u%6fng"

    assert any(b"Huong" in piece for _, piece in residue_unpacked.unpacked(text))


def test_escapes_beyond_a_bound_are_looked_at_together(monkeypatch):
    monkeypatch.setattr(residue_coded, "WINDOWS_MAX", 2)
    text = b"%20" + b" " * 600 + b"%20" + b" " * 600 + b"%48u%6fng" + b" " * 600 + b"%42inh"

    pieces = [piece for _, piece in decoded(text)]

    assert len(pieces) == 3
    assert b"Huong" in pieces[-1]
    assert b"Binh" in pieces[-1]


@given(st.binary(max_size=600))
def test_whatever_stands_there_is_decoded_without_an_error(content):
    for offset, _ in decoded(content):
        assert 0 <= offset <= len(content)
