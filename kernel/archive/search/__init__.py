"""Search of studies, series and instances."""
