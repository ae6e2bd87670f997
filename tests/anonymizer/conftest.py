"""What every test of the anonymizer starts from: keys of a site, and the way from a data set to its de-identified self."""

import io
from dataclasses import dataclass

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from anonymizer.engine.engine import deidentify
from anonymizer.engine.result import Deidentified
from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.keys import Keys, derive
from tests.support.builders import as_file


@pytest.fixture(scope="session")
def keys() -> Keys:
    return derive(bytes(range(32)), site="bv-huyen")


@dataclass(frozen=True)
class Site:
    """A site with its keys: gives instances away de-identified."""

    keys: Keys

    def deidentifies(self, source: bytes, profile: str = "basic", **options) -> Deidentified:
        return deidentify(source, profile=load(profile), keys=self.keys, issuer=self.keys.site, **options)

    def gives(self, ds: Dataset, profile: str = "basic", *, syntax: str = ExplicitVRLittleEndian, **options) -> Dataset:
        """Return what another reader, pydicom, sees of the de-identified instance."""
        source = as_file(ds, syntax)
        return read(self.deidentifies(source, profile, **options).to_bytes(source))


def read(content: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(content))


@pytest.fixture(scope="session")
def site(keys) -> Site:
    return Site(keys)
