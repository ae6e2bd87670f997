"""Private attributes: only those known to be safe, by their creator, with the values that they should have."""

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from anonymizer.profiles.private import holds
from anonymizer.profiles.profile import table
from tests.support.builders import a_ct

# Typed a second time, by hand, from the lists of PixelMed and of cati-neuroimaging/deidentification.
SAFE = """
7053 00 DS Philips PET Private Group
7053 09 DS Philips PET Private Group
00E1 21 DS ELSCINT1
00E1 50 DS ELSCINT1
01E1 26 CS ELSCINT1
01F1 07 DS ELSCINT1
01F1 26 DS ELSCINT1
01F1 27 DS ELSCINT1
0019 23 DS GEMS_ACQU_01
0019 24 DS GEMS_ACQU_01
0019 27 DS GEMS_ACQU_01
0019 9E LO GEMS_ACQU_01
0025 07 SL GEMS_SERS_01
0043 27 SH GEMS_PARM_01
0043 39 IS GEMS_PARM_01
0045 01 SS GEMS_HELIOS_01
0045 02 FL GEMS_HELIOS_01
0019 0C IS SIEMENS MR HEADER
0019 0E FD SIEMENS MR HEADER
0019 27 FD SIEMENS MR HEADER
2001 03 FL Philips Imaging DD 001
2001 5F SQ Philips Imaging DD 001
2005 0E FL Philips MR Imaging DD 001
"""


@pytest.mark.parametrize("line", SAFE.strip().splitlines())
def test_an_attribute_is_in_the_table_with_its_creator_and_vr(line):
    group, element, vr, creator = line.split(maxsplit=3)

    assert {"group": group, "creator": creator, "element": element, "vr": vr} in table("safe_private.json")["rows"]


def with_b_value(ds: Dataset, creator: str = "SIEMENS MR HEADER", value: str = "1000", block: int = 0x10) -> Dataset:
    ds.add_new(0x00190000 | block, "LO", creator)
    ds.add_new(0x00190000 | block << 8 | 0x0C, "IS", value)
    ds.add_new(0x00190000 | block << 8 | 0x0D, "CS", "HUONG")
    ds.add_new(0x00190000 | block << 8 | 0x0F, "SH", "HUONG")
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("block", [0x10, 0x77, 0xFF])
def test_a_safe_number_stays_with_its_creator_whatever_its_block(site, block, syntax):
    given = site.gives(with_b_value(a_ct(), block=block), "tele-read", syntax=syntax)

    private = {f"{element.tag:08X}": element.value for element in given if element.tag.is_private}
    assert private == {f"001900{block:02X}": "SIEMENS MR HEADER", f"0019{block:02X}0C": 1000}


def test_a_creator_of_another_name_at_the_same_number_does_not_make_it_safe(site):
    ds = with_b_value(a_ct(), creator="SOMEBODY ELSE")
    ds.add_new(0x00190011, "LO", "SIEMENS MR HEADER")  # of a block that has nothing

    given = site.gives(ds, "tele-read")

    assert [element.tag for element in given if element.tag.is_private] == []


def test_an_element_without_a_creator_goes(site):
    ds = with_b_value(a_ct())
    del ds[0x00190010]

    assert [element.tag for element in site.gives(ds, "tele-read") if element.tag.is_private] == []


def test_a_profile_without_the_option_keeps_nothing_private(site):
    for profile in ("basic", "research", "cut-ties"):
        assert [e.tag for e in site.gives(with_b_value(a_ct()), profile) if e.tag.is_private] == []


def test_a_name_where_a_number_should_be_goes(site):
    ds = a_ct()
    ds.add_new(0x70530010, "LO", "Philips PET Private Group")
    ds.add_new(0x70531000, "LO", "HUONG")
    ds.add_new(0x70531009, "DS", "0.5")

    given = site.gives(ds, "tele-read")

    assert 0x70531000 not in given
    assert given[0x70531009].value == 0.5


def test_a_safe_private_sequence_is_looked_into_with_blocks_of_its_own(site):
    ds, item = a_ct(), Dataset()
    item.add_new(0x20010011, "LO", "Philips Imaging DD 001")
    item.add_new(0x2001112D, "SS", 24)
    item.add_new(0x2001112E, "LO", "HUONG")
    item.PatientComments = "HUONG"
    ds.add_new(0x20010010, "LO", "Philips Imaging DD 001")
    ds.add_new(0x2001105F, "SQ", Sequence([item]))

    given = site.gives(ds, "tele-read")

    (kept,) = given[0x2001105F].value
    assert [f"{element.tag:08X}" for element in kept] == ["20010011", "2001112D"]


@pytest.mark.parametrize(
    ("vr", "value", "safe"),
    [
        ("DS", b"1.5\\-2e3 ", True),
        ("DS", b"Huong", False),
        ("IS", b"1" * 300, False),
        ("FD", struct.pack("<2d", 1, 2), True),
        ("FD", b"Huong", False),
        ("US", b"\1\0", True),
        ("UN", b"\1\0", False),
        ("OB", b"\1\0", False),
    ],
)
def test_a_value_must_be_what_its_vr_says(vr, value, safe):
    assert holds(vr, value) is safe
