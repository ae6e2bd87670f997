"""At which level of the Query/Retrieve information model an attribute is (PS3.4 C.6.1.1, PS3.3 C.7.1 to C.7.5).

The standard draws the line by module; an attribute of no module below is one of the instance. Clinical trial attributes
and all of group 0010 describe the patient, at this moment or at the time of the study.
"""

from typing import Final, Literal

Level = Literal["patient", "study", "series", "instance"]
LEVELS: Final[tuple[Level, ...]] = ("patient", "study", "series", "instance")

_PATIENT_GROUPS: Final = frozenset({0x0010, 0x0012})
_PATIENT: Final = frozenset({0x00380050, 0x00380500, 0x00201200, 0x00201202, 0x00201204})
_STUDY_GROUPS: Final = frozenset({0x0032, 0x0038})
_STUDY: Final = frozenset(
    {
        0x00080020, 0x00080030, 0x00080050, 0x00080051, 0x00080061, 0x00080062, 0x00080063, 0x00080090, 0x00080092,
        0x00080094, 0x00080096, 0x0008009C, 0x0008009D, 0x00081030, 0x00081032, 0x00081048, 0x00081049, 0x00081060,
        0x00081062, 0x00081063, 0x00081080, 0x00081084, 0x00081110, 0x0020000D, 0x00200010, 0x00201070, 0x00201206,
        0x00201208, 0x00400012, 0x00401012, 0x00402016, 0x00402017, 0x0040E010,
    }
)  # fmt: skip
_SERIES: Final = frozenset(
    {
        0x00080021, 0x00080031, 0x00080060, 0x00080064, 0x00080068, 0x00080070, 0x00080080, 0x00080081, 0x00080082,
        0x00081010, 0x0008103E, 0x0008103F, 0x00081040, 0x00081041, 0x00081050, 0x00081052, 0x00081070, 0x00081072,
        0x00081090, 0x00081111, 0x00081250, 0x00180015, 0x00181000, 0x00181002, 0x00181008, 0x00181020, 0x00181030,
        0x00181050, 0x00181200, 0x00181201, 0x00185100, 0x0020000E, 0x00200011, 0x00200052, 0x00200060, 0x00201040,
        0x00201209, 0x00280108, 0x00280109, 0x00400241, 0x00400242, 0x00400243, 0x00400244, 0x00400245, 0x00400250,
        0x00400251, 0x00400253, 0x00400254, 0x00400255, 0x00400260, 0x00400275, 0x00400280, 0x00400555,
    }
)  # fmt: skip
# Attributes of answers, or of what no index and no instance says: never matched.
NOT_KEPT: Final = frozenset({0x00080054, 0x00081190, 0x00083001})
_EVERYWHERE: Final = frozenset({0x00080005, 0x00080052, 0x00080054, 0x00080056, 0x00080201, 0x00081190})


def level_of(tag: int) -> Level:
    """Return the level whose entity the attribute describes; of its sequence, when it is inside one."""
    group = tag >> 16
    if group in _PATIENT_GROUPS or tag in _PATIENT:
        return "patient"
    if group in _STUDY_GROUPS or tag in _STUDY:
        return "study"
    return "series" if tag in _SERIES else "instance"


def is_of(tag: int, level: Level) -> bool:
    """Return whether entities of `level` have the attribute: it is of this level, of one above, or of every level."""
    return tag in _EVERYWHERE or LEVELS.index(level_of(tag)) <= LEVELS.index(level)
