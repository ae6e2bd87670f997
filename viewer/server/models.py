"""What the API of the reading room takes and gives, as its OpenAPI description shows it. Names are camelCase in JSON."""

import re
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PASSWORD_CHARACTERS_MAX = 1024
NAME_CHARACTERS_MAX = 128
TEXT_CHARACTERS_MAX = 200
WORKLIST_MAX = 200
OFFSET_MAX = 10_000


def _json_name(name: str) -> str:
    """Return camelCase with DICOM's own capitals: studyInstanceUID, patientID."""
    return re.sub(r"(Uid|Id)$", lambda match: match[0].upper(), to_camel(name)).replace("traceID", "traceId")


class Model(BaseModel):
    """Base: camelCase names, nothing unknown is taken."""

    model_config = ConfigDict(alias_generator=_json_name, populate_by_name=True, extra="forbid", frozen=True)


class SignIn(Model):
    """A person's name and password."""

    name: str = Field(max_length=NAME_CHARACTERS_MAX)
    password: str = Field(max_length=PASSWORD_CHARACTERS_MAX)


class NewPassword(Model):
    """The current password and the one that shall replace it."""

    current: str = Field(max_length=PASSWORD_CHARACTERS_MAX)
    new: str = Field(max_length=PASSWORD_CHARACTERS_MAX)


class SessionStudy(Model):
    """The one study that a guest may see."""

    site: str
    study_instance_uid: str


class SessionInfo(Model):
    """Who is signed in."""

    name: str
    display: str
    roles: list[str]
    csrf: str = Field(description="Send it back as X-Vienanh-CSRF with every unsafe request.")
    must_change: bool = Field(
        description="The password is a one-time one; nothing else is allowed until it is changed."
    )
    rights: list[str] = Field(description="What the session may do; docs/operating.md names the rights.")
    study: SessionStudy | None = Field(description="Of a guest whom a link let in: the one study; null for an account.")


class NodeInfo(Model):
    """Which node this is."""

    name: str
    role: Literal["site", "hub", "both"]
    site: str
    version: str
    ohif: bool = Field(description="Whether OHIF is installed, at /ohif/.")


class StudyItem(Model):
    """One study of the worklist."""

    site: str
    study_instance_uid: str
    patient_name: str
    patient_id: str
    patient_birth_date: str
    patient_sex: str
    study_date: str
    study_time: str
    modalities: list[str]
    body_part: str
    study_description: str
    accession_number: str
    number_of_series: int
    have: int = Field(description="Instances that are here.")
    expected: int | None = Field(description="Instances that the sender says there are; null while it has not said.")
    state: Literal["receiving", "complete"]
    priority: Literal["stat", "urgent", "routine"]
    evidence: str = Field(description="How the study is known to be complete; empty while it is not.")
    first_received_at: datetime
    last_received_at: datetime
    trace_id: str


class WorklistQuery(BaseModel):
    """The query parameters of the worklist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field("", max_length=TEXT_CHARACTERS_MAX, description="Name, patient id or accession; accents not needed.")
    modality: str = Field("", max_length=16)
    received_from: AwareDatetime | None = Field(None, description="Arrived then or later. Study dates may be shifted.")
    received_before: AwareDatetime | None = Field(None, description="Arrived earlier.")
    limit: int = Field(100, ge=1, le=WORKLIST_MAX)
    offset: int = Field(0, ge=0, le=OFFSET_MAX)


class Worklist(Model):
    """A page of studies: the emergencies first, then the newest."""

    studies: list[StudyItem]
    more: bool


class SeriesItem(Model):
    """One series of a study."""

    series_instance_uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    instances: int


class TraceItem(Model):
    """One event of a study at this node."""

    seq: int
    at: datetime
    name: str
    detail: dict[str, Any]
