"""What is asked and known of a slide that comes in pieces: its form, and the record that is kept beside its bytes."""

from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest
from wsi.dicom_header import Identity
from wsi.limits import MPP_MAX
from wsi.mirax import COMPANIONS_MAX, is_companion, is_mirax

_ONE_LINE: Final = r"^[^\\\x00-\x1f\x7f]*\Z"  # PS3.5 6.2: no backslash, no control characters


class Companion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the folder of a slide that has one (MIRAX)."""

    name: Annotated[str, Meta(max_length=128)]
    bytes: Annotated[int, Meta(ge=0)]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of a slide before sending it."""

    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=_ONE_LINE)]  # of the file, on the screen alone
    bytes: Annotated[int, Meta(ge=1)]  # of all files together
    patient_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=_ONE_LINE)]
    patient_name: Annotated[str, Meta(max_length=194, pattern=_ONE_LINE)] = ""
    accession_number: Annotated[str, Meta(max_length=16, pattern=_ONE_LINE)] = ""
    container: Annotated[str, Meta(max_length=64, pattern=_ONE_LINE)] = ""
    stain: Annotated[str, Meta(max_length=64, pattern=_ONE_LINE)] = ""
    study: Annotated[str, Meta(max_length=64)] = ""
    mpp: Annotated[float, Meta(ge=0, le=MPP_MAX)] = 0.0
    folder: Annotated[tuple[Companion, ...], Meta(max_length=COMPANIONS_MAX)] = ()  # behind the slide, in this order

    def identity(self) -> Identity:
        """Return whose slide it is; its container is named as the file where nothing is said."""
        container = self.container or PurePath(self.name).stem[:64]
        return Identity(self.patient_id, self.patient_name, self.accession_number, self.study, container, self.stain)


def form_of(content: bytes) -> Form:
    """Read a form. Raises InvalidRequest, InvalidIdentifier; neither repeats a value."""
    try:
        form = msgspec.json.decode(content, type=Form)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(reason=f"the body is no form of a slide ({error})") from None
    if not form.patient_id.strip():
        raise InvalidRequest(reason="the body is no form of a slide (patient_id is blank)")
    _check_folder(form)
    if form.study:
        check_uid(form.study, "StudyInstanceUID")
    return form


def _check_folder(form: Form) -> None:
    """Check the files beside a slide. Raises InvalidRequest."""
    if not form.folder:
        return
    names = {one.name.casefold() for one in form.folder}
    if not is_mirax(form.name) or len(names) < len(form.folder) or not all(is_companion(name) for name in names):
        raise InvalidRequest(reason="the body is no form of a slide (its folder is of another kind, or has odd names)")
    if sum(one.bytes for one in form.folder) >= form.bytes:
        raise InvalidRequest(reason="the body is no form of a slide (its folder is larger than the whole)")


class State(StrEnum):
    """Where a slide is on its way in."""

    RECEIVING = "receiving"
    WAITING = "waiting"  # whole; others are before it, or it could not be taken yet
    DECODING = "decoding"
    STORING = "storing"
    STORED = "stored"
    FAILED = "failed"


FINAL: Final = frozenset({State.STORED, State.FAILED})


class Owner(msgspec.Struct, frozen=True):
    """Who sends a slide, for whom, and from where."""

    kind: str
    name: str
    site: str
    address: str

    def is_same(self, other: "Owner") -> bool:
        """Whether it is the same caller, wherever it is now."""
        return (self.kind, self.name, self.site) == (other.kind, other.name, other.site)


class Record(msgspec.Struct):
    """A slide on its way in, as it is kept."""

    upload: str  # its random name
    owner: Owner
    form: Form
    changed_at: datetime
    offset: int = 0  # bytes that are here, durable when the record is
    state: State = State.RECEIVING
    done: int = 0  # tiles
    total: int = 0
    study: str = ""
    series: str = ""
    instances: int = 0
    here: int = 0  # instances that were here already
    lossy: bool = False
    code: str = ""
    reason: str = ""
