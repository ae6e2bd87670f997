"""A real Orthanc for tests."""
