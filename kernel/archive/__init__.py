"""Blobs, the index, and ingest: the one way in."""
