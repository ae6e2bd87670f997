"""A slide that tells of more frames than a header has room for is taken; whoever must see every element refuses it."""

import pytest

from kernel.dicom.scanning import scanner
from kernel.dicom.scanning.scanner import items_apart, scan, scan_apart, scan_every_frame
from kernel.dicom.scanning.walker import FRAME_GROUPS
from kernel.dicom.vocabulary.limits import LIMITS, LIMITS_APART, Limits
from kernel.errors import LimitExceeded, MalformedInstance
from tests.dicom.builders import EXPLICIT, IMPLICIT, JPEG, SEQUENCE_END, UNDEFINED, element, implicit_element, item
from tests.wsi.dicom_builders import many_placed

FRAMES = LIMITS.elements_max // 9 + 1  # a group, two sequences, an item of each, four elements


@pytest.fixture
def walks(monkeypatch) -> list[str]:
    """How a header is walked, `whole` or `apart`; a whole one is said to have too many elements, which takes a second."""
    real, told = scanner.scan, list[str]()

    def scanned(*arguments, limits=LIMITS, **named):
        told.append("apart" if limits is LIMITS_APART else "whole")
        if limits is LIMITS:
            raise LimitExceeded(limit="elements_max", value=500_001, bound=500_000)
        return real(*arguments, limits=limits, **named)

    monkeypatch.setattr(scanner, "scan", scanned)
    return told


def texts(elements) -> list:
    """Return elements as they can be compared: nested, without where they are."""
    return [
        (one.tag, one.vr, one.length if one.items is None else [texts(item.elements) for item in one.items])
        for one in elements
    ]


@pytest.mark.parametrize("undefined", [False, True])
def test_groups_that_are_apart_are_the_same_items_one_by_one(undefined):
    slide = many_placed(40, across=8, undefined=undefined)
    whole, apart = scan(slide, JPEG), scan(slide, JPEG, limits=LIMITS_APART)

    assert FRAME_GROUPS not in apart.index
    assert texts(apart.elements) == texts([one for one in whole.elements if one.tag != FRAME_GROUPS])
    assert [texts(elements) for elements in items_apart(apart)] == [
        texts(one.elements) for one in whole.index[FRAME_GROUPS].items
    ]
    assert (apart.end, apart.pixel_data) == (whole.end, whole.pixel_data)


def test_items_without_a_length_are_passed_too_also_in_implicit_vr():
    inner = implicit_element(0x00280030, b"1\\1 ")
    groups = b"".join(item(inner, undefined=True) for _ in range(3)) + SEQUENCE_END
    data = implicit_element(FRAME_GROUPS, groups, length=UNDEFINED) + implicit_element(0x52009231, b"after ")

    header = scan(data, IMPLICIT, limits=LIMITS_APART)

    assert [one.tag for one in header] == [0x52009231]
    assert [[one.tag for one in elements] for elements in items_apart(header)] == [[0x00280030]] * 3


def test_a_header_that_can_hold_them_holds_them():
    header = scan_apart(many_placed(40), JPEG)

    assert header.frame_groups_apart is None
    assert len(header.index[FRAME_GROUPS].items) == 40


def test_what_must_see_every_element_refuses_a_slide_of_more():
    with pytest.raises(LimitExceeded, match="elements_max"):
        scan(many_placed(FRAMES), JPEG)


def test_a_slide_of_more_is_taken(walks):
    header = scan_apart(many_placed(40), JPEG)

    assert len(list(items_apart(header))) == 40
    assert walks == ["whole", "apart"]


def test_one_of_surely_too_many_is_not_walked_in_vain(walks, monkeypatch):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 1024)

    header = scan_apart(many_placed(40), JPEG)

    assert len(list(items_apart(header))) == 40
    assert walks == ["apart"]


@pytest.mark.parametrize("least", [1024, 1024 * 1024])
def test_of_no_other_kind_is_anything_left_out(walks, monkeypatch, least):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", least)
    other = many_placed(40).replace(b"5.1.4.1.1.77.1.6", b"5.1.4.1.1.77.1.5")

    with pytest.raises(LimitExceeded, match="elements_max"):
        scan_apart(other, JPEG)


@pytest.mark.parametrize("undefined", [False, True])
def test_their_bounds_are_kept(undefined):
    slide = many_placed(40, undefined=undefined)

    with pytest.raises(LimitExceeded, match="apart_bytes_max exceeded"):
        scan(slide, JPEG, limits=Limits(apart_bytes_max=2000))
    with pytest.raises(LimitExceeded, match="elements_max exceeded"):
        scan(slide, JPEG, limits=Limits(apart_bytes_max=1 << 20, apart_elements_max=39))


def test_elements_of_all_items_together_are_bounded(monkeypatch):
    header = scan(many_placed(40), JPEG, limits=LIMITS_APART)
    monkeypatch.setattr(scanner, "LIMITS_APART", Limits(apart_bytes_max=1 << 28, apart_elements_max=100))

    with pytest.raises(LimitExceeded, match="elements_max exceeded"):
        list(items_apart(header))


def test_items_that_are_read_anew_are_had_by_number_and_by_slice_in_one_pass(monkeypatch):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 1024)
    slide, passes, real = many_placed(40), [], scanner._items_apart
    items, kept = (one.index[FRAME_GROUPS].items for one in (scan_every_frame(slide, JPEG), scan(slide, JPEG)))
    monkeypatch.setattr(scanner, "_items_apart", lambda header: passes.append(header) or real(header))

    for chosen in (slice(3, 30), slice(30, 3, -7), slice(None, None, -1), slice(5, 5), slice(38, 99)):
        assert tuple(items[chosen]) == kept[chosen]
    assert len(passes) == 4
    assert (items[0], items[-1]) == (kept[0], kept[-1])
    with pytest.raises(IndexError):
        items[40]


@pytest.mark.parametrize(
    "groups",
    [
        element(0x52009230, "SQ", item(b"")[:-1]),  # ends within an item's head
        element(0x52009230, "SQ", b"\xfe\xff\x00\xe0\x40\0\0\0"),  # an item longer than the sequence
        element(0x52009230, "SQ", b"abcdefgh"),  # no item
        element(0x52009230, "SQ", item(b""))[:-8] + b"\xfe\xff\x00\xe0",  # cut off
        element(0x52009230, "SQ", item(b"")) * 2,  # two of them
    ],
)
def test_damaged_groups_are_refused(groups):
    with pytest.raises(MalformedInstance):
        scan(groups, EXPLICIT, limits=LIMITS_APART)
