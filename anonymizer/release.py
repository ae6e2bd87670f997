"""One instance on its way out: de-identified, searched again by code of its own, and judged. For whoever writes it.

`release` is the only way from an original to bytes that may leave: nobody calls the engine without the search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from anonymizer.codestreams.comments import without_comments
from anonymizer.elements.second_net import net_of
from anonymizer.engine.engine import deidentify
from anonymizer.engine.faces import face_risk
from anonymizer.engine.frame_groups import check_frame_groups
from anonymizer.engine.opening import in_little_endian
from anonymizer.engine.result import Buffer, Deidentified
from anonymizer.pdf.encapsulated import pdf_cleaned, pdf_masked, wants_new_pdf
from anonymizer.pixels.cleaner import Cleaner, Cleaning
from anonymizer.pixels.gate import needs_pixel_review
from anonymizer.profiles.options import FACES, OPTIONS
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.patient import read_patient
from anonymizer.residue import search as residue
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.scanning.elements import Header
from kernel.dicom.transcoding.header import Change

FINDINGS_TOLD_MAX: Final = 5
CLEAN_PIXELS, CLEAN_GRAPHICS = "clean_pixel_data", "clean_graphics"  # of `anonymizer.profiles.options`
_STUDY, _SERIES, _INSTANCE = 0x0020000D, 0x0020000E, 0x00080018


@dataclass(frozen=True, slots=True)
class Released:
    """What may leave, once somebody has looked at the pixels if `pixel_review` names a reason."""

    made: Deidentified
    pixel_review: str  # a word of `anonymizer.pixels.gate` or `anonymizer.pixels.cleaner`, or empty
    cleaning: Cleaning | None = None  # what a cleaner did; None: nobody looked


class PixelCleaner(Protocol):
    """Looks at the pixels of one instance; see `anonymizer.pixels.cleaner.Cleaner`."""

    def clean(self, source: Buffer, header: Header, transfer_syntax_uid: str) -> Cleaning | None:
        """Return what became of them, or None when their kind shows no text."""
        ...

    def overlays(self, header: Header) -> Mapping[int, Change]:
        """Return the elements of overlay planes that may stay, by tag."""
        ...

    def mask(self, source: Buffer, header: Header, transfer_syntax_uid: str, boxes: Sequence[Box]) -> Cleaning:
        """Mask what a person drew, and what is known anyway."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """Why an instance waits for a person; tags and kinds, never what was found."""

    because: str
    in_tag: str
    kind: str = ""


def release(  # noqa: PLR0913 what `deidentify` takes, and who cleans pixels
    source: Buffer,
    header: Header,
    *,
    profile: Profile,
    keys: Keys,
    issuer: str,
    fallback_charset: str | None = None,
    cleaner: PixelCleaner | None = None,
    drawn: Sequence[Box] | None = None,
) -> Released | Held:
    """De-identify an instance and search the result for what named the patient; parameters as `deidentify`.

    `cleaner` looks for text in the pixels, and PDFs are written anew (`anonymizer.pdf`), if the profile has it cleaned;
    None: nobody does, and kinds that usually show some name their reason. `drawn` are the masks of a person who looked,
    whatever the profile says: nobody looks again.

    Raises
    ------
    Refused
        The instance is not understood: hold it, never pass it on.
    """
    if FACES in profile.options and (face := face_risk(header)):
        return Held(face, "(7FE0,0010)")
    given, syntax, looked = in_little_endian(source, header)
    check_frame_groups(looked)
    cleans = drawn is not None or (cleaner is not None and CLEAN_PIXELS in profile.options)
    cleans = cleans and header.pixel_data is not None
    writes_pdf = (cleaner is not None or drawn is not None) and wants_new_pdf(header, profile)
    if writes_pdf and drawn is not None:
        cleaning = pdf_masked(looked, syntax, drawn)
    elif writes_pdf:
        patient = read_patient(looked, keys, issuer, fallback_charset)
        cleaning = pdf_cleaned(looked, syntax, net_of(looked, patient, fallback_charset))
    else:
        cleaning = _cleaning(given, looked, syntax, cleaner or Cleaner(), drawn) if cleans else None
        if cleaning and cleaner and drawn is None and not cleaning.reason and CLEAN_GRAPHICS in profile.options:
            cleaning = _with_overlays(cleaning, cleaner.overlays(looked))
    made = deidentify(
        given,
        profile=profile,
        keys=keys,
        issuer=issuer,
        header=looked,
        fallback_charset=fallback_charset,
        new_pixels=without_comments(given, looked, syntax, cleaning.new if cleaning else None),
    )
    if given is not source:
        made = made.without_source(given)
    objection = _objection(made, header, profile, fallback_charset)
    if objection is not None:
        return objection
    if drawn is not None and cleaning is None:
        return Released(made, "")
    if cleaning is None:
        return Released(made, "" if made.has_cleaned_document else needs_pixel_review(header) or "")
    return Released(made, cleaning.reason, cleaning)


def _cleaning(
    source: Buffer, header: Header, syntax: str, cleaner: PixelCleaner, drawn: Sequence[Box] | None
) -> Cleaning | None:
    if drawn is None:
        return cleaner.clean(source, header, syntax)
    return cleaner.mask(source, header, syntax, drawn)


def _with_overlays(cleaning: Cleaning, kept: Mapping[int, Change]) -> Cleaning:
    if not kept:
        return cleaning
    codes = (*cleaning.new.method_codes, OPTIONS[CLEAN_GRAPHICS].code)
    new = replace(cleaning.new, changes={**cleaning.new.changes, **kept}, method_codes=codes)
    return replace(cleaning, new=new)


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
