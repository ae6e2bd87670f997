"""Storage commitment (PS3.4 J)."""
