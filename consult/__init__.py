"""The clinical domain.

Cases, reading worklist, reports. No HTTP, no DICOM sockets. Cases and reports will live here.
"""
