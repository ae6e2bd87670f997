"""De-identify one instance at the level of its bytes: the header is written anew, pixel data stays where it is."""

from anonymizer.keys import Keys
from anonymizer.profile import Profile
from anonymizer.result import Buffer, Deidentified
from kernel.dicom.scanner import Header


def deidentify(source: Buffer, *, header: Header, profile: Profile, keys: Keys, issuer: str) -> Deidentified:
    """De-identify an instance that `kernel.dicom.scanner.scan(source, ...)` has read.

    Parameters
    ----------
    source
        The whole Part 10 file or data set that `header` was scanned from; nothing before the data set is used.
    header
        The scan of `source`.
    profile
        From `anonymizer.profile.load`.
    keys
        Of the site whose patient this is.
    issuer
        Who issues Patient IDs when the instance does not say (0010,0021): the site's name.

    Raises
    ------
    Refused
        In one of its forms, when something is not understood: hold the instance, never pass it on.
    """
    raise NotImplementedError
