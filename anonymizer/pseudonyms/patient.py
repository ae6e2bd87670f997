"""Whose instance it is: read from the original header, for the pseudonym, the date shift and the vault."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from anonymizer.pseudonyms.identifiers import PATIENT_CACHE_MAX, pseudonym, shift_days
from anonymizer.pseudonyms.keys import Keys
from anonymizer.words.descriptors import fold
from kernel.dicom.scanning.elements import Header
from kernel.dicom.vocabulary.charset import decode, parse_charsets

TEXT_CHARACTERS_MAX: Final = 1024
PATIENTS_MAX: Final = 64  # that are kept, of so many bytes each
KEPT_BYTES_MAX: Final = 8 * 1024
PATIENT_KEYWORDS: Final[Mapping[str, int]] = {
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
}
STUDY_KEYWORDS: Final[Mapping[str, int]] = {
    "StudyInstanceUID": 0x0020000D,
    "AccessionNumber": 0x00080050,
    "StudyID": 0x00200010,
    "StudyDate": 0x00080020,
    "StudyTime": 0x00080030,
    "StudyDescription": 0x00081030,
    "ReferringPhysicianName": 0x00080090,
}
_READ: Final = (0x00080005, *PATIENT_KEYWORDS.values(), *STUDY_KEYWORDS.values())


@dataclass(frozen=True, slots=True)
class Patient:
    """The person behind an instance, and what stands for them."""

    issuer: str
    patient_id: str
    pseudonym: str
    shift_days: int
    charsets: tuple[str, ...]  # of the instance
    identity: Mapping[str, str] = field(repr=False)  # for the vault
    study: Mapping[str, str] = field(repr=False)

    @property
    def name_words(self) -> frozenset[str]:
        """The folded words of the name, which no description may hold."""
        return _words_of(self.identity["PatientName"])


@lru_cache(maxsize=PATIENT_CACHE_MAX)
def _words_of(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", fold(name))) - {""}


def read_patient(header: Header, keys: Keys, issuer: str, fallback_charset: str | None) -> Patient:
    """Read who the patient is.

    A patient is (issuer, Patient ID). Without a Patient ID the name and birth date stand for it, and without those the
    study does, so that two unknown patients are never taken for one.
    """
    values = tuple([header.raw(tag) for tag in _READ])
    read = _read_patient if sum(map(len, values)) <= KEPT_BYTES_MAX else _read_patient.__wrapped__
    return read(values, keys, issuer, fallback_charset)


@lru_cache(maxsize=PATIENTS_MAX)  # the slices of a study are all of one
def _read_patient(values: tuple[bytes, ...], keys: Keys, issuer: str, fallback_charset: str | None) -> Patient:
    """Return the patient of the encoded values of `_READ`."""
    charsets = parse_charsets(values[0])
    texts = [decode(one, charsets, fallback_charset).strip(" \0")[:TEXT_CHARACTERS_MAX] for one in values[1:]]
    identity = dict(zip(PATIENT_KEYWORDS, texts, strict=False))
    study = dict(zip(STUDY_KEYWORDS, texts[len(PATIENT_KEYWORDS) :], strict=True))
    issuer = identity["IssuerOfPatientID"] or issuer
    identity["IssuerOfPatientID"] = issuer
    who = _who(identity, study["StudyInstanceUID"])
    return Patient(
        issuer=issuer,
        patient_id=identity["PatientID"],
        pseudonym=pseudonym(keys.pseudonym, issuer, who),
        shift_days=shift_days(keys.date, issuer, who),
        charsets=charsets,
        identity=identity,
        study=study,
    )


def pseudonym_of(identity: Mapping[str, str], study_instance_uid: str, keys: Keys, issuer: str) -> str:
    """Return the pseudonym that instances of a patient were given, from what the site's index says of the patient.

    Parameters
    ----------
    identity
        By keyword: PatientID, IssuerOfPatientID, PatientName, PatientBirthDate.
    issuer
        Stands for an issuer that is absent.
    """
    return pseudonym(keys.pseudonym, identity["IssuerOfPatientID"] or issuer, _who(identity, study_instance_uid))


def _who(identity: Mapping[str, str], study_instance_uid: str) -> str:
    if identity["PatientID"]:
        return identity["PatientID"]
    if identity["PatientName"]:
        return "\0".join(("name", fold(identity["PatientName"]), identity["PatientBirthDate"]))
    return f"study\0{study_instance_uid}"
