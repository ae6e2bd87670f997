"""De-identification (PS3.15 E) as a pure transformation of instances: no database, no sockets, no clock."""
