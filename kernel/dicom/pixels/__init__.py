"""Frames: where they are, what they say of themselves, decoded and encoded in processes of their own."""
