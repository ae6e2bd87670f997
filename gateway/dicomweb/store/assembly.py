"""Instances put together from metadata and the bulk data that it refers to (PS3.18 10.5.2).

A bulk data part belongs to one instance, so what is written is never more than what was sent. The transfer syntax of an
instance is that of its pixel data's parts. What cannot be put together is kept in quarantine as it was sent. In memory
are one metadata part and one data set at a time.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec

from gateway.dicomweb.http.media import MediaType
from gateway.dicomweb.store.bulk_types import pixel_syntax, text_of
from gateway.dicomweb.store.taking import Takings
from kernel.archive.blobs.spool import Span
from kernel.archive.blobs.stage import Stage
from kernel.archive.records import Staged
from kernel.dicom.models.json_encoder import encode
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.pixels.described import DESCRIBED_BYTES, described
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import ExchangeError, LimitExceeded, Refused

_BETWEEN: Final = re.compile(r"[\s,]*")  # the values of an array
METADATA_BYTES_MAX: Final = (
    16 * 1024 * 1024
)  # of one metadata part, which is read into memory, at most some 15 times as large


@dataclass(frozen=True, slots=True)
class SpooledPart:
    """One part of a body, complete."""

    media_type: MediaType
    span: Span

    @property
    def is_xml(self) -> bool:
        """Whether it is metadata as XML."""
        return self.media_type.name.endswith("xml")


class Assembly:
    """Puts the instances of one body together; `bulk` has its parts by their Content-Location."""

    def __init__(self, takings: Takings, bulk: dict[str, list[SpooledPart]], *, instances_max: int) -> None:
        self._takings = takings
        self._taker = takings.taker
        self._bulk = bulk
        self._instances_max = instances_max
        self._count = 0

    def take(self, part: SpooledPart) -> None:
        """Put together the instances of one metadata part.

        Raises
        ------
        LimitExceeded
            The body has more than `instances_max`; those before stay.
        """
        if part.span.size_bytes > METADATA_BYTES_MAX:
            self._takings.fail(exceeded("METADATA_BYTES_MAX", part.span.size_bytes, METADATA_BYTES_MAX))
            return
        content = part.span.read()
        try:
            documents = [content] if part.is_xml else _data_sets(content, self._instances_max)
        except LimitExceeded:
            raise
        except Refused as refusal:
            self._keep_apart(content, {}, refusal)
            return
        for document in documents:
            self._counted()
            self._assemble(document, is_xml=part.is_xml)

    def _assemble(self, document: bytes, *, is_xml: bool) -> None:
        model: dict[str, Any] = {}
        try:
            model = from_xml(document) if is_xml else _model(document)
            syntax, parts = self._pixels(model)
            if parts and SYNTAXES[syntax].encapsulated:
                model = _completed(model, syntax, parts)
            pieces = encode(model, self._take_bulk, encapsulated=SYNTAXES[syntax].encapsulated)
            self._write(model, syntax, pieces)
        except Refused as refusal:
            self._keep_apart(document, model, refusal)
        except Exception as error:  # noqa: BLE001 (this instance fails, its neighbours do not; the result carries it)
            self._takings.fail(error)

    def _write(self, model: dict[str, Any], syntax: str, pieces: Iterator[bytes]) -> None:
        stage = self._taker.blobs.stage(text_of(model, "00080016"), text_of(model, "00080018"), syntax)
        try:
            staged = _written(stage, pieces, self._taker.instance_bytes_max)
        except BaseException:
            stage.discard()
            raise
        self._takings.take(staged, None)

    def _keep_apart(self, document: bytes, model: dict[str, Any], refusal: Refused) -> None:
        try:
            stage = self._taker.blobs.stage(_uid_of(model, "00080016"), _uid_of(model, "00080018"), "")
            stage.write(document)
            self._takings.take(stage.finish(), refusal)
        except ExchangeError as error:
            self._takings.fail(error)

    def _pixels(self, model: dict[str, Any]) -> tuple[str, list[SpooledPart]]:
        """Return the transfer syntax of an instance, and the parts of its pixel data."""
        element = model.get("7FE00010")
        uri = cast("dict[str, Any]", element).get("BulkDataURI") if isinstance(element, dict) else None
        parts = self._bulk.get(str(uri), [])
        return pixel_syntax([part.media_type for part in parts], text_of(model, "00020010")), parts

    def _take_bulk(self, uri: str) -> list[Span]:
        """Return the parts of a name, for the one instance that refers to it."""
        parts = self._bulk.pop(uri, None)
        if parts is None:
            raise malformed("its bulk data is not in the message, or belongs to another instance in it")
        return [part.span for part in parts]

    def _counted(self) -> None:
        self._count += 1
        if self._count > self._instances_max:
            raise exceeded("instances of a body", self._count, self._instances_max)


def _completed(model: dict[str, Any], syntax: str, parts: Sequence[SpooledPart]) -> dict[str, Any]:
    """Return a model with what it leaves out and its compressed frames say (PS3.18 10.5.2); what it says stays."""
    said = described(parts[0].span.head(DESCRIBED_BYTES), syntax)
    if len(parts) > 1:
        said["00280008"] = {"vr": "IS", "Value": [len(parts)]}
    present = {key.upper() for key in model}
    return model | {key: element for key, element in said.items() if key not in present}


def _written(stage: Stage, pieces: Iterator[bytes], bytes_max: int) -> Staged:
    for piece in pieces:
        stage.write(piece)
        if stage.size_bytes > bytes_max:
            raise LimitExceeded(limit="instance_bytes_max", value=stage.size_bytes, bound=bytes_max)
    return stage.finish()


def _uid_of(model: dict[str, Any], key: str) -> str:
    """Return a UID for the answer; nothing where there is none, as what stands there may be anything."""
    try:
        return check_uid(text_of(model, key), key)
    except Refused:
        return ""


def _data_sets(content: bytes, most: int) -> list[bytes]:
    """Return the data sets of a JSON part, each still encoded: they are decoded one after the other.

    Raises
    ------
    LimitExceeded
        They are more than `most`; an array of millions of nothing would take fifty times its size otherwise.
    """
    try:
        if content.lstrip()[:1] == b"[":
            if content.count(b",") >= most:
                _check_count(content.decode("utf-8"), most)
            return [bytes(one) for one in msgspec.json.decode(content, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
        raise malformed("it is no DICOM JSON") from None
    return [content]


def _check_count(text: str, most: int) -> None:
    """Read the values of an array one by one and keep none of them."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    position, count = text.index("[") + 1, 0
    while (position := _BETWEEN.match(text, position).end()) < len(text) and text[position] != "]":  # pyright: ignore[reportOptionalMemberAccess] (it matches nothing, too)
        count += 1
        if count > most:
            raise exceeded("instances of a body", count, most)
        _, position = decoder.raw_decode(text, position)


def _model(document: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise malformed("it is no DICOM JSON") from None
