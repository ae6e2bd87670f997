"""Search Transaction (PS3.18 10.6): query strings, matching, results."""
