"""The element scanner: one bounded pass over a data set, what it finds, and what it finds written again."""
