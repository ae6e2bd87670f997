"""Hypothesis strategies: data sets as pydicom objects."""

from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

_SKIPPED_GROUPS = {0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFA, 0xFFFC, 0xFFFE}
# Tags whose VR pydicom decides by other elements, or whose value it interprets.
_SPECIAL = {0x00080005, 0x00280103, 0x00280100}


def _tags(vr: str) -> list[int]:
    return sorted(
        tag
        for tag, entry in DicomDictionary.items()
        if entry[0] == vr and tag >> 16 not in _SKIPPED_GROUPS and tag not in _SPECIAL and tag & 0xFFFF
    )


_TEXT = st.text(st.characters(codec="ascii", min_codepoint=0x20, exclude_characters="\\^="), max_size=16).map(str.strip)
_DIGITS = st.text("0123456789", min_size=1, max_size=10)
_UIDS = st.lists(st.integers(0, 99999).map(str), min_size=1, max_size=8).map(".".join)

VALUES = {
    "AE": _TEXT,
    "AS": st.integers(0, 999).map(lambda n: f"{n:03d}Y"),
    "AT": st.integers(0, 0xFFFFFFFF),
    "CS": st.text("ABCDEFGHIJ 0123456789_", max_size=16).map(str.strip),
    "DA": st.dates().map(lambda d: d.strftime("%Y%m%d").zfill(8)),
    "DS": st.one_of(st.integers(-99999, 99999).map(str), st.floats(-1e6, 1e6).map(lambda f: f"{f:.6g}")),
    "FD": st.floats(allow_nan=False, allow_infinity=False),
    "FL": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "IS": st.integers(-(2**31), 2**31 - 1).map(str),
    "LO": _TEXT,
    "LT": _TEXT,
    "OB": st.binary(max_size=20).map(lambda b: b + b"\0" * (len(b) % 2)),
    "OW": st.binary(max_size=20).map(lambda b: b + b"\0" * (len(b) % 2)),
    "PN": st.lists(_TEXT, min_size=1, max_size=5).map("^".join),
    "SH": _TEXT,
    "SL": st.integers(-(2**31), 2**31 - 1),
    "SS": st.integers(-(2**15), 2**15 - 1),
    "ST": _TEXT,
    "TM": st.times().map(lambda t: t.strftime("%H%M%S")),
    "UI": _UIDS,
    "UL": st.integers(0, 2**32 - 1),
    "US": st.integers(0, 2**16 - 1),
    "UT": _TEXT,
    "UC": _TEXT,
    "UV": st.integers(0, 2**64 - 1),
}
_CHOICES = [(tag, vr) for vr in VALUES for tag in _tags(vr)[:40]]
_WITHOUT_WORDS = [(tag, vr) for tag, vr in _CHOICES if vr != "OW"]
_SEQUENCES = _tags("SQ")[:60]


@st.composite
def data_sets(draw, depth: int = 2, *, words: bool = True) -> Dataset:
    """Draw a data set of a few elements, with sequences down to `depth`, both kinds of length, and private blocks.

    `words`: also OW, which pydicom writes in the order of bytes that it is given.
    """
    ds = Dataset()
    for tag, vr in draw(st.lists(st.sampled_from(_CHOICES if words else _WITHOUT_WORDS), max_size=6)):
        ds.add_new(tag, vr, draw(VALUES[vr]))
    if draw(st.booleans()):
        block = ds.private_block(0x0009, "VIENANH TEST", create=True)
        block.add_new(0x01, "LO", draw(VALUES["LO"]))
        block.add_new(0x02, "OB", draw(VALUES["OB"]))
    if depth:
        for tag in draw(st.lists(st.sampled_from(_SEQUENCES), max_size=2)):
            items = draw(st.lists(data_sets(depth - 1, words=words), max_size=2))
            ds.add_new(tag, "SQ", Sequence(items))
            ds[tag].is_undefined_length = draw(st.booleans())
            for one in items:
                one.is_undefined_length_sequence_item = draw(st.booleans())
    return ds
