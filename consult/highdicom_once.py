"""Highdicom takes a second to import, so what writes and reads documents with it is imported when first asked for.

Its modules import each other in circles: two threads that import different ones of them at once fail, with a deadlock
of import locks or a module that is half there. Whoever imports such a module of ours calls `have_highdicom` before.
"""

import importlib
import threading

_importing = threading.Lock()


def have_highdicom() -> None:
    """Import highdicom whole, in one thread at a time."""
    with _importing:
        for name in ("highdicom", "highdicom.sr", "highdicom.ko"):
            importlib.import_module(name)
