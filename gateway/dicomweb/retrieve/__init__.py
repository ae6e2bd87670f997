"""Retrieve Transaction (PS3.18 10.4): instances, frames, bulk data, metadata, and pictures for the eye."""
