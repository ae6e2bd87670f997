"""What the engine asks of an instance before it begins: its identifiers, and that nothing of it is elsewhere."""

from collections.abc import Mapping
from typing import Final

from kernel.dicom.scanning.elements import Header
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import UnsupportedSOPClass, UnsupportedTransferSyntax

SOP_CLASS_UID, SOP_INSTANCE_UID = 0x00080016, 0x00080018
STUDY_INSTANCE_UID, SERIES_INSTANCE_UID = 0x0020000D, 0x0020000E
PIXEL_DATA_PROVIDER_URL: Final = 0x00287FE0
MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
SOUND: Final = "1.2.840.10008.5.1.4.1.1.9.4."  # Basic Voice Audio, General Audio
_MODALITY, _WAVEFORMS, _INTERPRETATION = 0x00080060, 0x54000100, 0x54001006
COMPANDED: Final = frozenset({"MB", "AB"})  # as speech is (PS3.3 C.10.9.1.5); no curve of a patient is
INSTANCE_UIDS: Final[Mapping[int, str]] = {
    STUDY_INSTANCE_UID: "StudyInstanceUID",
    SERIES_INSTANCE_UID: "SeriesInstanceUID",
    SOP_INSTANCE_UID: "SOPInstanceUID",
}


def identifiers_of(header: Header, syntax: str) -> tuple[str, Mapping[int, str]]:
    """Return the SOP class and, by tag, the UIDs of study, series and instance.

    Raises
    ------
    MissingIdentifier, InvalidIdentifier
        One of them is absent, or no UID.
    UnsupportedSOPClass, UnsupportedTransferSyntax
        A directory, a recording of sound, or an instance whose pixels are elsewhere.
    """
    sop_class_uid = check_uid(text_of(header, SOP_CLASS_UID), "SOPClassUID")
    if sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        raise UnsupportedSOPClass(sop_class_uid=sop_class_uid, reason="a directory names files and patients")
    if sop_class_uid.startswith(SOUND) or text_of(header, _MODALITY).upper() == "AU" or _has_speech(header):
        raise UnsupportedSOPClass(
            sop_class_uid=sop_class_uid, reason="who dictates says whose it is, and nobody listens"
        )
    if header.get(PIXEL_DATA_PROVIDER_URL) is not None:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=syntax, reason="its pixels are elsewhere")
    return sop_class_uid, {tag: check_uid(text_of(header, tag), keyword) for tag, keyword in INSTANCE_UIDS.items()}


def _has_speech(header: Header) -> bool:
    waveforms = header.get(_WAVEFORMS)
    return waveforms is not None and any(
        element.tag == _INTERPRETATION and header.value(element).decode("latin-1").strip(" \0") in COMPANDED
        for item in waveforms.items or ()
        for element in item.elements
    )


def text_of(header: Header, tag: int) -> str:
    """Return a value of ASCII characters without its padding."""
    return header.raw(tag).decode("latin-1").strip(" \0")
