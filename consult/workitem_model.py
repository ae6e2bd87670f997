"""DICOM JSON as strangers send it (PS3.18 F), checked so that nobody who searches or reads it later is broken by it. Pure.

Work items have no bulk data and are small; what is not of the model, or over a bound, is refused as a whole.
"""

import re
from typing import Any, Final, cast

from kernel.dicom.vocabulary.dictionary import LONG_VRS, SHORT_VRS, VR_OF
from kernel.errors import InvalidRequest

Model = dict[str, Any]

ELEMENTS_MAX: Final = 20_000  # of one data set, with its sequences
DEPTH_MAX: Final = 16
_KEY: Final = re.compile(r"[0-9A-F]{8}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_VRS: Final = SHORT_VRS | LONG_VRS
_GROUPS: Final = frozenset({"Alphabetic", "Ideographic", "Phonetic"})  # of a name


def checked(model: Any) -> Model:
    """Return a DICOM JSON object of a stranger, or say that it is none; bulk data has no place in a work item.

    Raises
    ------
    InvalidRequest
        It is no data set, too large, or too deep.
    """
    left = [ELEMENTS_MAX]
    return _checked(model, left, 0)


def _checked(model: Any, left: list[int], depth: int) -> Model:
    if not isinstance(model, dict) or depth > DEPTH_MAX:
        raise InvalidRequest(reason="the body is no DICOM JSON object, or too deep")
    found: Model = {}
    for key, element in sorted(model.items()):
        left[0] -= 1
        if left[0] < 0:
            raise InvalidRequest(reason=f"more than {ELEMENTS_MAX} attributes")
        if not isinstance(key, str) or not _KEY.fullmatch(key.upper()) or not isinstance(element, dict):
            raise InvalidRequest(reason="a key of the body is no tag, or its attribute no object")
        values = element.get("Value", [])
        if "BulkDataURI" in element or not isinstance(values, list) or not _is_vr_of(key, element.get("vr")):
            raise InvalidRequest(
                reason="an attribute of the body has no VR of its own, no list of values, or bulk data"
            )
        if key == "00080005" or key.endswith("0000"):
            continue
        if element["vr"] == "SQ":
            items = [_checked(item if item is not None else {}, left, depth + 1) for item in values]
            found[key.upper()] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        else:
            binary = element.get("InlineBinary", "")
            if not all(_is_value(element["vr"], value) for value in values) or not _is_base64(binary):
                raise InvalidRequest(reason="a value of the body is none of its VR")
            found[key.upper()] = {name: element[name] for name in ("vr", "Value", "InlineBinary") if name in element}
    return found


def _is_vr_of(key: str, vr: Any) -> bool:
    """Whether a VR is one, and is a sequence's if the attribute is one: who reads it later relies on that."""
    usual = VR_OF.get(int(key, 16), "")
    return isinstance(vr, str) and vr in _VRS and (not usual or (vr == "SQ") == (usual == "SQ"))


def _is_value(vr: str, value: Any) -> bool:
    if vr == "PN" and isinstance(value, dict):
        name = cast("dict[str, Any]", value)
        return name.keys() <= _GROUPS and all(isinstance(group, str) for group in name.values())
    return value is None or (vr != "PN" and isinstance(value, str | int | float))


def _is_base64(text: Any) -> bool:
    return isinstance(text, str) and _BASE64.fullmatch(text) is not None
