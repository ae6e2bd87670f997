"""The DICOM upper layer (PS3.8) without services: PDUs, the protocol machine of both sides, command sets, and the sockets and TLS under it."""
