"""A site's own profile: a TOML file on top of a built-in one, read strictly; every mistake is told with its line.

name = "bv-huyen"
base = "tele-read"
options = ["retain_institution_identity"]   # more columns of Table E.1-1
without = ["retain_safe_private"]           # columns of the base that are not wanted
keep = ["StationName"]
remove = ["PatientWeight", "(0010,1020)"]
clean = ["ImageComments"]                   # kept when every word is harmless
hash = ["StudyID"]                          # a keyed hash: the same for the same value

[replace]
InstitutionName = "District hospital"

[modality.US]                               # the same, for instances of a modality, over the above
remove = ["StationName"]
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from anonymizer.profiles.options import OPTIONS
from anonymizer.profiles.profile import BUILT_IN, Profile, Rule, load, merge, table
from anonymizer.profiles.site_rules import VERBS, Mistake, attribute, rule_of
from anonymizer.profiles.toml_lines import Lines
from kernel.errors import InvalidConfiguration

TEXT_CHARACTERS_MAX: Final = 65_536
ATTRIBUTES_MAX: Final = 2_000
MISTAKES_TOLD_MAX: Final = 20
PROFILES_KEPT: Final = 32

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MODALITY = re.compile(r"[A-Z]{2,16}")
_LISTS = ("keep", "remove", "clean", "hash")
_KEYS = ("name", "base", "options", "without", *_LISTS, "replace", "modality")


@lru_cache(maxsize=PROFILES_KEPT)
def chosen(name: str, text: str = "") -> Profile:
    """Return a built-in profile, or the one that `text` says; the same object for the same arguments."""
    return parse(text, name) if text else load(name)


def parse(text: str, source: str) -> Profile:
    """Read a profile; `source` is its file's name, for messages.

    Raises
    ------
    InvalidConfiguration
        Names `source` and up to MISTAKES_TOLD_MAX mistakes, each with its line.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise InvalidConfiguration(source=source, key="file", reason=f"longer than {TEXT_CHARACTERS_MAX} characters")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration(source=source, key="file", reason=str(error)) from None
    reader = _Reader(Lines(text), source)
    profile = reader.read(document)
    reader.raise_mistakes()
    return profile


@dataclass(slots=True)
class _Reader:
    lines: Lines
    source: str
    mistakes: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    attributes: int = 0
    loosened: bool = False  # something stays that the standard's options do not let stay

    def wrong(self, reason: str, table_name: str, key: str, item: str = "") -> None:
        self.mistakes.append((self.lines.of(table_name, key, item), reason))

    def raise_mistakes(self) -> None:
        if self.mistakes:
            told = sorted(set(self.mistakes))[:MISTAKES_TOLD_MAX]
            (line, reason), *more = told
            rest = "".join(f"; line {number}: {said}" for number, said in more)
            raise InvalidConfiguration(source=self.source, key=f"line {line}", reason=reason + rest)

    def read(self, document: Mapping[str, Any]) -> Profile:
        for key in document:
            if key not in _KEYS:
                self.wrong(f"no such key: {key}; there are {', '.join(_KEYS)}", "", key)
        name, base = self.text(document, "name"), self.text(document, "base")
        self.raise_mistakes()
        if not _NAME.fullmatch(name) or name in BUILT_IN or name == "none":
            self.wrong("name: 1 to 32 of a-z, 0-9 and -, and not that of a built-in profile", "", "name")
        if base not in BUILT_IN:
            self.wrong(f"base: there are {', '.join(BUILT_IN)}", "", "base")
        self.raise_mistakes()
        options = self.options(document, BUILT_IN[base].options)
        rows = {row["tag"]: row for row in table("ps3_15_e_1_1.json")["rows"]}
        changes = dict(self.rules(document, "", rows, options))
        by_modality = {
            modality: dict(self.rules(own, f"modality.{modality}", rows, options))
            for modality, own in self.modalities(document)
        }
        self.raise_mistakes()
        return merge(
            name,
            options,
            reversible=BUILT_IN[base].reversible,
            changes=changes,
            by_modality=by_modality,
            basic=not self.loosened,
        )

    def options(self, document: Mapping[str, Any], base: tuple[str, ...]) -> tuple[str, ...]:
        more, without = self.texts(document, "options", ""), self.texts(document, "without", "")
        for key, named in (("options", more), ("without", without)):
            for option in named:
                if option not in OPTIONS:
                    self.wrong(f"no such option: {option}; there are {', '.join(sorted(OPTIONS))}", "", key, option)
        for option in without:
            if option not in base:
                self.wrong(f"the base has no option {option}", "", "without", option)
        self.raise_mistakes()
        return tuple(dict.fromkeys(option for option in (*base, *more) if option not in without))

    def modalities(self, document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        given: Any = document.get("modality", {})
        for modality, own in cast("Mapping[str, Any]", given if isinstance(given, dict) else {"": given}).items():
            if not _MODALITY.fullmatch(modality) or not isinstance(own, dict):
                self.wrong("modality: a table such as [modality.US]", f"modality.{modality}", "")
                continue
            table_of = cast("Mapping[str, Any]", own)
            for key in table_of:
                if key not in (*_LISTS, "replace"):
                    self.wrong(
                        f"no such key: {key}; there are {', '.join(_LISTS)}, replace", f"modality.{modality}", key
                    )
            yield modality, table_of

    def rules(
        self, document: Mapping[str, Any], scope: str, rows: Mapping[str, Any], options: tuple[str, ...]
    ) -> Iterator[tuple[str, Rule]]:
        seen: dict[int, str] = {}
        for verb, table_name, key, name, value in self.words(document, scope):
            try:
                tag = self.counted(name, verb, seen)
                rule, loosens = rule_of(verb, tag, value, rows.get(f"{tag:08X}"), options)
            except Mistake as mistake:
                self.wrong(f"{verb}: {mistake}", table_name, key, "" if key == name else name)
                continue
            self.loosened |= loosens
            yield f"{tag:08X}", rule

    def counted(self, name: str, verb: str, seen: dict[int, str]) -> int:
        """Return the tag of an attribute that nothing was said about yet."""
        self.attributes += 1
        if self.attributes > ATTRIBUTES_MAX:
            raise Mistake(f"more than {ATTRIBUTES_MAX} attributes")
        tag = attribute(name)
        if tag in seen:
            raise Mistake(f"{name} is there twice: {seen[tag]} and {verb}")
        seen[tag] = verb
        return tag

    def words(self, document: Mapping[str, Any], scope: str) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield (verb, table, key, attribute, value) of every word said about an attribute."""
        for verb in VERBS:
            if verb != "replace":
                for name in self.texts(document, verb, scope):
                    yield verb, scope, verb, name, ""
                continue
            given: Any = document.get("replace", {})
            inner = f"{scope}.replace".removeprefix(".")
            for name, value in cast("Mapping[str, Any]", given if isinstance(given, dict) else {"": None}).items():
                if not isinstance(value, str):
                    self.wrong("replace: a table of attributes and texts", inner, name)
                    continue
                yield verb, inner, name, name, value

    def text(self, document: Mapping[str, Any], key: str) -> str:
        value: Any = document.get(key, "")
        if not isinstance(value, str) or not value:
            self.wrong(f"{key}: a text, and needed", "", key)
            return ""
        return value

    def texts(self, document: Mapping[str, Any], key: str, scope: str) -> tuple[str, ...]:
        value: Any = document.get(key, [])
        entries = cast("list[Any]", value if isinstance(value, list) else [None])
        if not all(isinstance(entry, str) for entry in entries):
            self.wrong(f"{key}: a list of texts", scope, key)
            return ()
        return tuple(entries)
