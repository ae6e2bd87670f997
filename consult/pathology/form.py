"""The request and the report of a biopsy or a smear, as data: the fields of form 25/BV2 (Circular 32/2023/TT-BYT).

Pure values; a report editor draws its fields from the table. Purposes keep apart what binds and what does not.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from kernel.errors import InvalidRequest

LINE_CHARACTERS_MAX: Final = 200
TEXT_CHARACTERS_MAX: Final = 8_000
COUNT_MAX: Final = 1_000

Part = Literal["request", "report"]
Kind = Literal["line", "text", "date", "count"]


class Purpose(StrEnum):
    """What an opinion on a slide is given for."""

    FORMAL = "formal"  # signed, and answered for
    INFORMAL = "informal"  # a colleague's word
    TEACHING = "teaching"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form."""

    name: str
    part: Part
    kind: Kind
    vi: str
    en: str


FIELDS: Final[Sequence[Field]] = (
    Field("clinical_information", "request", "text", "Thông tin lâm sàng", "Clinical information"),
    Field("specimen_site", "request", "line", "Vị trí lấy mẫu", "Site of sampling"),
    Field("sampled_on", "request", "date", "Ngày lấy mẫu", "Date of sampling"),
    Field("grossed_by", "request", "line", "Người pha bệnh phẩm", "Grossed by"),
    Field("grossed_on", "request", "date", "Ngày pha bệnh phẩm", "Date of grossing"),
    Field("prepared_by", "request", "line", "Người làm tiêu bản", "Slides prepared by"),
    Field("blocks", "request", "count", "Số block", "Number of blocks"),
    Field("smears", "request", "count", "Số lam", "Number of smears"),
    Field("stains", "request", "line", "Phương pháp nhuộm", "Stains"),
    Field("gross", "report", "text", "Nhận xét đại thể", "Gross description"),
    Field("microscopic", "report", "text", "Nhận xét vi thể", "Microscopic description"),
    Field("histological_diagnosis", "report", "text", "Chẩn đoán mô bệnh học", "Histological diagnosis"),
    Field("cytological_diagnosis", "report", "text", "Chẩn đoán tế bào học", "Cytological diagnosis"),
    Field("discussion", "report", "text", "Bàn luận", "Discussion"),
)
_BY_NAME: Final = {one.name: one for one in FIELDS}


def checked(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a form without empty ones, in the form's order; all are texts, dates as YYYY-MM-DD.

    Raises
    ------
    InvalidRequest
        A field is unknown, or its value is not of its kind; the value is not repeated.
    """
    unknown = values.keys() - _BY_NAME.keys()
    if unknown:
        raise InvalidRequest(reason=f"{len(unknown)} fields are not of the form")
    kept = {one.name: values.get(one.name, "").strip() for one in FIELDS}
    for name, value in kept.items():
        if value and not _fits(_BY_NAME[name].kind, value):
            raise InvalidRequest(reason=f"{name} is no {_BY_NAME[name].kind} that can be kept")
    return {name: value for name, value in kept.items() if value}


def _fits(kind: Kind, value: str) -> bool:
    if kind == "date":
        return _is_date(value)
    if kind == "count":
        return value.isascii() and value.isdigit() and len(value) <= len(str(COUNT_MAX)) and int(value) <= COUNT_MAX
    if kind == "line":
        return len(value) <= LINE_CHARACTERS_MAX and value.isprintable()
    return len(value) <= TEXT_CHARACTERS_MAX and value.replace("\n", "").replace("\t", "").isprintable()


def _is_date(value: str) -> bool:
    try:
        return len(value) == len("2026-11-22") and bool(time.strptime(value, "%Y-%m-%d"))
    except ValueError:
        return False
