"""The ICC profile of sRGB (ICC.1:2022, IEC 61966-2-1): a constant, so that what is made with it is the same each time.

Little CMS made it (`ImageCms.createProfile("sRGB")` of Pillow), but for the moment of its making; a test compares them.
"""

import base64
import zlib
from functools import cache
from typing import Final

_DEFLATED: Final = (
    "eNqVkb1Lw1AUxU9bRdFKBx1EHDJUcWhBFMRR69ClSKkVrLokr2krJGlIUqS4Ci4OBQfRxa/B/0BXwVVBEBRBxNnRr0VKPGkKLaKD9/Fyf5y8c7nv"
    "PiCY0oRud8wAuuFYmWRCWsotS10vCHA1Qha2OZtOp/BnfN75Z2/jXi38L3rzqi2AQDd5SpiWQ2Y3SK07psfb5AFRkvPkQ3LMYoPkK09XfH72uOjz"
    "u8dWNjMHBL2aUrGNlTYWJUsnj5GjulYRzX68m4RVY3GBeYh7GDYySCIBCQoqWIMGB3FmgzP73Tfe8M2jTI/g10QVFh1FlOiNUa2wqspcoK5yaah6"
    "c/85T7swOeFXDyeAzifXfRsBunaAes11v45ct34MhB6BC6PlL3NO0x/Uay0tegBENoGzy5am7ALnW8DggylbckMKcQcLBeD1FOjLAf03QM+KP6vm"
    "f5zcA9kNPtE1sLcPjPJ8ZPUbPitnsA=="
)


@cache
def srgb_profile() -> bytes:
    """Return the profile."""
    return zlib.decompress(base64.b64decode(_DEFLATED))
