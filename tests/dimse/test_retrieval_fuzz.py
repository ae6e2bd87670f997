"""Whatever a peer sends as an identifier, a request for commitment or a report, there is an answer and no crash."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gateway.dicomweb.commitment import read_references
from gateway.dimse.scp.commitment_messages import encoded, read_report, read_request
from gateway.dimse.scp.retrieve_identifier import LEVELS, read_wanted
from kernel.errors import ExchangeError
from tests.dimse.commitment_modality import a_request, reference
from tests.dimse.test_get import an_identifier
from tests.support.builders import a_ct_series

SYNTAXES = st.sampled_from([str(ImplicitVRLittleEndian), str(ExplicitVRLittleEndian), str(ExplicitVRBigEndian)])


def a_report() -> Dataset:
    ds = a_request(a_ct_series(2))
    ds.FailedSOPSequence = [reference("1.2", "1.3")]
    ds.FailedSOPSequence[0].FailureReason = 0x0112
    return ds


VALID = st.sampled_from(
    [
        an_identifier("STUDY", StudyInstanceUID=["1.2", "1.3"]),
        an_identifier("IMAGE", PatientID="1", StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID="1.4"),
        a_request(a_ct_series(2)),
        a_report(),
    ]
)


@st.composite
def damaged(draw) -> tuple[bytes, str]:
    """An encoded data set with some bytes changed, or cut off; or any bytes."""
    syntax = draw(SYNTAXES)
    data = bytearray(encoded(draw(VALID), syntax))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]), draw(SYNTAXES)


@given(st.one_of(damaged(), st.tuples(st.binary(max_size=200), SYNTAXES)), st.sampled_from(list(LEVELS)))
def test_what_is_no_data_set_is_refused_by_an_error_of_ours(sent, root):
    data, syntax = sent
    for read in (
        lambda: read_wanted(data, syntax, root),
        lambda: read_request(data, syntax),
        lambda: read_report(data, syntax),
    ):
        with suppress(ExchangeError):
            read()


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_what_is_no_dicom_json_or_xml_is_refused_by_an_error_of_ours(body):
    for content_type in ("application/dicom+json", "application/dicom+xml"):
        with pytest.raises(ExchangeError):
            read_references(body, content_type)


@given(SYNTAXES)
def test_a_report_reads_back_as_it_was_written(syntax):
    report = read_report(encoded(a_report(), syntax), syntax)

    assert report.transaction_uid == "1.2.840.99.1"
    assert [one.sop_instance_uid for one in report.committed] == [ds.SOPInstanceUID for ds in a_ct_series(2)]
    assert [(one.sop_instance_uid, one.reason) for one in report.failures] == [("1.3", 0x0112)]
