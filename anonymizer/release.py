"""One instance on its way out: de-identified, searched again by code of its own, and judged. For whoever writes it.

`release` is the only way from an original to bytes that may leave: nobody calls the engine without the search.
"""

from dataclasses import dataclass
from typing import Final

from anonymizer import residue
from anonymizer.engine import deidentify
from anonymizer.faces import face_risk
from anonymizer.keys import Keys
from anonymizer.pixels.gate import needs_pixel_review
from anonymizer.profile import Profile
from anonymizer.result import Buffer, Deidentified
from kernel.dicom.elements import Header

FINDINGS_TOLD_MAX: Final = 5
FACES: Final = "clean_recognizable_visual_features"  # nothing here removes a face: what may show one is held
_STUDY, _SERIES, _INSTANCE = 0x0020000D, 0x0020000E, 0x00080018


@dataclass(frozen=True, slots=True)
class Released:
    """What may leave, once somebody has looked at the pixels if `pixel_review` names a reason."""

    made: Deidentified
    pixel_review: str  # a word of `anonymizer.pixels.needs_pixel_review`, or empty


@dataclass(frozen=True, slots=True)
class Held:
    """Why an instance waits for a person; tags and kinds, never what was found."""

    because: str
    in_tag: str
    kind: str = ""


def release(
    source: Buffer, header: Header, *, profile: Profile, keys: Keys, issuer: str, fallback_charset: str | None = None
) -> Released | Held:
    """De-identify an instance and search the result for what named the patient; parameters as `deidentify`.

    Raises
    ------
    Refused
        The instance is not understood: hold it, never pass it on.
    """
    if FACES in profile.options and (face := face_risk(header)):
        return Held(face, "(7FE0,0010)")
    made = deidentify(
        source, profile=profile, keys=keys, issuer=issuer, header=header, fallback_charset=fallback_charset
    )
    review = "" if made.has_cleaned_document else needs_pixel_review(header) or ""
    return _objection(made, header, profile, fallback_charset) or Released(made, review)


def _objection(made: Deidentified, header: Header, profile: Profile, fallback_charset: str | None) -> Held | None:
    retains_uids = "retain_uids" in profile.options
    findings = residue.find(made.header_bytes, residue.needles_of(header, fallback_charset))
    if retains_uids:
        findings = tuple(finding for finding in findings if finding.kind != "uid")
    if findings:
        paths = list(dict.fromkeys(finding.path for finding in findings))[:FINDINGS_TOLD_MAX]
        return Held("residue", " ".join(paths), findings[0].kind)
    if retains_uids:
        return None
    identity = made.identity
    for new, tag in (
        (identity.study_instance_uid, _STUDY),
        (identity.series_instance_uid, _SERIES),
        (identity.sop_instance_uid, _INSTANCE),
    ):
        if new == header.raw(tag).strip(b" \0").decode("ascii", "replace"):
            return Held("uid-kept", f"({tag >> 16:04X},{tag & 0xFFFF:04X})", "uid")
    return None
