"""The process that owns the database, and how others ask it."""
