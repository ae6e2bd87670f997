"""Store Transaction (PS3.18 10.5): bodies taken apart or put together, instances to ingest, what became of each."""
