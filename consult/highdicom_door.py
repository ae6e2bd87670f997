"""The one door to highdicom, which takes a second to import: who needs it imports what leads here when it is needed.

Its modules import each other in circles, so two threads that import different ones of them at once fail, with a deadlock
of import locks or a module that is half there. Python lets one thread import this module and the others wait for it.
"""

from highdicom import ko, sr

__all__ = ["ko", "sr"]
