"""What a query asks for: identifiers and matching keys (PS3.4 C)."""
