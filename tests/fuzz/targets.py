"""Every parser that reads what strangers send, as a function of bytes that may refuse and may do nothing else.

`test_targets.py` runs each on damaged seeds in the check; `python -m tests.fuzz` lets a coverage-guided fuzzer loose.
A new parser gets a row here.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

import numpy as np

from anonymizer.engine.engine import deidentify
from anonymizer.profiles import profile
from anonymizer.pseudonyms import keys
from anonymizer.residue import search as residue
from consult import performed, workitem
from consult.stations import Stations
from consult.workitem_model import checked as checked_workitem
from gateway.dicomweb.http.media import parse_accept, parse_media_type
from gateway.dicomweb.http.multipart import MultipartParser
from gateway.dicomweb.http.ranges import spans_of
from gateway.dicomweb.search.query import parse as parse_query
from gateway.dicomweb.ups.ups_query import filter_keys
from gateway.dicomweb.ups.ups_query import parse as parse_workitem_query
from gateway.dimse.scp.commitment_messages import Reference, read_request, write_request
from gateway.dimse.scp.find_identifier import read_find
from gateway.dimse.upper_layer import commands, pdu, user_items, wire
from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.indications import ReleaseRequested, Requested
from gateway.dimse.upper_layer.pdu import BadPDU, Kind
from gateway.hl7.message import parse as parse_hl7
from gateway.hl7.mllp import Deframer, framed
from gateway.hl7.orders import changes as order_changes
from kernel.dicom.models import plain
from kernel.dicom.models.json_encoder import encode
from kernel.dicom.models.json_model import from_json, to_json
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.pixels.codestream import stream_size
from kernel.dicom.pixels.frames import locate_frames
from kernel.dicom.pixels.image import display, image_pixel
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.queries.identifier import fits
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.scanning.attributes import read_attributes
from kernel.dicom.scanning.mending import mended
from kernel.dicom.scanning.part10 import open_dataset, read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import ExchangeError
from tests.dimse import scripts
from tests.support.builders import a_ct
from tests.support.odd_files import ODD
from tests.support.workitems import a_workitem
from tests.wsi.builders import an_svs
from tests.wsi.dicom_builders import Place, a_header, a_volume, as_file, index_of, placed
from tests.wsi.segment_builders import SPACE, a_segmentation
from tests.wsi.segment_builders import read as read_segmentation
from wsi.segment_places import laid_on
from wsi.segment_tiles import TilePlace, cost, drawn, sight
from wsi.tiff_slide import index_tiff
from wsi.tile_index import SlideIndex

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dicom"
SEED_BYTES_MAX = 24 * 1024
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REFUSALS = (ExchangeError, BadPDU, commands.BadCommand)
_KEYS = keys.derive(b"\7" * 32, site="FUZZ")


_SAMPLES_MAX = 1 << 22  # that are drawn of one input


class Target(NamedTuple):
    """One parser and examples of what it reads."""

    run: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]


def _instances() -> list[bytes]:
    files = [file.read_bytes() for file in sorted(FIXTURES.glob("*.dcm"))]
    return [content for content in files if len(content) <= SEED_BYTES_MAX]


def _data_sets() -> list[bytes]:
    """Return data sets behind one byte that says which transfer syntax they are in."""
    order = list(SYNTAXES)
    found = []
    for content in _instances():
        try:
            meta = read_file_meta(content)
        except ExchangeError:
            continue
        if meta.transfer_syntax_uid in SYNTAXES:
            found.append(bytes([order.index(meta.transfer_syntax_uid)]) + content[meta.dataset_offset :])
    return found


def _with_syntax(data: bytes) -> tuple[bytes, str]:
    order = list(SYNTAXES)
    return data[1:], order[data[0] % len(order)] if data else EXPLICIT_VR_LITTLE_ENDIAN


def _scan(data: bytes) -> None:
    """Scan and do all that is done with a header that was just received."""
    content, syntax = _with_syntax(data)
    header = scan(content, syntax)
    to_json(header)
    read_attributes(header, transfer_syntax_uid=syntax)
    image = image_pixel(header)
    display(header, image)
    if not header.reencoded:
        locate_frames(content, header, image).read(content, 0)


def _scan_prefix(data: bytes) -> None:
    content, syntax = _with_syntax(data)
    scan(content, syntax, prefix=True)


def _reencode(data: bytes) -> None:
    content, syntax = _with_syntax(data)
    deflated = SYNTAXES[syntax].deflated
    to_explicit_little_endian(content, syntax if deflated else EXPLICIT_VR_BIG_ENDIAN)


def _deidentify(data: bytes) -> None:
    made = deidentify(data, profile=profile.load("tele-read"), keys=_KEYS, issuer="FUZZ")
    meta = read_file_meta(data)
    header = scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    residue.find(made.header_bytes, residue.needles_of(header))


def _open(data: bytes) -> None:
    open_dataset(data, stop_before_pixels=True)


def _mend(data: bytes) -> None:
    content = mended(data)
    meta = read_file_meta(content)
    scan(content, meta.transfer_syntax_uid, offset=meta.dataset_offset)


def _odd_files() -> list[bytes]:
    return [make(a_ct(rows=16, columns=16)) for make in ODD.values()]


def _file_meta(data: bytes) -> None:
    read_file_meta(data)


def _converse(data: bytes) -> None:
    """Hear a conversation as a node would that takes everything."""
    acceptor = Acceptor()
    for event in acceptor.receive(memoryview(data)):
        if isinstance(event, Requested):
            if all(context.transfer_syntaxes for context in event.request.contexts):
                acceptor.accept(scripts.accept_all(event.request))
            else:
                acceptor.reject(pdu.AssociateReject(1, 1, 1))
        elif isinstance(event, ReleaseRequested):
            acceptor.release()


def _conversations() -> list[bytes]:
    request = wire.encode(scripts.an_associate_request())
    data_set = next(iter(_data_sets()))[1:2000]
    return [
        request + scripts.a_message(scripts.a_store_request(), data_set) + b"\x05\0\0\0\0\4\0\0\0\0",
        request + scripts.a_message(scripts.an_echo_request(), context_id=1),
    ]


def _association(data: bytes) -> None:
    if data:
        kinds = [kind for kind in Kind if kind is not Kind.P_DATA]
        wire.decode(kinds[data[0] % len(kinds)], data[1:])


def _associations() -> list[bytes]:
    kinds = [kind for kind in Kind if kind is not Kind.P_DATA]
    return [bytes([kinds.index(Kind.ASSOCIATE_RQ)]) + wire.encode(scripts.an_associate_request())[6:]]


def _multipart(data: bytes) -> None:
    """Feed a body in pieces of the size that its first byte says."""
    step = max(1, data[0] if data else 1)
    parser = MultipartParser(b"x")
    for start in range(1, len(data), step):
        for _ in parser.feed(data[start : start + step]):
            pass
    parser.finish()


def _bodies() -> list[bytes]:
    part = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + b"\0" * 40 + b"\r\n"
    return [b"\x40preamble\r\n" + part * 2 + b"--x--\r\n", b"\1" + part + b"--x--"]


def _media(data: bytes) -> None:
    text = data.decode("latin-1")
    parse_accept(text)
    parse_media_type(text)


def _match(data: bytes) -> None:
    vr, _, text = data.decode("utf-8", "replace").partition(":")
    parse_key("PatientName", vr[:2] or "LO", text)


def _from_json(data: bytes) -> None:
    try:
        model = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(model, dict):
        from_json(model)


def _models() -> list[bytes]:
    found = []
    for data in _data_sets():
        with contextlib.suppress(ExchangeError):
            found.append(to_json(scan(*_with_syntax(data))))
    return found[:8]


def _store_json(data: bytes) -> None:
    """Encode what a stranger stores as JSON; its bulk data is not there."""
    try:
        model = json.loads(data)
    except (ValueError, RecursionError):
        return
    for piece in encode(model, lambda _: ()):
        assert len(piece) < 1 << 24


def _identifier(data: bytes) -> None:
    """Read what a C-FIND asks for; the first byte says what was negotiated."""
    model = plain.read(data[1:], EXPLICIT_VR_LITTLE_ENDIAN)
    read_find(model, "study", bytes(data[0] >> bit & 1 for bit in range(7)) if data else b"", 420)


def _identifiers() -> list[bytes]:
    name = {"vr": "PN", "Value": [{"Alphabetic": "NGUYỄN*"}]}
    day = {"vr": "DA", "Value": ["20200101-"]}
    inside = {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}]}
    model = {"00080052": {"vr": "CS", "Value": ["STUDY"]}, "00100010": name, "00080020": day, "00400275": inside}
    return [b"\x7f" + plain.write(model, EXPLICIT_VR_LITTLE_ENDIAN)]


def _commitment(data: bytes) -> None:
    read_request(data, EXPLICIT_VR_LITTLE_ENDIAN)


def _commitments() -> list[bytes]:
    return [write_request("2.25.1", [Reference(scripts.CT, "1.2.3"), Reference(scripts.CT, "1.2.4")], scripts.EXPLICIT)]


def _hl7(data: bytes) -> None:
    deframer = Deframer(64 * 1024)
    for message in deframer.receive(data):
        order_changes(parse_hl7(message), Stations())


def _messages() -> list[bytes]:
    order = (
        "MSH|^~\\&|HIS|BV|VIENANH|BV|20261122||ORM^O01|1|P|2.3.1||||||UNICODE UTF-8",
        "PID|1||BN1^^^BV^MR||Nguyễn^Thị^Hương||19700101|F",
        "ORC|NW|PL1|F1||||1^^^20261122083000^^R",
        "OBR|1|PL1|F1|CT^CT sọ não^L||||||||||||B1^Lê||A1|RP1|SPS1||||CT|||1^^^20261122083000",
        "ZDS|1.2.3^VIENANH^Application^DICOM",
    )
    return [framed("\r".join(order).encode())]


def _performed(data: bytes) -> None:
    """Let a modality say that it began, and the same again at the end."""
    model = plain.read(data, EXPLICIT_VR_LITTLE_ENDIAN)
    end = {**model, performed.STATUS: {"vr": "CS", "Value": ["COMPLETED"]}}
    performed.changed(performed.begun(model), end)


def _performances() -> list[bytes]:
    values = {"PerformedProcedureStepID": "1", "PerformedStationAETitle": "CT1", "Modality": "CT"}
    values |= {"PerformedProcedureStepStartDate": "20261122", "PerformedProcedureStepStartTime": "08"}
    values |= {"PerformedProcedureStepEndDate": "20261122", "PerformedProcedureStepEndTime": "09"}
    values |= {"PerformedProcedureStepStatus": "IN PROGRESS"}
    model = {f"{TAG_OF[name]:08X}": {"vr": VR_OF[TAG_OF[name]], "Value": [text]} for name, text in values.items()}
    uid = {"vr": "UI", "Value": ["1.2.3"]}
    series = {"0020000E": uid, "00081140": {"vr": "SQ", "Value": [{"00081150": uid, "00081155": uid}]}}
    model |= {"00400270": {"vr": "SQ", "Value": [{"0020000D": uid}]}, "00400340": {"vr": "SQ", "Value": [series]}}
    return [plain.write(dict(sorted(model.items())), EXPLICIT_VR_LITTLE_ENDIAN)]


def _workitem(data: bytes) -> None:
    """Create a work item of what a stranger sends, and change it by the same."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return
    model = checked_workitem(content)
    made, _ = workitem.created(model, "1.2.3", NOON)
    workitem.updated(made, model, "", workitem.transaction_of(model), NOON)


def _workitem_query(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    parse_workitem_query(parse_qsl(text, keep_blank_values=True), 100)


def _workitem_filter(data: bytes) -> None:
    fits(filter_keys(data.decode("utf-8", "replace")), a_workitem())


def _query(data: bytes) -> None:
    parse_query(parse_qsl(data.decode("latin-1"), keep_blank_values=True), "study", 100)


def _slide_seeds() -> list[bytes]:
    places = [Place(1, 1), Place(65, 1)]
    sparse = as_file(placed(a_header(128, 64, 64, 2), places), [b"one.", b"two."], table="basic")
    return [a_volume(128, 64, table=table) for table in ("extended", "basic", "none")] + [sparse]


def _segmentation(data: bytes) -> None:
    """Read a segmentation, lay it on a slide, and draw what is seen of it."""
    one = read_segmentation(data)
    laid = one if isinstance(one, str) else laid_on(_segmented_slide(), SPACE, (), one)
    if isinstance(one, str) or isinstance(laid, str):
        return
    seen = sight(one, laid, TilePlace(0, 0, 0))
    if cost(one, seen) <= _SAMPLES_MAX:
        with open_pixels(data) as pixels:
            drawn(one, laid, seen, pixels.samples)


@cache
def _segmented_slide() -> SlideIndex:
    return index_of(a_volume(128, 64))


def _segmentations() -> list[bytes]:
    mask = np.eye(48, 64, dtype=np.uint8)
    kinds = [({1: mask, 2: mask}, "BINARY"), ({1: mask * 90}, "FRACTIONAL"), ({0: mask}, "LABELMAP")]
    return [
        a_segmentation(masks, kind=kind, full=full, labels=[1, 2]) for masks, kind in kinds for full in (False, True)
    ]


TARGETS: Mapping[str, Target] = {
    "scan": Target(_scan, _data_sets),
    "scan-prefix": Target(_scan_prefix, _data_sets),
    "reencode": Target(_reencode, _data_sets),
    "file-meta": Target(_file_meta, _instances),
    "pydicom": Target(_open, _instances),
    "mend": Target(_mend, _odd_files),
    "deidentify": Target(_deidentify, _instances),
    "codestream": Target(stream_size, _data_sets),
    "json": Target(_from_json, _models),
    "match": Target(_match, lambda: [b"PN:NGUY*^?", b"DA:20200101-20211231", b"UI:1.2.3\\1.2.4", b"TM:-1200"]),
    "association": Target(_association, _associations),
    "conversation": Target(_converse, _conversations),
    "command": Target(commands.decode, lambda: [commands.encode(scripts.a_store_request())]),
    "multipart": Target(_multipart, _bodies),
    "user-information": Target(user_items.decode, lambda: [user_items.encode(scripts.USER)]),
    "xml": Target(from_xml, lambda: [to_xml(model) for model in _models()]),
    "store-json": Target(_store_json, _models),
    "identifier": Target(_identifier, _identifiers),
    "commitment": Target(_commitment, _commitments),
    "hl7": Target(_hl7, _messages),
    "performed": Target(_performed, _performances),
    "workitem": Target(_workitem, lambda: [json.dumps(a_workitem()).encode()]),
    "workitem-query": Target(_workitem_query, lambda: [b"PatientName=ng*&00741000=SCHEDULED&limit=5&includefield=all"]),
    "workitem-filter": Target(_workitem_filter, lambda: [b"PatientName=ng*,00741000=SCHEDULED"]),
    "query": Target(
        _query, lambda: [b"PatientName=NGUYEN*&StudyDate=20200101-&includefield=all&limit=5&ModalitiesInStudy=CT"]
    ),
    "dicom-slide": Target(index_of, _slide_seeds),
    "segmentation": Target(_segmentation, _segmentations),
    "tiff-slide": Target(index_tiff, lambda: [an_svs(), an_svs(big=True)]),
    "ranges": Target(lambda data: spans_of(data.decode("latin-1"), 1000), lambda: [b"bytes=0-99,200-,-5"]),
    "media": Target(_media, lambda: [b'multipart/related; type="application/dicom"; transfer-syntax=*; q=0.5']),
}


def holds(target: Target, data: bytes) -> bool:
    """Run a target and return whether it answered; a refusal is as good, anything else is raised."""
    try:
        target.run(data)
    except REFUSALS:
        return False
    return True
