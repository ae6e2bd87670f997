"""The de-identification profiles of a node: those that come with the software, and the site's own, one file each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from anonymizer.profiles.profile import BUILT_IN, Profile
from anonymizer.profiles.site_profile import TEXT_CHARACTERS_MAX, chosen
from kernel.config import Config
from kernel.errors import InvalidConfiguration

FILES_MAX: Final = 100


def profiles_of(config: Config) -> Mapping[str, Profile]:
    """Return by name what a destination or a rule may ask for; a profile without a way back is for files alone.

    Raises
    ------
    InvalidConfiguration
        A file cannot be read or used; names it and the line of each mistake.
    """
    found = {name: chosen(name) for name, built_in in BUILT_IN.items() if built_in.reversible}
    for number, file in enumerate(_files(config), start=1):
        if number > FILES_MAX:
            raise InvalidConfiguration(source=str(file.parent), key="profiles", reason=f"more than {FILES_MAX} files")
        profile = read_file(file)
        if profile.name in found:
            raise InvalidConfiguration(source=str(file), key="name", reason=f"there are two called {profile.name}")
        if not profile.reversible:
            raise InvalidConfiguration(
                source=str(file), key="base", reason="what cuts ties has a key for one run: for `vienanh deidentify`"
            )
        found[profile.name] = profile
    return found


def finder_of(config: Config) -> Callable[[str], Profile]:
    """Return how a job's profile is found by its name.

    Raises
    ------
    InvalidConfiguration
        From what is returned, too: the profile is no longer there, and its jobs are to be held.
    """
    found = profiles_of(config)

    def find(name: str) -> Profile:
        if name not in found:
            raise InvalidConfiguration(source=config.origin, key=name, reason="there is no such profile any more")
        return found[name]

    return find


def _files(config: Config) -> list[Path]:
    folder = config.anonymizer.profiles
    if folder is None:
        return []
    if not folder.is_dir():
        raise InvalidConfiguration(source=config.origin, key="anonymizer.profiles", reason=f"no such folder: {folder}")
    return sorted(folder.glob("*.toml"))


def read_file(file: Path) -> Profile:
    """Return the profile of a TOML file.

    Raises
    ------
    InvalidConfiguration
        It cannot be read or used.
    """
    return chosen(str(file), text_of(file))


def text_of(file: Path) -> str:
    """Return the text of a profile's file, bounded and never empty.

    Raises
    ------
    InvalidConfiguration
        It cannot be read.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            text = lines.read(TEXT_CHARACTERS_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is not UTF-8"
        raise InvalidConfiguration(source=str(file), key="file", reason=reason) from None
    return text or "\n"
