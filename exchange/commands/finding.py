"""`vienanh find`: ask another PACS what it has, by C-FIND or QIDO-RS."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, get_args

import typer

from exchange.terminal.peer import Ca, Certificate, Key, Secure, Tls, TlsName, target_of
from exchange.terminal.screen import out, table
from gateway.dicomweb.client.finding import Service, search
from gateway.dicomweb.client.silence import believing
from gateway.dicomweb.search.query import path_of
from gateway.dimse.scp.find_identifier import Matching
from gateway.dimse.scu.find_scu import Level, Question, find
from kernel.dicom.queries.identifier import Model, texts
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, TAG_OF

TOKEN_BYTES_MAX: Final = 8192
SHOWN: Final[Mapping[Level, Sequence[str]]] = {
    "PATIENT": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "STUDY": (
        "PatientName", "PatientID", "StudyDate", "StudyTime", "ModalitiesInStudy", "AccessionNumber",
        "StudyDescription", "NumberOfStudyRelatedInstances", "StudyInstanceUID",
    ),
    "SERIES": (
        "Modality", "SeriesNumber", "SeriesDescription", "NumberOfSeriesRelatedInstances", "SeriesInstanceUID",
    ),
    "IMAGE": ("InstanceNumber", "SOPClassUID", "SOPInstanceUID"),
}  # fmt: skip
Path_ = tuple[int, ...]


def find_elsewhere(
    keys: Annotated[
        list[str] | None, typer.Argument(help="KEY=VALUE to match, KEY to be told; dots go into sequences.")
    ] = None,
    peer: Annotated[str, typer.Option("--from", help="The PACS that is asked, AE@HOST:PORT.")] = "",
    dicomweb: Annotated[str, typer.Option(help="Instead: the URL of a DICOMweb service.")] = "",
    level: Annotated[str, typer.Option(help="patient, study, series or image.")] = "study",
    root: Annotated[str, typer.Option(help="Information model of C-FIND: study or patient.")] = "study",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most matches to ask for.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print DICOM JSON instead of a table.")] = False,
    fuzzy: Annotated[
        bool, typer.Option("--fuzzy", help="Find names by their words, where the other side can.")
    ] = False,
    calling: Annotated[str, typer.Option("--as", help="Our own AE title.")] = "VIENANH-SCU",
    token_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File of the bearer token.")
    ] = None,
    timeout_s: Annotated[float, typer.Option(min=1, help="Seconds the other side may be silent.")] = 60.0,
    tls: Tls = False,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    tls_name: TlsName = "",
) -> None:
    """Ask another PACS what it has: vienanh find PatientName='nguyen*' StudyDate=20261101- --from PACS@10.0.0.5:104."""
    asked, at = _read(keys or []), _level(level)
    if bool(peer) == bool(dicomweb):
        raise typer.BadParameter("give --from AE@HOST:PORT or --dicomweb URL", param_hint="--from")
    told = asked | {(TAG_OF[keyword],): "" for keyword in SHOWN[at] if (TAG_OF[keyword],) not in asked}
    if peer:
        if root not in ("study", "patient"):
            raise typer.BadParameter("must be study or patient", param_hint="--root")
        target = target_of(peer, "--from", calling, timeout_s, Secure(tls, ca, certificate, key, tls_name))
        matching = frozenset[Matching](("fuzzy",) if fuzzy else ())
        question = Question(at, told, "patient" if root == "patient" else "study", matching)
        found = find(target, question, most=limit)
    else:
        believed = believing("find", ca, setting="--ca")
        found = _by_dicomweb(Service(dicomweb, timeout_s, _token(token_file), believed), at, told, limit, fuzzy=fuzzy)
    _show(list(found), at, asked, as_json=as_json)


def _by_dicomweb(
    service: Service, level: Level, keys: Mapping[Path_, str], most: int, *, fuzzy: bool
) -> Iterator[Model]:
    if level == "PATIENT":
        raise typer.BadParameter("DICOMweb has no patients of their own", param_hint="--level")
    names = {".".join(f"{tag:08X}" for tag in path): text for path, text in keys.items()}
    usual = {f"{TAG_OF[keyword]:08X}" for keyword in SHOWN[level]}
    parameters = [(name, text) for name, text in names.items() if text]
    parameters += [("includefield", name) for name, text in names.items() if not text and name not in usual]
    parameters += [("fuzzymatching", "true")] if fuzzy else []
    return search(service, level, parameters, most=most)


def _read(keys: Sequence[str]) -> dict[Path_, str]:
    asked: dict[Path_, str] = {}
    for key in keys:
        name, _, text = key.partition("=")
        path = path_of(name.strip())
        if path is None:
            raise typer.BadParameter(f"{name.strip()} is no keyword of PS3.6 and no tag", param_hint="KEY=VALUE")
        asked[path] = text.strip()
    return asked


def _level(text: str) -> Level:
    for level in get_args(Level):
        if level == text.upper() or (level == "IMAGE" and text.lower() == "instance"):
            return level
    raise typer.BadParameter("must be patient, study, series or image", param_hint="--level")


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    with file.open("rb") as content:
        return content.read(TOKEN_BYTES_MAX).decode("ascii", "replace").strip()


def _show(found: Sequence[Model], level: Level, asked: Mapping[Path_, str], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(found, ensure_ascii=False))
        return
    more = [KEYWORD_OF.get(path[0], f"{path[0]:08X}") for path in asked]
    columns = list(dict.fromkeys([*SHOWN[level], *more]))
    rows = [[_cell(model, keyword) for keyword in columns] for model in found]
    table(columns, rows)


def _cell(model: Model, keyword: str) -> str:
    tag = TAG_OF.get(keyword) or int(keyword, 16)
    element = model.get(f"{tag:08X}")
    if element is not None and element.get("vr") == "SQ":
        return f"{len(element.get('Value', ()))} items"
    # a stranger's text: no control characters
    return "".join(one if one.isprintable() else " " for one in "\\".join(texts(element)))
