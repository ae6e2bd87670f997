"""Data sets as DICOM JSON and XML, both ways (PS3.18 F, PS3.19 A.1)."""
