"""What a person can do about each reason for which something waits, by the word that the node gives it."""

from collections.abc import Mapping
from typing import Final

from anonymizer.engine.faces import FACE
from routing.pixel_reviews import PIXEL_REVIEW, REJECTED
from routing.reidentification import DOCUMENT_ENCRYPTED, DOCUMENT_UID, NOT_FROM_HERE
from routing.ways_back import NO_PSEUDONYM, OTHER_PATIENT, UNKNOWN_PSEUDONYM, UNKNOWN_STUDY, UNKNOWN_UID

_AGAIN: Final = "then `vienanh release STUDY` has it done again"
ADVICE: Final[Mapping[str, str]] = {
    # What would leave.
    PIXEL_REVIEW: 'somebody must look at the pixels: "Text in pixels" in the reading room, or `vienanh review list`',
    REJECTED: "somebody looked at the pixels and kept it; it stays here",
    "review": "a rule has a person look first; `vienanh release STUDY` lets it go",
    "residue": "the tag named still shows the patient; correct it at its source or have a site's profile remove the "
    f"tag, {_AGAIN}",
    "uid-kept": f"a UID stayed as it was; look at the site's profile, {_AGAIN}",
    FACE: "thin slices of a head show a face; send it under a profile that lets faces pass, or not at all",
    "not-understood": "its bytes are not as DICOM has them; have its source send it again, or give a mended file",
    "ended-its-worker": f"its work ended the process twice; look at the log and the instance, {_AGAIN}",
    "failed": f"a fault of this program; report it with the class named, {_AGAIN}",
    # What came back.
    NOT_FROM_HERE: f"its sender is none of routing.returns_from; name it there if it may bring reports back, {_AGAIN}",
    NO_PSEUDONYM: "it names no pseudonym in its Patient ID; have the hub send it again with that",
    UNKNOWN_PSEUDONYM: "its pseudonym is not of this site; have the hub look where it belongs",
    UNKNOWN_STUDY: "its study never left this site; have the hub look where it belongs",
    OTHER_PATIENT: "it names studies of several patients; have the hub make one report of each",
    UNKNOWN_UID: f"it names an instance that neither left nor came home; bring that one home first, {_AGAIN}",
    DOCUMENT_UID: "its PDF names a UID that left, where the original cannot be put in its place; have the hub write it "
    "without UIDs, or as text in a simple font without attached files",
    DOCUMENT_ENCRYPTED: "its PDF is encrypted, so that nobody can tell what it names; have the hub write it without a cipher",
    "conflict": "another object has its UID here; compare them (`vienanh quarantine list`)",
}


def advice_on(causes: set[str]) -> list[str]:
    """Return a line for each cause of which there is something to say, in the order of the table."""
    return [f"{cause}: {text}." for cause, text in ADVICE.items() if cause in causes]
