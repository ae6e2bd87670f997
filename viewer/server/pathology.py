"""The API of pathology: the form of a study's request and report, and readers' validations."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from consult.pathology import form as forms
from consult.pathology.form import FIELDS, Purpose
from consult.pathology.forms import Filled
from consult.pathology.validation import CASES_WANTED, CONCORDANCE_WANTED, WASHOUT_DAYS, Case, summary
from kernel.access import Principal, Scope
from kernel.access.principal import Role
from kernel.errors import Forbidden
from viewer.server.callers import Visit, holder, visitor
from viewer.server.models import NAME_CHARACTERS_MAX, Model
from viewer.server.services import Services, address_of

FORM = "/studies/{study_uid}/pathology"
VALUES_MAX = 64
DIAGNOSIS_CHARACTERS_MAX = 2_000
Opinion = Literal["formal", "informal", "teaching"]  # Purpose
Stands = Literal["none", "begun", "complete"]  # Standing
Line = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Diagnosis = Annotated[str, Field(min_length=1, max_length=DIAGNOSIS_CHARACTERS_MAX)]


class PathologyField(Model):
    """One field of form 25/BV2."""

    name: str
    part: Literal["request", "report"]
    kind: Literal["line", "text", "date", "count"]
    vi: str
    en: str


class PathologyForm(Model):
    """The present state of a study's form; revision 0 while nobody filled it in."""

    revision: int
    purpose: Opinion
    values: dict[str, str]
    author: str
    at: datetime | None


class NewPathologyForm(Model):
    """A state to save."""

    base: int = Field(ge=0, le=1_000_000, description="The revision that was opened.")
    purpose: Opinion
    values: dict[str, Annotated[str, Field(max_length=forms.TEXT_CHARACTERS_MAX)]] = Field(max_length=VALUES_MAX)


class ValidationCase(Model):
    """A case that a reader read both ways. The number is the laboratory's; it names no patient."""

    number: Line
    glass_diagnosis: Diagnosis
    digital_diagnosis: Diagnosis
    glass_on: date
    digital_on: date
    is_concordant: bool


class NewValidationCase(ValidationCase):
    """A case to put on file; of the caller where no account is named, which administrators may."""

    account: str | None = Field(None, max_length=NAME_CHARACTERS_MAX)


class ReaderValidation(Model):
    """A reader's record, and what is wanted of one (CAP 2021)."""

    account: str
    standing: Stands
    counted: int = Field(description="Cases with long enough between the readings.")
    concordant: int
    concordance: float | None
    cases_wanted: int
    concordance_wanted: float
    washout_days: int
    cases: list[ValidationCase]


def add_pathology(router: APIRouter, services: Services) -> None:
    """Add the routes of forms and validations."""
    reader, writer = holder(services, Scope.API_READ), holder(services, Scope.API_WRITE)
    read, write = visitor(services, reader), visitor(services, writer)

    @router.get("/pathology/fields", tags=["pathology"])
    def fields(_: Annotated[Principal, Depends(reader)]) -> list[PathologyField]:
        """Return the fields of the form in their order."""
        return [PathologyField(name=one.name, part=one.part, kind=one.kind, vi=one.vi, en=one.en) for one in FIELDS]

    @router.get(FORM, tags=["pathology"])
    def opened(visit: Annotated[Visit, Depends(read)]) -> PathologyForm:
        """Return the present state of a study's form."""
        return _told(services.pathology.of(visit.grant))

    @router.put(FORM, tags=["pathology"])
    def save(visit: Annotated[Visit, Depends(write)], new: NewPathologyForm) -> PathologyForm:
        """Save another state of a study's form; 409 if somebody else did since."""
        purpose = Purpose(new.purpose)
        return _told(services.pathology.save(visit.grant, new.base, purpose, new.values, visit.author))

    @router.get("/validation", tags=["pathology"])
    def validation(principal: Annotated[Principal, Depends(reader)], account: str | None = None) -> ReaderValidation:
        """Return a reader's record: the caller's, or to administrators anybody's."""
        whose = _whose(principal, account)
        return _record(whose, services.validations.of(whose))

    @router.post("/validation/cases", tags=["pathology"])
    def record(
        request: Request, principal: Annotated[Principal, Depends(writer)], new: NewValidationCase
    ) -> ReaderValidation:
        """Put a case on file; 409 if it is there. Nothing on file is changed or removed."""
        whose = _whose(principal, new.account)
        case = Case(
            new.number, new.glass_diagnosis, new.digital_diagnosis, new.glass_on, new.digital_on, new.is_concordant
        )
        services.validations.record(whose, case, by=principal.name, address=address_of(request))
        return _record(whose, services.validations.of(whose))


def _whose(principal: Principal, account: str | None) -> str:
    if principal.kind != "account":
        raise Forbidden(action="have a validation: only people read slides")
    if account not in (None, principal.name) and Role.ADMIN not in principal.roles:
        raise Forbidden(action="see or keep another reader's validation")
    return account or principal.name


def _told(filled: Filled) -> PathologyForm:
    return PathologyForm(
        revision=filled.revision,
        purpose=filled.purpose.value,
        values=dict(filled.fields),
        author=filled.author,
        at=filled.at,
    )


def _record(account: str, cases: list[Case]) -> ReaderValidation:
    found = summary(cases)
    return ReaderValidation(
        account=account,
        standing=found.standing.value,
        counted=found.counted,
        concordant=found.concordant,
        concordance=found.concordance,
        cases_wanted=CASES_WANTED,
        concordance_wanted=CONCORDANCE_WANTED,
        washout_days=WASHOUT_DAYS,
        cases=[
            ValidationCase(
                number=one.number,
                glass_diagnosis=one.glass_diagnosis,
                digital_diagnosis=one.digital_diagnosis,
                glass_on=one.glass_on,
                digital_on=one.digital_on,
                is_concordant=one.is_concordant,
            )
            for one in cases
        ],
    )
