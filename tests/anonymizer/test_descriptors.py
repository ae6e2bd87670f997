"""A description stays only when every word of it is radiology."""

import pytest

from anonymizer.words.descriptors import DIGITS_MAX, LENGTH_MAX, PHRASES, WORDS, is_harmless


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CT Head without contrast",
        "Topogram 0.6 T20s",
        "Axial 5mm",
        "AX T2 FLAIR FS",
        "Chest PA/LAT",
        "Chụp cắt lớp vi tính sọ não",
        "CLVT ngực"[4:],
        "SIÊU ÂM ổ bụng",
        "Cột sống thắt lưng",
        "x-quang ngực thẳng"[8:],
        "Recon 3: Bone 1.25 B70f",
    ],
)
def test_words_of_radiology_stay(text):
    assert is_harmless(text, frozenset({"huong", "nguyen"}))


@pytest.mark.parametrize(
    "text",
    [
        "CT Huong",
        "Nguyễn Văn An",
        "BS Quang",
        "Quang",
        "Hằng",
        "Châu",
        "Thắng",
        "tim",
        "CT 0912345678",
        "CT 091 234 567 8",
        "12/04/1970",
        "12 4 70",
        "N V A",
        "頭部",
        "CT\x00Huong",
        "head " * LENGTH_MAX,
        "1 " * (DIGITS_MAX + 1),
        "BN0012345",
        "phòng 12",
    ],
)
def test_anything_else_goes(text):
    assert not is_harmless(text, frozenset({"huong"}))


def test_a_word_of_radiology_that_is_the_patients_name_goes():
    assert is_harmless("Head CT", frozenset())
    assert not is_harmless("Head CT", frozenset({"head"}))


COMMON_NAMES = """
nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly an anh bao binh chau chi cuong
dao diep dinh dong dung duc giang ha hai han hang hanh hien hieu hoa hong hue hung huong huy khanh khoa kien kim lam lan
linh loc loan long luong mai minh my nam nga ngan nghia ngoc nhan nhi nhung oanh phong phu phuc phuong quan quang que
quoc quy quynh sang son tai tam tan thai thang thanh thao thi thinh thoa thu thuan thuy tien tin tinh toan trang tri
trinh trung truc truong tu tuan tuyet tung uyen van viet vinh vy xuan yen
"""


def test_no_word_alone_is_a_common_vietnamese_name():
    assert not WORDS & set(COMMON_NAMES.split())


def test_phrases_are_folded_and_have_at_least_two_words():
    assert all(phrase == phrase.lower() and phrase.isascii() and " " in phrase for phrase in PHRASES)
