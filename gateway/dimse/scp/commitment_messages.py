"""Data sets of storage commitment: N-ACTION's request and N-EVENT-REPORT's result (PS3.4 J.3.2.1, J.3.3.1). Pure."""

from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from gateway.dimse.upper_layer.commands import CommandSet, Field
from kernel.archive.commitment.requests import INSTANCES_MAX, Failure, Reference, Transaction
from kernel.dicom.scanning.elements import Element, Header
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import MEBIBYTE, Limits
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest, LimitExceeded

COMMITMENT_CLASS: Final = "1.2.840.10008.1.20.1"
COMMITMENT_INSTANCE: Final = "1.2.840.10008.1.20.1.1"  # the well-known one (PS3.4 J.3.5)
REQUEST_ACTION: Final = 1
ALL_COMMITTED, SOME_FAILED = 1, 2  # event types (PS3.4 J.3.3)

MESSAGE_BYTES_MAX: Final = 4 * MEBIBYTE
_LIMITS: Final = Limits(header_bytes_max=MESSAGE_BYTES_MAX, elements_max=10 * INSTANCES_MAX, depth_max=4)
_TRANSACTION_UID: Final = 0x00081195
_REFERENCED: Final = 0x00081199
_FAILED: Final = 0x00081198
_CLASS: Final = 0x00081150
_INSTANCE: Final = 0x00081155
_REASON: Final = 0x00081197


@dataclass(frozen=True, slots=True)
class Report:
    """What an SCP says of a transaction of ours."""

    transaction_uid: str
    committed: tuple[Reference, ...]
    failures: tuple[Failure, ...]


def read_request(data_set: bytes, transfer_syntax_uid: str) -> tuple[str, list[Reference]]:
    """Return (Transaction UID, instances), each instance once.

    Raises
    ------
    InvalidRequest, InvalidIdentifier, MalformedInstance
        Something is missing or no UID.
    LimitExceeded
        More than INSTANCES_MAX.
    """
    header = scan(data_set, transfer_syntax_uid, limits=_LIMITS)
    references = [Reference(*_pair(header, item)) for item in _items(header, _REFERENCED)]
    if not references:
        raise InvalidRequest(reason="Referenced SOP Sequence is missing or empty")
    return _transaction_uid(header), list({one.sop_instance_uid: one for one in references}.values())


def write_request(transaction_uid: str, references: list[Reference], transfer_syntax_uid: str) -> bytes:
    """Encode the Action Information of a request."""
    ds = Dataset()
    ds.TransactionUID = transaction_uid
    ds.ReferencedSOPSequence = [_item(one.sop_class_uid, one.sop_instance_uid) for one in references]
    return encoded(ds, transfer_syntax_uid)


def read_report(data_set: bytes, transfer_syntax_uid: str) -> Report:
    """Return what an SCP reports. Raises as `read_request`."""
    header = scan(data_set, transfer_syntax_uid, limits=_LIMITS)
    committed = tuple(Reference(*_pair(header, item)) for item in _items(header, _REFERENCED))
    failures = tuple(Failure(*_pair(header, item), _reason(header, item)) for item in _items(header, _FAILED))
    return Report(_transaction_uid(header), committed, failures)


def write_report(one: Transaction, retrieve_ae_title: str, transfer_syntax_uid: str) -> tuple[int, bytes]:
    """Return the event type and the encoded Event Information of a decided transaction."""
    ds = Dataset()
    ds.TransactionUID = one.asked.transaction_uid
    ds.RetrieveAETitle = retrieve_ae_title
    if one.committed:
        ds.ReferencedSOPSequence = [_item(each.sop_class_uid, each.sop_instance_uid) for each in one.committed]
    if one.failures:
        ds.FailedSOPSequence = [_item(each.sop_class_uid, each.sop_instance_uid) for each in one.failures]
        for item, each in zip(ds.FailedSOPSequence, one.failures, strict=True):
            item.FailureReason = each.reason
    return SOME_FAILED if one.failures else ALL_COMMITTED, encoded(ds, transfer_syntax_uid)


def event_command(event_type: int) -> CommandSet:
    """Return the command of a report."""
    return {
        "CommandField": int(Field.N_EVENT_REPORT_RQ),
        "AffectedSOPClassUID": COMMITMENT_CLASS,
        "AffectedSOPInstanceUID": COMMITMENT_INSTANCE,
        "EventTypeID": event_type,
    }


def encoded(ds: Dataset, transfer_syntax_uid: str) -> bytes:
    """Encode a small data set of ours in one of the three plain transfer syntaxes."""
    stream = DicomBytesIO()
    stream.is_little_endian = transfer_syntax_uid != EXPLICIT_VR_BIG_ENDIAN
    stream.is_implicit_VR = transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN
    write_dataset(stream, ds)
    return stream.getvalue()


def _transaction_uid(header: Header) -> str:
    return check_uid(_text(header.raw(_TRANSACTION_UID)), "TransactionUID")


def _items(header: Header, tag: int) -> list[dict[int, Element]]:
    element = header.get(tag)
    items = element.items if element is not None and element.items is not None else ()
    if len(items) > INSTANCES_MAX:
        raise LimitExceeded(limit="INSTANCES_MAX", value=len(items), bound=INSTANCES_MAX)
    return [{one.tag: one for one in item.elements} for item in items]


def _pair(header: Header, item: dict[int, Element]) -> tuple[str, str]:
    return (
        check_uid(_value(header, item, _CLASS), "ReferencedSOPClassUID"),
        check_uid(_value(header, item, _INSTANCE), "ReferencedSOPInstanceUID"),
    )


def _value(header: Header, item: dict[int, Element], tag: int) -> str:
    return _text(header.value(item[tag])) if tag in item and item[tag].items is None else ""


def _reason(header: Header, item: dict[int, Element]) -> int:
    return int.from_bytes(header.value(item[_REASON])[:2], "little") if _REASON in item else 0


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip(" \0")


def _item(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item
