"""The versions of the tables, forwards only, run by `kernel.database.upgrade`.

Tables are written out by hand in each version and never imported from the code, whose tables move on; a test compares
the two on both engines.
"""
