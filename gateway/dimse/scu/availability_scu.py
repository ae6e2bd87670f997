"""Instance Availability Notification SCU: tell a destination that a study can be had here (PS3.4 R.3.2)."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydicom import Dataset

from gateway.dimse.scp.commitment_messages import encoded
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line
from gateway.dimse.upper_layer.commands import Field
from gateway.status import SUCCESS
from kernel.archive.commitment.requests import Reference
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from routing.transport import Cause

AVAILABILITY_CLASS: Final = "1.2.840.10008.5.1.4.33"
ONLINE: Final = "ONLINE"
_PAIRS: Final = tuple((AVAILABILITY_CLASS, uid) for uid in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))


def tell_available(
    target: Target,
    notification_uid: str,
    study_instance_uid: str,
    by_series: Mapping[str, Sequence[Reference]],
    retrieve_ae_title: str,
) -> None:
    """Send one N-CREATE for a study.

    Raises
    ------
    Lost
        The destination cannot be reached, does not offer the service, or refuses the notification.
    """
    line = Line(target, _PAIRS)
    try:
        context = line.context(AVAILABILITY_CLASS)
        if context is None:
            raise Lost(Cause.POISON, "context", "it does not offer instance availability notification")
        command = {
            "CommandField": int(Field.N_CREATE_RQ),
            "AffectedSOPClassUID": AVAILABILITY_CLASS,
            "AffectedSOPInstanceUID": notification_uid,
        }
        ds = notification(study_instance_uid, by_series, retrieve_ae_title)
        status = line.request(context, command, encoded(ds, context.transfer_syntax)).status
        if status != SUCCESS:
            raise Lost(Cause.POISON, f"{status:04X}", f"N-CREATE status {status:04X}")
    finally:
        line.release()


def notification(
    study_instance_uid: str, by_series: Mapping[str, Sequence[Reference]], retrieve_ae_title: str
) -> Dataset:
    """Return the attributes of a notification (PS3.4 table R.3.2-1)."""
    ds = Dataset()
    ds.StudyInstanceUID = study_instance_uid
    ds.ReferencedPerformedProcedureStepSequence = []
    ds.ReferencedSeriesSequence = []
    for series_instance_uid, references in by_series.items():
        series = Dataset()
        series.SeriesInstanceUID = series_instance_uid
        series.ReferencedSOPSequence = [_item(one, retrieve_ae_title) for one in references]
        ds.ReferencedSeriesSequence.append(series)
    return ds


def _item(one: Reference, retrieve_ae_title: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class_uid
    item.ReferencedSOPInstanceUID = one.sop_instance_uid
    item.InstanceAvailability = ONLINE
    item.RetrieveAETitle = retrieve_ae_title
    return item
