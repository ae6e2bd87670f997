"""What every room stands on.

DICOM primitives, archive, database, events, audit, access, configuration, clock, errors.
"""
