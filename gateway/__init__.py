"""Strangers' bytes: DIMSE and DICOMweb, in and out. No decision about where a study goes lives here."""
