"""The Basic Profile said once more, over pydicom data sets: what may have become of each element of an original."""

from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset

from anonymizer.profiles.profile import table

CODES = {row["tag"]: row["basic"] for row in table("ps3_15_e_1_1.json")["rows"]}
DECLARED = {0x00120062, 0x00120063, 0x00120064, 0x00280303}
WRITTEN = {0x00080005, 0x00100010, 0x00100020} | DECLARED
CLASS_LIKE = (
    "SOPClass",
    "TransferSyntax",
    "CodingSchemeUID",
    "ContextUID",
    "MappingResourceUID",
    "ContextGroupExtension",
)
FORGOTTEN = [
    "Visit",
    "DischargeDiagnosis",
    "RouteOfAdm",
    "Pertinent",
    "ResourceDesc",
    "OrderNumber",
    "CommentsOnTheScheduled",
    "RequestingPhysicianId",
]
FORGOTTEN += [
    "RequestingService",
    "InAlternativeCalendar",
    "IssuerOfPatientIDQ",
    "PatientGroupId",
    "GroupOfPatients",
    "Interpretation",
]
BEYOND_THE_TABLE = {"PN", "DA", "TM", "DT", "AE", "UR"}


def complaints(original: Dataset, given: Dataset, path: str = "") -> list[str]:
    """Return what is wrong with `given`, by path; an empty list when every element is as the profile says."""
    wrong: list[str] = []
    for element in original:
        where = f"{path}{element.tag}"
        after = given.get(element.tag)
        tag, number = f"{element.tag:08X}", int(element.tag)
        if (number in WRITTEN and not path) or element.tag.group == 2:
            continue
        if (
            element.tag.is_private
            or element.tag.element == 0
            or (0x5000 <= element.tag.group < 0x7FE0 and tag[:2] in ("50", "60"))
        ):
            wrong += [f"{where} survives"] if after is not None else []
            continue
        if element.tag.group > 0x7FE0:
            wrong += [f"{where} survives"] if after is not None else []
            continue
        code = CODES.get(tag)
        wrong += judged(code, element, after, where) if code else kept(element, after, where)
    extra = {int(element.tag) for element in given} - {int(element.tag) for element in original}
    if extra - (WRITTEN if not path else set()):
        wrong.append(f"{path} has more than it had: {sorted(map(hex, extra))}")
    return wrong


def judged(code: str, element, after, where: str) -> list[str]:
    if after is None:
        return [] if "X" in code else [f"{where} is gone, {code}"]
    if element.VR == "SQ" and code in ("X/Z/U*", "X/Z/D") and after.value:
        return inside(element, after, where)
    if not after.value:
        return [] if "Z" in code or not element.value else [f"{where} is empty, {code}"]
    if "U" in code or "D" in code or element.tag == 0x00100010:
        return [f"{where} is as it was, {code}"] if same(element, after) and not well_known(element.value) else []
    return [f"{where} is not empty, {code}"]


def kept(element, after, where: str) -> list[str]:
    entry = DicomDictionary.get(int(element.tag))
    if entry is None or element.VR == "PN" or (entry[0] in BEYOND_THE_TABLE and "CodingScheme" not in entry[4]):
        return [f"{where} survives"] if after is not None else []
    if after is None and any(word in entry[4] for word in FORGOTTEN):
        return []
    if after is None:
        return [f"{where} is gone, though no row names it"]
    if element.VR == "SQ":
        return inside(element, after, where)
    if entry[0] == "UI" and not any(word in entry[4] for word in CLASS_LIKE):
        return [f"{where} is as it was"] if same(element, after) and not well_known(element.value) else []
    if entry[4] == "ICCProfile":
        return [] if blank_at_most(element.value, after.value) else [f"{where} has another color"]
    return [] if same(element, after) else [f"{where} has changed"]


def inside(element, after, where: str) -> list[str]:
    if len(element.value) != len(after.value):
        return [f"{where} has another number of items"]
    pairs = zip(element.value, after.value, strict=True)
    return [line for number, (old, new) in enumerate(pairs) for line in complaints(old, new, f"{where}[{number}].")]


def same(element, after) -> bool:
    return repr(element.value) == repr(after.value)


def blank_at_most(before: bytes, after: bytes) -> bool:
    return len(before) == len(after) and all(new in (old, 0) for old, new in zip(before, after, strict=True))


def well_known(value) -> bool:
    values = [value] if isinstance(value, str) else list(value)
    return all(not one or str(one).startswith("1.2.840.10008.") for one in values)
