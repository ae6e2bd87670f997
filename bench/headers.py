"""A header as scanners write it: what `bench.slices` has, and the acquisition, orders, references and private blocks beside it.

Some 170 elements, 30 of them private, with sequences within sequences: between those of a Toshiba (108), a Philips (218) and
a GE (268) CT that were counted. A de-identifier's work is there, and a thin header flatters those that are slow by element.
"""

from pydicom.dataset import Dataset

_ACQUISITION: dict[str, object] = {
    "InstanceCreationDate": "20261122", "InstanceCreationTime": "081512.345", "AcquisitionTime": "081510", "ContentTime": "081511",
    "InstitutionAddress": "Thon 3, xa Cam Xuyen", "ReferringPhysicianName": "Doan^Minh Tuan", "StationName": "CT1",
    "InstitutionalDepartmentName": "Khoa CDHA", "PhysiciansOfRecord": "Le^Van Binh", "OperatorsName": "KTV^Hoa",
    "ManufacturerModelName": "Invented 64", "PerformingPhysicianName": "Doan^Minh Tuan", "PatientAge": "056Y",
    "PatientSize": "1.58", "PatientWeight": "51", "PatientAddress": "Thon 3, xa Cam Xuyen", "PatientTelephoneNumbers": "0912345678",
    "EthnicGroup": "Kinh", "AdditionalPatientHistory": "dau dau", "PatientComments": "cap cuu", "ContrastBolusAgent": "contrast",
    "ScanOptions": "HELICAL", "DataCollectionDiameter": "500", "DeviceSerialNumber": "77001", "SoftwareVersions": "V5.1",
    "ProtocolName": "Head", "ReconstructionDiameter": "240", "DistanceSourceToDetector": "949", "DistanceSourceToPatient": "541",
    "GantryDetectorTilt": "0", "TableHeight": "151", "RotationDirection": "CW", "ExposureTime": "1000", "XRayTubeCurrent": "200",
    "Exposure": "200", "FilterType": "BODY FILTER", "GeneratorPower": "24000", "FocalSpots": ["0.9", "0.9"],
    "DateOfLastCalibration": "20261120", "TimeOfLastCalibration": "070000", "ConvolutionKernel": "H31s", "PatientPosition": "HFS",
    "RevolutionTime": 0.75, "SingleCollimationWidth": 0.6, "TotalCollimationWidth": 38.4, "TableSpeed": 30.7,
    "TableFeedPerRotation": 23.0, "SpiralPitchFactor": 0.6, "CTDIvol": 52.1, "AcquisitionNumber": "2", "Laterality": "",
    "PositionReferenceIndicator": "", "ImageComments": "", "SmallestImagePixelValue": 0, "LargestImagePixelValue": 1900,
    "WindowCenterWidthExplanation": "BRAIN", "RescaleType": "HU", "RequestingPhysician": "Doan^Minh Tuan",
    "RequestedProcedureDescription": "CT so nao", "CurrentPatientLocation": "A5", "PerformedProcedureStepStartDate": "20261122",
    "PerformedProcedureStepStartTime": "081000", "PerformedProcedureStepID": "PPS1", "RequestedProcedureID": "RP1",
    "PerformedProcedureStepDescription": "CT Head", "FillerOrderNumberImagingServiceRequest": "F1", "PixelPaddingValue": -1024,
    "PlacerOrderNumberImagingServiceRequest": "P1", "TimezoneOffsetFromUTC": "+0700", "AcquisitionDateTime": "20261122081510",
}  # fmt: skip
_BLOCKS = ((0x0019, "INVENTED CT 01"), (0x0027, "INVENTED CT 02"), (0x0043, "INVENTED CT 03"))
_PRIVATE_OF_A_BLOCK = 9


def _code(value: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, "SCT", meaning
    return ds


def _reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = sop_class_uid, sop_instance_uid
    return ds


def as_scanners_write(dataset: Dataset) -> Dataset:
    """Return the data set with everything that stands beside what a viewer needs."""
    for keyword, value in _ACQUISITION.items():
        if keyword not in dataset:
            setattr(dataset, keyword, value)
    image = str(dataset.SOPInstanceUID)
    dataset.ReferencedStudySequence = [_reference("1.2.840.10008.3.1.2.3.1", str(dataset.StudyInstanceUID))]
    dataset.ReferencedPerformedProcedureStepSequence = [_reference("1.2.840.10008.3.1.2.3.3", f"{image}.1")]
    dataset.ReferencedImageSequence = [_reference(str(dataset.SOPClassUID), f"{image}.{number}") for number in (2, 3)]
    source = _reference(str(dataset.SOPClassUID), f"{image}.4")
    source.PurposeOfReferenceCodeSequence = [_code("121322", "Source of image")]
    dataset.SourceImageSequence = [source]
    dataset.ProcedureCodeSequence = [_code("24725-4", "CT Head")]
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP1", "SPS1"
    request.RequestedProcedureDescription, request.AccessionNumber = "CT so nao", str(dataset.AccessionNumber)
    request.ScheduledProtocolCodeSequence = [_code("24725-4", "CT Head")]
    dataset.RequestAttributesSequence = [request]
    for group, creator in _BLOCKS:
        block = dataset.private_block(group, creator, create=True)
        for number in range(_PRIVATE_OF_A_BLOCK):
            vr, value = (("LO", f"{creator} {number}"), ("DS", f"{number}.25"), ("SS", number), ("FD", number / 3))[
                number % 4
            ]
            block.add_new(number, vr, value)
    return dataset
