"""The commands of `vienanh`, one module for each subject; `table` says which is which."""
