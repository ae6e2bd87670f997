"""The page of a medium: it shows the pictures that lie beside it, from the medium itself, with no server and no network."""

import html
import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, cast

TEXT_CHARACTERS_MAX: Final = 200
DATE_CHARACTERS: Final = 8  # YYYYMMDD (PS3.5 6.2)
_NAME, _ID, _BIRTH, _SEX = "00100010", "00100020", "00100030", "00100040"
_DATE, _STUDY, _MODALITY, _SERIES, _NUMBER = "00080020", "00081030", "00080060", "0008103E", "00200011"


@dataclass(slots=True)
class Series:
    """A series on the page."""

    title: str
    pictures: list[str] = field(default_factory=list[str])
    instances: int = 0


@dataclass(slots=True)
class Shown:
    """What the page tells of the study; grows with every instance."""

    patient: list[str] = field(default_factory=list[str])
    study: list[str] = field(default_factory=list[str])
    series: dict[int, Series] = field(default_factory=dict[int, Series])
    _at: int = 0  # the present series
    frames: int = 0  # of all instances, drawn or not

    def instance(self, item: dict[str, Any], series: int) -> None:
        """Take note of an instance, of the series of that number on the medium."""
        if not self.series:
            self.patient = _texts(item, _NAME, _ID, _BIRTH, _SEX)
            self.study = _texts(item, _DATE, _STUDY)
        if series not in self.series:
            self.series[series] = Series(" · ".join(_texts(item, _NUMBER, _MODALITY, _SERIES)))
        self._at = series
        self.series[series].instances += 1

    def is_next(self, stride: int) -> bool:
        """Count a frame; tell whether it is one of those that are drawn: the first, and every so many."""
        self.frames += 1
        return (self.frames - 1) % stride == 0

    def passed(self, frames: int) -> None:
        """Count frames that are not drawn."""
        self.frames += frames

    def picture(self) -> str:
        """Return the name of the next picture of the present series."""
        pictures = self.series[self._at].pictures
        pictures.append(f"VIEW/SE{self._at:06d}/{len(pictures) + 1:08d}.JPG")
        return pictures[-1]


def page(shown: Shown) -> bytes:
    """Return INDEX.HTM."""
    drawn = sum(len(one.pictures) for one in shown.series.values())
    told = {
        "patient": shown.patient,
        "study": shown.study,
        "all": drawn == shown.frames,
        "series": [
            {"title": one.title, "pictures": one.pictures, "instances": one.instances}
            for _, one in sorted(shown.series.items())
        ],
    }
    data = json.dumps(told, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    title = html.escape(" ".join((*shown.patient[:1], *shown.study[:1])))
    template = (files("gateway.dicomweb.media") / "page.html").read_text("utf-8")
    return template.replace("{{title}}", title).replace("{{data}}", data).encode()


def read_me() -> bytes:
    """Return README.TXT, with a byte order mark: Windows' editor takes it for UTF-8 then."""
    return (files("gateway.dicomweb.media") / "readme.txt").read_text("utf-8").replace("\n", "\r\n").encode("utf-8-sig")


def _texts(item: dict[str, Any], *tags: str) -> list[str]:
    return [text for tag in tags if (text := _text(item, tag))]


def _text(item: dict[str, Any], tag: str) -> str:
    value: Any = (item.get(tag, {}).get("Value") or [""])[0]
    if isinstance(value, dict):
        value = cast("dict[str, str]", value).get("Alphabetic", "")
    text = "" if value is None else str(value)[:TEXT_CHARACTERS_MAX]
    if tag in (_BIRTH, _DATE) and len(text) == DATE_CHARACTERS:
        return f"{text[6:]}/{text[4:6]}/{text[:4]}"
    return " ".join(text.replace("^", " ").split())
