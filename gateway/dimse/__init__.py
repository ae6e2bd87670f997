"""DIMSE (PS3.7) over the upper layer (PS3.8): the listener, C-STORE and C-ECHO SCP, and the C-STORE SCU."""
