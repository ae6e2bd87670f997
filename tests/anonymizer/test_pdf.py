"""Encapsulated PDFs leave as pictures of what a diagnosis needs, or wait for a person.

What is left is read by a reader of its own: Tesseract, at another scale than the cleaner's.
"""

import io
import subprocess
import unicodedata

import numpy as np
import pydicom
import pytest
from PIL import Image

from anonymizer.elements.second_net import Net
from anonymizer.pdf import cleaner, drawing, encapsulated
from anonymizer.pdf.cleaner import Unfinished, clean_pdf, written
from anonymizer.pdf.drawing import CHARACTERS_MAX, PAGES_MAX, DrawingProcess, NotDrawnError, Page, shared_drawing
from anonymizer.pdf.encapsulated import wants_new_pdf
from anonymizer.pdf.looking import Eyes, look
from anonymizer.pdf.words import Word, read_words
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.finder import shared_finders
from anonymizer.profiles.profile import load
from anonymizer.profiles.site_profile import parse
from anonymizer.release import Released, release
from anonymizer.words.tokens import tokens_of
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import MalformedInstance
from tests.anonymizer.documents import an_encapsulated
from tests.support.builders import as_file
from tests.support.papers import a_scanned_pdf, a_typed_pdf

pytestmark = pytest.mark.peer("pixels")
PATIENT = {"PatientName": "Nguyễn^Thị Hương", "PatientID": "BN0012345", "PatientBirthDate": "19700412"}
WHITE = np.full((300, 400, 3), 255, np.uint8)
TYPED = a_typed_pdf(
    ["KET QUA CT SO NAO", "Ho ten: NGUYEN THI HUONG", "Ma so: BN0012345   Sinh: 12/04/1970", "Benh nhan Huong khong sot"],
    ["Ton thuong 12 mm thuy tran phai"],
)  # fmt: skip
SCANNED = a_scanned_pdf(
    ["KẾT QUẢ CT SỌ NÃO", "Họ tên: NGUYỄN THỊ HƯƠNG", "Sinh: 12/04/1970", "Tổn thương 12 mm thuỳ trán phải"]
)


def released(
    document: bytes, keys, profile: str = "tele-read", syntax: str = pydicom.uid.ExplicitVRLittleEndian, drawn=None
):
    source = as_file(an_encapsulated(document, **PATIENT), syntax)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    result = release(
        source, header, profile=load(profile), keys=keys, issuer="bv-huyen", cleaner=Cleaner(), drawn=drawn
    )
    assert isinstance(result, Released)
    return result, pydicom.dcmread(io.BytesIO(result.made.to_bytes(source)))


def read_again(document: bytes) -> str:
    """Return what is legible on all pages, folded."""
    read, count, index = "", 1, 0
    while index < count:
        page = shared_drawing().page(document, index)
        assert page.words == ()
        picture = Image.fromarray(page.picture).convert("L")
        picture = picture.resize((picture.width * 3 // 2, picture.height * 3 // 2))
        buffer = io.BytesIO()
        picture.save(buffer, "PPM")
        command = ["tesseract", "-", "-", "-l", "vie", "--psm", "6"]
        read += subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True).stdout.decode()
        count, index = page.pages, index + 1
    plain = unicodedata.normalize("NFD", read.replace("Đ", "D").replace("đ", "d"))
    return "".join(one for one in plain if not unicodedata.combining(one)).lower()


@pytest.mark.parametrize("document", [TYPED, SCANNED], ids=["typed, without accents", "scanned, with accents"])
def test_a_pdf_leaves_with_its_findings_and_without_the_patient(keys, document):
    result, given = released(document, keys)

    assert result.pixel_review == ""
    content = bytes(given.EncapsulatedDocument[: given.EncapsulatedDocumentLength])
    legible = read_again(content)
    assert not {"nguyen", "thi", "huong"} & set(legible.split())
    for gone in ("nguyen", "thi huong", "0012345", "12/04", "1970"):
        assert gone not in legible
    assert "ton thuong 12 mm thuy tran phai" in legible
    assert "ket qua ct so nao" in legible
    for gone in (b"/Info", b"/Title", b"Date", b"Nguyen", b"/Font"):
        assert gone not in content
    assert (given.SOPClassUID, given.MIMETypeOfEncapsulatedDocument) == (
        encapsulated.ENCAPSULATED_PDF,
        "application/pdf",
    )
    assert given.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in given.DeidentificationMethodCodeSequence]


def test_a_pdf_leaves_without_uids_of_its_page_and_of_what_it_says_of_itself(keys):
    uid = "1.2.840.113619.2.55.3.604688119.971"
    says = b"<</Type/Metadata/Subtype/XML>>stream\n<id>%s</id>\nendstream" % uid.encode()
    document = a_typed_pdf([f"Ma nghien cuu {uid}", "Ton thuong 12 mm thuy tran phai"], objects=[says])

    result, given = released(document, keys)

    assert result.pixel_review == ""
    content = bytes(given.EncapsulatedDocument)
    assert uid.encode() not in content
    legible = "".join(read_again(content).split())
    assert "113619" not in legible
    assert "604688119" not in legible
    assert "tonthuong12mm" in legible


def test_a_pdf_in_a_deflated_instance_is_cleaned_too(keys):
    result, given = released(a_typed_pdf(["BN Huong"]), keys, syntax=pydicom.uid.DeflatedExplicitVRLittleEndian)

    assert (result.pixel_review, given.EncapsulatedDocument[:5]) == ("", b"%PDF-")


def test_the_same_pictures_make_the_same_bytes():
    assert written([WHITE]) == written([WHITE])


# --- what waits for a person -----------------------------------------------------------------------------------------


def many(count: int) -> bytes:
    return a_typed_pdf(*[["Huong"]] * count)


HELD = {
    "no PDF": (b"Huong", "pdf-not-read"),
    "nothing": (b"", "pdf-not-read"),
    "cut": (TYPED[: len(TYPED) // 3], "pdf-not-read"),
    "pages": (many(PAGES_MAX + 1), "pdf-pages"),
    "page size": (many(1).replace(b"420 300", b"4200 3000"), "pdf-page-size"),
    "all pages": (many(12).replace(b"[0 0 420 300]", b"[0 0 999 999]"), "pdf-page-size"),
    "characters": (a_typed_pdf(["x" * (CHARACTERS_MAX + 1)]), "pdf-characters"),
    "scripts": (
        a_typed_pdf(
            ["Huong"],
            catalog=b"/Names<</JavaScript<</Names[(a) 6 0 R]>>>>",
            objects=[b"<</S/JavaScript/JS(app.alert\\(1\\))>>"],
        ),
        "pdf-scripts",
    ),
    "XFA": (
        a_typed_pdf(["Huong"], catalog=b"/AcroForm<</Fields[]/XFA 6 0 R>>", objects=[b"<</Length 1>>stream\nx\nendstream"]),
        "pdf-scripts",
    ),
    "attachments": (
        a_typed_pdf(
            ["Huong"],
            catalog=b"/Names<</EmbeddedFiles<</Names[(a) 6 0 R]>>>>",
            objects=[b"<</Type/Filespec/F(a)/EF<</F 7 0 R>>>>", b"<</Type/EmbeddedFile/Length 1>>stream\nx\nendstream"],
        ),
        "pdf-attachments",
    ),
    "encrypted": (
        many(1).replace(b"/Root 1 0 R", b"/Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"00" * 32, b"00" * 32)),
        "pdf-encrypted",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "reason"), HELD.values(), ids=HELD.keys())
def test_what_is_not_understood_or_too_much_is_not_drawn(document, reason):
    with pytest.raises(NotDrawnError) as refusal:
        shared_drawing().page(document, 0)

    assert str(refusal.value) == reason


def test_a_held_pdf_does_not_leave_and_says_why(keys):
    result, given = released(many(PAGES_MAX + 1), keys)

    assert result.pixel_review == "pdf-pages"
    assert len(given.EncapsulatedDocument) == 2
    assert "113101" not in [item.CodeValue for item in given.DeidentificationMethodCodeSequence]


def test_a_person_who_accepts_a_pdf_lets_it_go_without_its_document(keys):
    result, given = released(many(PAGES_MAX + 1), keys, drawn=())

    assert result.pixel_review == ""
    assert len(given.EncapsulatedDocument) == 2


def test_what_a_person_masks_on_the_strip_of_pages_goes_and_the_rest_leaves_as_pictures(keys):
    height = shared_drawing().page(TYPED, 0).picture.shape[0]

    result, given = released(TYPED, keys, drawn=(Box(90, 0, height, 2000), Box(height - 10, 0, height + 40, 500)))

    assert result.pixel_review == ""
    content = bytes(given.EncapsulatedDocument[: given.EncapsulatedDocumentLength])
    legible = read_again(content)
    assert not {"huong", "1970"} & set(legible.replace("/", " ").split())
    assert "ton thuong 12 mm thuy tran phai" in legible
    second = shared_drawing().page(content, 1).picture
    assert second[:30, :480].max() < 40
    assert second[60:, :480].max() > 200
    assert b"/Font" not in content
    assert given.BurnedInAnnotation == "NO"


@pytest.mark.parametrize("drawn", [None, (Box(0, 0, 50, 50),)], ids=["cleaned", "accepted with masks"])
@pytest.mark.parametrize("profile", ["basic", "research", "cut-ties"])
def test_no_pdf_leaves_under_a_profile_that_removes_descriptions(keys, profile, drawn):
    result, given = released(TYPED, keys, profile, drawn=drawn)

    assert result.pixel_review == ("" if drawn else "encapsulated-document")
    assert len(given.EncapsulatedDocument) == 2


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ('name = "a"\nbase = "basic"\noptions = ["clean_pixel_data", "clean_descriptors"]', True),
        ('name = "a"\nbase = "research"\noptions = ["clean_descriptors"]', True),
        ('name = "a"\nbase = "tele-read"\nwithout = ["clean_pixel_data"]', False),
        ('name = "a"\nbase = "tele-read"\nremove = ["EncapsulatedDocument"]', False),
    ],
)
def test_a_sites_profile_keeps_pdfs_if_it_cleans_pixels_and_descriptions_and_does_not_say_otherwise(text, leaves):
    source = as_file(an_encapsulated(TYPED, **PATIENT))
    meta = read_file_meta(source)

    assert wants_new_pdf(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset), parse(text, "")) is leaves


def test_without_the_programs_a_pdf_is_held_and_says_what_to_install(keys, monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)

    result, given = released(TYPED, keys)

    assert result.pixel_review == "install vienanh[pixels]"
    assert len(given.EncapsulatedDocument) == 2


def test_a_document_has_so_many_bytes_and_a_page_so_much_time(monkeypatch):
    with pytest.raises(NotDrawnError, match="pdf-not-read"):
        DrawingProcess(seconds_max=0).page(TYPED, 0)
    monkeypatch.setattr(drawing, "DOCUMENT_BYTES_MAX", 100)
    with pytest.raises(NotDrawnError, match="pdf-bytes"):
        shared_drawing().page(TYPED, 0)


# --- what is decided about a page ------------------------------------------------------------------------------------

NET = Net(tokens_of(((0x00100010, "Nguyễn^Thị Hương".encode()),), ("utf-8",), None), ("utf-8",), None)


class Sees:
    def __init__(self, *found: tuple[Box, str]) -> None:
        self.found = found

    def find(self, _picture, _long_side):
        return self.found


def a_line(text: str, row: int = 20, *, line: int = 0, is_sure: bool = True) -> tuple[Word, ...]:
    """Return words of ten pixels a letter."""
    words: list[Word] = []
    left = 10
    for word in text.split():
        words.append(Word(word, Box(row, left, row + 20, left + 10 * len(word)), line, is_sure))
        left += 10 * len(word) + 8
    return tuple(words)


def eyes(*read: Word, found: tuple[tuple[Box, str], ...] = ()) -> Eyes:
    return Eyes(Sees(*found), lambda _: read, NET)


def covers(boxes, word: Word) -> bool:
    return any(box.holds(word.box) for box in boxes)


def test_a_line_of_a_picture_goes_as_a_whole():
    words = (*a_line("BN Huong khoe"), *a_line("gan to", 60, line=1))

    seen = look(WHITE, (), eyes(*words))

    assert [covers(seen.telling, word) for word in words] == [True, True, True, False, False]


def test_a_believed_text_layer_lets_the_rest_of_a_line_stay():
    words = a_line("benh nhan Huong khoe manh")

    seen = look(WHITE, words, eyes(*words))

    assert [covers(seen.telling, word) for word in words] == [False, False, True, False, False]


def test_a_text_layer_that_says_something_else_than_the_page_is_not_believed():
    read, layer = a_line("gan khong to", is_sure=False), a_line("phoi sang deu")

    seen = look(WHITE, layer, eyes(*read, found=((Box(18, 8, 42, 150), "text"),)))

    assert (seen.is_believed, seen.unread) == (False, (Box(18, 8, 42, 150),))


def test_a_name_in_a_font_of_tcvn3_is_found_in_its_text_layer():
    layer = a_line("BN: NguyÔn ThÞ H\xad¬ng")

    assert all(covers(look(WHITE, layer, eyes()).telling, word) for word in layer)


def test_where_no_word_was_read_the_line_goes():
    words = a_line("gan to")

    seen = look(WHITE, (), eyes(*words, found=((Box(18, 8, 42, 300), "text"), (Box(90, 8, 110, 40), "mark"))))

    assert [(box.top, box.right) for box in seen.unread] == [(18, 300)]
    assert not any(box.touches(word.box) for box in seen.unread for word in words)


def test_a_line_that_runs_down_the_page_goes():
    line = Box(10, 300, 200, 330)

    assert look(WHITE, (), eyes(*a_line("gan to"), found=((line, "text"),))).unread == (line,)


def test_a_letterhead_goes():
    words = (*a_line("Phòng khám An Bình"), *a_line("gan to", 60, line=1))
    seen = look(WHITE, words, eyes(*words))

    assert [covers(seen.telling, word) for word in words] == [True, True, True, True, False, False]


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_paper_that_was_scanned_sideways_or_upside_down_is_for_a_person(turned):
    output = io.BytesIO()
    picture = Image.fromarray(shared_drawing().page(SCANNED, 0).picture)
    picture.rotate(turned, expand=True).save(output, "PDF", resolution=200)

    eyes_of_ours = Eyes(shared_finders(), read_words, NET)

    assert clean_pdf(output.getvalue(), eyes_of_ours, shared_drawing()).reason == "pdf-not-legible"


@pytest.mark.parametrize("number", ["12345", "A1B2C3D4E5"])
def test_long_numbers_that_were_read_from_a_picture_go(number):
    words = a_line(f"x {number} 12 mm")

    assert [covers(look(WHITE, (), eyes(*words)).telling, word) for word in words] == [False, True, False, False]


class Draws:
    """The same white pages again and again."""

    def __init__(self, *words: Word, pages: int = 1) -> None:
        self.words = words
        self.pages = pages

    def page(self, _document, _index):
        return Page(self.pages, WHITE, self.words)


def test_text_that_is_left_after_three_looks_is_for_a_person():
    assert clean_pdf(b"", eyes(*a_line("BN Huong")), Draws()).reason == "pdf-text-left"


def test_what_may_be_masked_is_proposed_in_the_strip_of_all_pages():
    words = a_line("BN Huong")

    unfinished = clean_pdf(b"", eyes(*words), Draws(pages=2))

    assert isinstance(unfinished, Unfinished)
    first, second = unfinished.boxes
    assert all(first.holds(word.box) for word in words)
    assert second == Box(first.top + 300, first.left, first.bottom + 300, first.right)


def test_a_page_with_too_many_places_is_proposed_as_a_whole(monkeypatch):
    monkeypatch.setattr(cleaner, "PROPOSED_MAX", 2)
    words = [word for row in range(5) for word in a_line("BN Huong", 10 + 50 * row, line=row)]

    unfinished = clean_pdf(b"", eyes(*words), Draws(pages=2))

    assert isinstance(unfinished, Unfinished)
    assert unfinished.boxes == (Box(0, 0, 300, 400), Box(300, 0, 600, 400))


def test_a_new_document_with_a_text_layer_is_for_a_person():
    assert clean_pdf(b"", eyes(), Draws(*a_line("gan to"))).reason == "pdf-text-left"


def test_a_page_that_nobody_can_look_at_is_for_a_person():
    class Blind:
        def find(self, _picture, _long_side):
            raise MalformedInstance(reason="no")

    assert clean_pdf(b"", Eyes(Sees(), lambda _: None, NET), Draws()) == Unfinished("pdf-not-looked-at")
    assert clean_pdf(b"", Eyes(Blind(), lambda _: (), NET), Draws()) == Unfinished("pdf-not-looked-at")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_words_of_the_text_layer_stand_where_they_are_seen(rotation):
    document = a_typed_pdf(["Huong"]).replace(b"/Contents 5", b"/Rotate %3d/Contents 5" % rotation)

    page = shared_drawing().page(document, 0)

    (word,) = page.words
    ink = np.argwhere(page.picture.min(axis=2) < 128)
    assert word.box.grown(2, 2).holds(Box(*ink.min(axis=0), *(ink.max(axis=0) + 1)))
