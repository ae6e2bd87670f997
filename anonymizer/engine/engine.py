"""De-identify one instance at the level of its bytes: the header is written anew, pixel data stays where it is.

One scan, one look into a table of numbers per element; whatever stays is a slice of the source. Big endian and
deflated instances are first made explicit little endian as a whole, and leave in that transfer syntax.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from anonymizer.content.documents import changes_of
from anonymizer.content.structured import clean_content, clean_graphics
from anonymizer.elements.cleaning import SequenceCleaners
from anonymizer.elements.compiled import ActionTable, compiled
from anonymizer.elements.memory import memory_of
from anonymizer.elements.rewriting import SPECIFIC_CHARACTER_SET, UTF_8, Rewriter
from anonymizer.elements.second_net import kept_on_purpose, net_of
from anonymizer.elements.treatment import Treatment
from anonymizer.engine.acceptance import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    identifiers_of,
    text_of,
)
from anonymizer.engine.declaration import PATIENT_IDENTITY_REMOVED, additions, codes_of, method
from anonymizer.engine.opening import in_little_endian
from anonymizer.engine.result import ActionRecord, Buffer, Deidentified, NewIdentity, NewPixels
from anonymizer.profiles.actions import Action
from anonymizer.profiles.dummies import TEXT_VRS, encode
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.patient import Patient, read_patient
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind
from kernel.dicom.pixels.frames import Span
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.transcoding.header import Change
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.vocabulary.uids import check_uid

MODALITY: Final = 0x00080060
CLEANERS: Final[SequenceCleaners] = {Action.STRUCTURED: clean_content, Action.GRAPHICS: clean_graphics}


def deidentify(  # noqa: PLR0913 each is told by another: the profile's author, the site, the source, the pixels
    source: Buffer,
    *,
    profile: Profile,
    keys: Keys,
    issuer: str,
    header: Header | None = None,
    fallback_charset: str | None = None,
    new_pixels: NewPixels | None = None,
) -> Deidentified:
    """De-identify an instance.

    The same source, profile, keys and issuer give the same bytes. `source` may be a memory map of any size.

    Parameters
    ----------
    source
        A whole Part 10 file.
    profile
        From `anonymizer.profiles.profile.load`.
    keys
        Of the site whose patient this is.
    issuer
        Who issues Patient IDs when the instance does not say (0010,0021): the site's name.
    header
        The scan of `source` from its data set on, when there is one already; not a prefix scan.
    fallback_charset
        What the source of the instance writes when it declares no character set (`kernel.dicom.vocabulary.charset.FALLBACKS`).
    new_pixels
        What becomes of the pixel data of a little endian `source`; None: it stays as it is.

    Raises
    ------
    Refused
        In one of its forms, when something is not understood: hold the instance, never pass it on.
    """
    given = in_little_endian(source, header)
    syntax = check_uid(given.transfer_syntax_uid, "TransferSyntaxUID")
    made = _Work(profile, keys, issuer, fallback_charset).rewrite(given.source, given.header, syntax, new_pixels)
    if given.source is source:
        return made
    assert new_pixels is None, "their pieces are of another source"
    return made.without_source(given.source)


@dataclass(frozen=True, slots=True)
class _Work:
    """The arguments of `deidentify` that do not depend on the instance."""

    profile: Profile
    keys: Keys
    issuer: str
    fallback_charset: str | None

    def rewrite(self, source: Buffer, header: Header, syntax: str, new_pixels: NewPixels | None = None) -> Deidentified:
        """De-identify a little endian instance."""
        kept = new_pixels or _untouched(header, syntax)
        syntax = _as_found(kept.transfer_syntax_uid, header)
        sop_class_uid, old = identifiers_of(header, syntax)
        patient = read_patient(header, self.keys, self.issuer, self.fallback_charset)
        with memoryview(source) as view:
            table = compiled(self.profile, sop_class_uid, text_of(header, MODALITY))
            treatment = Treatment(
                patient,
                self.keys,
                table,
                self.fallback_charset,
                net=net_of(header, patient, self.fallback_charset),
                on_purpose=kept_on_purpose(self.profile),
            )
            treatment.codes.update(kept.method_codes)
            document = changes_of(sop_class_uid, header, treatment, self.profile)
            if document:
                kept = replace(kept, changes={**kept.changes, **document})
            head, trailer = self._parts(table, treatment, header, view, kept)
        codes = codes_of(self.profile, treatment.codes)
        new = {tag: treatment.uids.get(uid.encode(), uid.encode()).decode("ascii") for tag, uid in old.items()}
        meta = file_meta(sop_class_uid, new[SOP_INSTANCE_UID], syntax)
        return Deidentified(
            head=meta + head,
            pixels=kept.pieces,
            trailer=trailer,
            dataset_offset=len(meta),
            has_cleaned_document=bool(document),
            identity=NewIdentity(
                patient_id=patient.pseudonym,
                study_instance_uid=new[STUDY_INSTANCE_UID],
                series_instance_uid=new[SERIES_INSTANCE_UID],
                sop_class_uid=sop_class_uid,
                sop_instance_uid=new[SOP_INSTANCE_UID],
                transfer_syntax_uid=syntax,
            ),
            record=ActionRecord(
                profile=self.profile.label,
                profile_digest=self.profile.digest,
                method_codes=codes,
                key_id=self.keys.key_id,
                actions=dict(treatment.counts),
                comments=kept.comments,
                masks=kept.masks,
            ),
            vault_entries=(
                tuple(_vault_entries(patient, new[STUDY_INSTANCE_UID], treatment.uids))
                if self.profile.reversible
                else ()
            ),
        )

    def _parts(
        self, table: ActionTable, treatment: Treatment, header: Header, view: memoryview, kept: NewPixels
    ) -> tuple[bytes, bytes]:
        """Return the new data set up to the value of the pixel data, and what comes after the pixel data."""
        patient, actions = treatment.patient, table.top
        memory = memory_of(treatment.net, self.keys, table, patient, implicit=header.implicit)
        rewriter = Rewriter(view, table, treatment, CLEANERS, memory)
        added = list(additions(self.profile, patient, header))
        if kept.changes:
            added = sorted([*added, *_encoded(kept.changes, implicit=header.implicit)])
            actions = {**actions, **dict.fromkeys(kept.changes, Action.REMOVE)}
        if not patient.charsets and _has_undeclared_text(header, view):
            rewriter.write_utf_8()
            charset = encode(SPECIFIC_CHARACTER_SET, "CS", UTF_8, implicit=header.implicit)
            added = [(SPECIFIC_CHARACTER_SET, charset), *added]
            actions = {**actions, SPECIFIC_CHARACTER_SET: Action.REMOVE}
        pixels = header.pixel_data
        end = pixels.start if pixels else header.end
        before = [element for element in header.elements if element.start < end]
        after = header.elements[len(before) :]
        head, places = rewriter.with_added(before, (header.start, end), actions, added)
        trailer = rewriter.data_set(after, after[0].start, header.end, actions) if after else []
        codes = codes_of(self.profile, treatment.codes)
        head[places[PATIENT_IDENTITY_REMOVED]] = method(self.profile, codes, implicit=header.implicit)
        if pixels:
            head.append(view[pixels.start : pixels.value_offset])
        return b"".join(head), b"".join([view[after[0].start : header.end]] if trailer is None else trailer)


def _as_found(syntax: str, header: Header) -> str:
    """Return what the data set is encoded in, which is not always what its sender declared."""
    if syntax in {IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN}:
        return IMPLICIT_VR_LITTLE_ENDIAN if header.implicit else EXPLICIT_VR_LITTLE_ENDIAN
    return syntax


def _untouched(header: Header, syntax: str) -> NewPixels:
    pixels = header.pixel_data
    return NewPixels((Span(pixels.value_offset, pixels.end - pixels.value_offset),) if pixels else (), syntax)


def _encoded(changes: Mapping[int, Change], *, implicit: bool) -> Iterator[tuple[int, bytes]]:
    for tag, change in changes.items():
        if change is not None:
            yield tag, encode(tag, change[0], change[1], implicit=implicit)


def _has_undeclared_text(header: Header, view: memoryview) -> bool:
    """Whether any text is not ASCII, though nothing declares a character set."""
    return any(
        element.vr in TEXT_VRS
        and not bytes(view[element.value_offset : element.value_offset + element.length]).isascii()
        for element in header.walk()
    )


def _vault_entries(patient: Patient, new_study: str, uids: dict[bytes, bytes]) -> Iterator[VaultEntry]:
    yield VaultEntry(kind=VaultKind.PATIENT, token=patient.pseudonym, identity=patient.identity)
    ties = {
        "Pseudonym": patient.pseudonym,
        "ShiftDays": str(patient.shift_days),
    }  # `anonymizer.reidentify.way_back` reads them
    yield VaultEntry(kind=VaultKind.STUDY, token=new_study, identity={**patient.study, **ties})
    for old, new in uids.items():
        yield VaultEntry(kind=VaultKind.UID, token=new.decode("ascii"), identity={"UID": old.decode("latin-1")})
