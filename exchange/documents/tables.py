"""Tables of the documents that are made from the code: settings, commands, SOP classes, transfer syntaxes, events.

`python -m exchange.documents` rewrites what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` in docs/;
tests/test_tidy.py refuses a document that is not up to date.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command_name

from anonymizer.profiles.options import BASIC_CODE, OPTIONS, declared
from anonymizer.profiles.profile import BUILT_IN, load
from consult import worklist
from exchange.commands.table import COMMANDS
from exchange.documents import dimse as dimse_documents
from exchange.documents.licences import licences
from exchange.terminal.lazy_group import Entry, Group, target
from gateway.status import dimse_status, failure_reason, http_status
from kernel import config
from kernel.archive.search.items import ATTRIBUTES
from kernel.archive.search.key_columns import COLUMNS
from kernel.dicom.transcoding.frames import LOSSLESS_TARGETS, TARGETS
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, TAG_OF
from kernel.dicom.vocabulary.syntaxes import STORAGE_CLASSES, SYNTAXES
from kernel.errors import ExchangeError

DOCUMENTS = Path(__file__).parents[2] / "docs"


def settings() -> Iterator[str]:
    """Yield the lines of the table of settings."""
    yield "| setting | variable | default | meaning |"
    yield "|---|---|---|---|"
    for key, variable, default, doc in config.describe():
        yield f"| `{key}` | `{variable}` | `{default}` | {doc} |"


def commands() -> Iterator[str]:
    """Yield the lines of the table of commands."""
    yield "| command | what it does |"
    yield "|---|---|"
    for path, doc in _commands("vienanh", COMMANDS):
        yield f"| `{path}` | {doc} |"


def _commands(path: str, entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    for name, entry in entries.items():
        if isinstance(entry, Group):
            yield from _commands(f"{path} {name}", entry.commands)
        else:
            yield from _walk(f"{path} {name}", target(entry))


def _walk(path: str, found: Callable[..., Any] | typer.Typer) -> Iterator[tuple[str, str]]:
    if not isinstance(found, typer.Typer):
        yield path, (inspect.getdoc(found) or "").split("\n\n")[0].replace("\n", " ")
        return
    for command in found.registered_commands:
        if command.callback is not None:
            name = command.name or get_command_name(command.callback.__name__)
            yield from _walk(f"{path} {name}", command.callback)
    for child in found.registered_groups:
        if child.typer_instance is not None:
            yield from _walk(f"{path} {child.name}", child.typer_instance)


def storage_classes() -> Iterator[str]:
    """Yield the lines of the table of storage SOP classes (PS3.4 B.5)."""
    yield "| SOP class | UID |"
    yield "|---|---|"
    for uid, name in sorted(STORAGE_CLASSES.items(), key=lambda entry: entry[1]):
        yield f"| {name} | {uid} |"


def transfer_syntaxes() -> Iterator[str]:
    """Yield the lines of the table of transfer syntaxes (PS3.5 annex A)."""
    yield "| transfer syntax | UID | stored as sent | decoded | made when a peer cannot take the stored one |"
    yield "|---|---|---|---|---|"
    for syntax in SYNTAXES.values():
        made = "yes" if syntax.uid in LOSSLESS_TARGETS else "only when asked for" if syntax.uid in TARGETS else "no"
        yield f"| {syntax.name} | {syntax.uid} | yes | {'yes' if syntax.decodable else 'no'} | {made} |"


def deidentification() -> Iterator[str]:
    """Yield the lines of the table of options by profile (PS3.15 table E.1-1, PS3.16 CID 7050)."""
    profiles = [load(name) for name in BUILT_IN]
    yield f"| option | code | {' | '.join(f'`{profile.name}`' for profile in profiles)} |"
    yield "|---|---|" + "---|" * len(profiles)
    yield f"| Basic Profile | {BASIC_CODE} |" + " always |" * len(profiles)
    for name, option in OPTIONS.items():
        said = [declared(name) if name in one.options else "" for one in profiles]
        yield f"| {option.meaning.removesuffix(' Option')} | {option.code} | {' | '.join(said)} |"
    dates = " | ".join(profile.dates for profile in profiles)
    yield f"| Longitudinal Temporal Information Modified (0028,0303) | | {dates} |"


def statuses() -> Iterator[str]:
    """Yield the lines of the table of errors and what a peer is told."""
    yield "| error | DIMSE status | HTTP status | STOW-RS failure reason |"
    yield "|---|---|---|---|"
    for kind in _leaves(ExchangeError):
        error = kind.__new__(kind)
        yield f"| {kind.__name__} | {dimse_status(error):04X} | {http_status(error)} | {failure_reason(error):04X} |"


def _leaves(kind: type[ExchangeError]) -> Iterator[type[ExchangeError]]:
    for child in kind.__subclasses__():
        yield from _leaves(child) if child.__subclasses__() else (child,)


def worklist_keys() -> Iterator[str]:
    """Yield the lines of the table of worklist attributes (PS3.4 table K.6-1)."""
    yield "| attribute | tag | matched and returned |"
    yield "|---|---|---|"
    steps = (*worklist.STEP_ATTRIBUTES, "ScheduledProcedureStepStatus", "ScheduledProtocolCodeSequence")
    for name, keywords in (("", (*worklist.ATTRIBUTES, "RequestedProcedureCodeSequence")), ("in the step", steps)):
        for tag in sorted(TAG_OF[keyword] for keyword in keywords):
            yield f"| {KEYWORD_OF[tag]} | ({tag >> 16:04X},{tag & 0xFFFF:04X}) | yes{name and ', ' + name} |"


def query_attributes() -> Iterator[str]:
    """Yield the lines of the table of attributes that searches answer from the index."""
    yield "| level | attribute | tag | matched |"
    yield "|---|---|---|---|"
    for level, attributes in ATTRIBUTES.items():
        for keyword in (one.keyword for one in attributes):
            tag, by = TAG_OF[keyword], "by the index" if keyword in COLUMNS[level] else "among what the index finds"
            yield f"| {level} | {keyword} | ({tag >> 16:04X},{tag & 0xFFFF:04X}) | {by} |"


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "settings": settings,
    "commands": commands,
    "storage-classes": storage_classes,
    "transfer-syntaxes": transfer_syntaxes,
    "query-attributes": query_attributes,
    "deidentification": deidentification,
    "statuses": statuses,
    "associations": dimse_documents.associations,
    "presentation-contexts": dimse_documents.presentation_contexts,
    "rejections": dimse_documents.rejections,
    "tls-ciphers": dimse_documents.tls_ciphers,
    "worklist-keys": worklist_keys,
    "licences": licences,
}


def renewed(text: str) -> str:
    """Return a document with each of its generated tables made anew."""

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        lines = "\n".join(TABLES[name]())
        return f"<!-- begin {name} -->\n{lines}\n<!-- end {name} -->"

    return re.sub(r"<!-- begin (?P<name>[a-z-]+) -->.*?<!-- end (?P=name) -->", table, text, flags=re.DOTALL)


def main() -> None:
    """Rewrite the tables of every document."""
    for path in sorted(DOCUMENTS.glob("*.md")):
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
