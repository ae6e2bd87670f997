"""DICOM primitives (PS3.3, PS3.5, PS3.10, PS3.18 F): pure functions over bytes; no sockets, no database."""
