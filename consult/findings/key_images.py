"""The key images of a study: one document of it (`consult.documents`), and those that others chose."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from pydicom.dataset import Dataset

from consult.documents import Author, Documents, Sheet, Version, version_of
from consult.findings.marks import FRAME_MAX, Where
from consult.findings.measurements import images_of, series_of
from consult.findings.others import newest_of_ours
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.database import Database
from kernel.errors import InvalidRequest

Title = Literal[
    "ofInterest", "forReferringProvider", "forSurgery", "forTeaching", "forConference",
    "forTherapy", "forPatient", "forPeerReview", "forResearch", "bestInSet", "forReport",
]  # fmt: skip
TITLES: Final[tuple[Title, ...]] = get_args(Title)
KEY_OBJECT_SELECTION: Final = "1.2.840.10008.5.1.4.1.1.88.59"
IMAGES_MAX: Final = 500  # of one document
OTHERS_MAX: Final = 50  # documents that are read of a study
DESCRIPTION_CHARACTERS_MAX: Final = 512
_ROLE: Final = "key images"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a document says; `title` is a name of ours, or what somebody else's document calls it."""

    title: str
    description: str
    images: tuple[Where, ...]


KeyImages = Version[Choice]
NOTHING: Final[KeyImages] = Version(None, "", None, Choice(TITLES[0], "", ()))


class KeyImageBook:
    """Reads and saves the key images of studies; safe in threads."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    def of(self, grant: StudyGrant) -> KeyImages:
        """Return what was saved last. Raises as `Documents.newest`."""
        ds = self._documents.newest(grant, series_of(grant, _ROLE))
        return NOTHING if ds is None else _read(ds)

    def of_others(self, grant: StudyGrant) -> list[KeyImages]:
        """Return what other documents of the study chose, at most OTHERS_MAX of them; of versions of ours the newest.

        One that cannot be read is passed over.
        """
        own = series_of(grant, _ROLE)
        with self._db.read() as connection:
            located = archive_index.locate_study(connection, grant)
        others = [
            one for one in located if one.sop_class_uid == KEY_OBJECT_SELECTION and one.series_instance_uid != own
        ]
        read = newest_of_ours(self._documents.readable(others[-OTHERS_MAX:]))
        return [choice for choice in map(_read, read) if choice.content.images]

    def save(self, grant: StudyGrant, chosen: Choice, base: str | None, author: Author) -> KeyImages:
        """Keep a choice as the new state, durable when this returns.

        Parameters
        ----------
        base
            The state that it was made on, as `of` gave it.

        Raises
        ------
        DocumentChanged
            Somebody saved another choice since.
        InvalidRequest
            It is not one, or one of the images is not the study's.
        """
        from consult.findings.key_documents import document, withdrawal

        _check(chosen)
        wanted = {(one.series_instance_uid, one.sop_instance_uid) for one in chosen.images}
        images = images_of(self._db, grant, wanted) if wanted else []

        def build(sheet: Sheet, last: Dataset | None) -> Dataset:
            if images:
                return document(self._documents.read(images[0]), images, chosen, sheet)
            if last is None:
                raise InvalidRequest(reason="no image was chosen and none was before")
            return withdrawal(last, sheet)

        sheet = self._documents.save(grant, series_of(grant, _ROLE), base, author, build)
        return Version(sheet.sop_instance_uid, sheet.author, sheet.at, chosen)


def _check(chosen: Choice) -> None:
    if chosen.title not in TITLES:
        raise InvalidRequest(reason="key images are chosen for one of the purposes that are known")
    if len(chosen.images) > IMAGES_MAX or len(set(chosen.images)) < len(chosen.images):
        raise InvalidRequest(reason=f"key images are at most {IMAGES_MAX}, each of them once")
    if len(chosen.description) > DESCRIPTION_CHARACTERS_MAX or not chosen.description.isprintable():
        raise InvalidRequest(reason=f"a description is one line of at most {DESCRIPTION_CHARACTERS_MAX} characters")
    if not all(one.frame_number is None or 1 <= one.frame_number <= FRAME_MAX for one in chosen.images):
        raise InvalidRequest(reason="frames are counted from one")


def _read(ds: Dataset) -> KeyImages:
    from consult.findings.key_documents import description_of, images_in, title_of  # it leads to highdicom

    return version_of(ds, Choice(title_of(ds), description_of(ds), images_in(ds, IMAGES_MAX)))
