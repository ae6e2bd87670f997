"""Whole-slide images as pure transformations: no database, no sockets. Tiles, pyramids, and slides written as DICOM."""
