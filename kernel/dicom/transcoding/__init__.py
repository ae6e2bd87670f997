"""An instance in another transfer syntax (PS3.5 8, A.4)."""
