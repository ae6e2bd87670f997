"""A node: put together from a Config, served, supervised until a signal."""
