"""What the API says of every document that people save (`consult.documents`), and asks of who saves one."""

from datetime import datetime
from typing import Any, TypedDict

from pydantic import Field

from consult.documents import Version
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.models import Model


class DocumentState(Model):
    """A state of a document."""

    instance: str | None = Field(description="SOP Instance UID of the document; null while nothing was saved.")
    author: str
    at: datetime | None


class NewState(Model):
    """A state to save; 409 when somebody saved another one since."""

    base: str | None = Field(max_length=UID_CHARACTERS_MAX, description="The instance that was opened, or null.")


class State(TypedDict):
    """The fields of a DocumentState."""

    instance: str | None
    author: str
    at: datetime | None


def state_of(version: Version[Any]) -> State:
    """Return what is said of a version beside what is in it."""
    return {"instance": version.sop_instance_uid, "author": version.author, "at": version.at}
