"""What the frames of a slide may say of people and instances, when there are more than a header has room for."""

from collections.abc import Iterator, Sequence
from typing import Final

from kernel.dicom.scanning.elements import Element, Header, Item
from kernel.dicom.vocabulary.limits import exceeded

TELLING_MAX: Final = 1_000_000  # names and UIDs, of which each is noted: two of some 500,000 frames
UIDS_MAX: Final = 10_000  # that differ: frames derived from others tell the same few


def check_frame_groups(header: Header) -> None:
    """Refuse a slide whose many frames name more than there is memory for; a header that is kept has its own bounds.

    Raises
    ------
    LimitExceeded
        They do.
    """
    telling, uids = 0, set[bytes]()
    for groups in header.elements:
        if groups.items is None or isinstance(groups.items, tuple):
            continue
        for element in _within(groups.items):
            if element.vr not in {"PN", "UI"}:
                continue
            telling += 1
            if telling > TELLING_MAX:
                raise exceeded("TELLING_MAX", telling, TELLING_MAX)
            if element.vr == "UI":
                uids.add(header.value(element))
            if len(uids) > UIDS_MAX:
                raise exceeded("UIDS_MAX", len(uids), UIDS_MAX)


def _within(items: Sequence[Item]) -> Iterator[Element]:
    for item in items:
        for element in item.elements:
            if element.items is None:
                yield element
            else:
                yield from _within(element.items)
