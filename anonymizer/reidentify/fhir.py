"""FHIR R4 resources and Bundles about a released study, led back. Pure.

The patient's identifiers, name, birth date and gender, texts, narratives and attached documents, dates and UIDs are as
they are at the site. Ids of resources and the references to them stay: they tie a Bundle together and mean nothing else;
a reference to the patient also says whose it is, in words and by identifier.
"""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from typing import Any, Final, cast

from anonymizer.reidentify.messages import decoded, document_led_back
from anonymizer.reidentify.way_back import WayBack
from kernel.errors import LimitExceeded, MalformedInstance

DEPTH_MAX: Final = 64
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=$|[T\"])")
# An address never says a name: it ends in the logs of whoever asks it.
_LINKS: Final = frozenset({"id", "reference", "fullUrl", "url", "ifNoneExist"})
_ADDRESS: Final = re.compile(
    r"(?:urn:|[a-z][a-z0-9+.-]*://)\S+", re.IGNORECASE
)  # wherever one stands; a sentence has blanks
_GENDERS: Final = {"M": "male", "F": "female", "O": "other"}  # of Patient's Sex (0010,0040)


def fhir(content: bytes, way: WayBack) -> bytes:
    """Return a FHIR resource or Bundle with the patient and study as they are here.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It is not JSON, or nested deeper than `DEPTH_MAX`.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedInstance(reason="it is not JSON") from None
    moved = way.has_moved_any(f"{y}{m}{d}" for y, m, d in _DATE.findall(decoded(content)))
    return json.dumps(_Work(replace(way, dates_came_moved=moved)).value(document, 0), ensure_ascii=False).encode(
        "utf-8"
    )


class _Work:
    """Leads values back."""

    def __init__(self, way: WayBack) -> None:
        self._way = way

    def value(self, value: Any, depth: int, key: str = "") -> Any:
        if depth > DEPTH_MAX:
            raise LimitExceeded(limit="DEPTH_MAX", value=depth, bound=DEPTH_MAX)
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), depth)
        if isinstance(value, list):
            return [self.value(one, depth + 1, key) for one in cast("list[Any]", value)]
        return self._text(value, key) if isinstance(value, str) else value

    def _object(self, found: dict[str, Any], depth: int) -> dict[str, Any]:
        way, identity = self._way, self._way.identity
        new = {key: self.value(value, depth + 1, key) for key, value in found.items()}
        if found.get("value") == way.pseudonym:  # an Identifier
            new["value"] = identity.get("PatientID", "")
        names = [one for one in (found.get("family"), found.get("text")) if isinstance(one, str)]
        if any(map(way.is_name, names)) and ({"family", "given", "use"} & found.keys()):
            family, _, given = identity.get("PatientName", "").partition("=")[0].partition("^")
            new |= {"text": way.person, "family": family, "given": [part for part in given.split("^") if part]}
        if way.pseudonym in str(found.get("reference", "")):
            new |= {"identifier": {"value": identity.get("PatientID", "")}, "display": way.person}
        if found.get("resourceType") == "Patient" and way.pseudonym in json.dumps(found):
            new |= self._of_patient()
        return new | self._of_attachment(found)

    def _of_patient(self) -> dict[str, Any]:
        born, sex = self._way.identity.get("PatientBirthDate", ""), self._way.identity.get("PatientSex", "")
        found = {"birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}"} if len(born) == 8 else {}
        return found | ({"gender": _GENDERS[sex]} if sex in _GENDERS else {})

    def _of_attachment(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return what changes in an Attachment when its document does: the data, and what is said of them."""
        kind, data = found.get("contentType"), found.get("data")
        kind = kind if isinstance(kind, str) else ""  # bytes tell a PDF, too
        led = None
        if isinstance(data, str):
            led = document_led_back(kind, data, self._way)
        if led is None:
            return {}
        digest = base64.b64encode(hashlib.sha1(led[1], usedforsecurity=False).digest()).decode("ascii")
        said = {"size": len(led[1]), "hash": digest}  # FHIR R4 2.24.0.2: the hash is SHA-1
        return {"data": led[0]} | {key: value for key, value in said.items() if key in found}

    def _text(self, value: str, key: str) -> str:
        way = self._way
        found = _DATE.match(value)
        if found and way.dates_came_moved:
            back = way.date("".join(found.groups()))
            return f"{back[:4]}-{back[4:6]}-{back[6:8]}{value[found.end() :]}"
        if key in _LINKS or _ADDRESS.fullmatch(value):
            return way.with_uids(value)
        return way.text(value, html.escape(way.person) if key == "div" else None)
