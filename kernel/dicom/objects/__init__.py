"""Objects that we make: the directory of a medium, a wrapped photograph or PDF."""
