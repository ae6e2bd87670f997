"""A profile: the columns of PS3.15 Table E.1-1 that were chosen, merged to one action per attribute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of actions, pinned by edition and digest."""

    name: str  # basic, tele-read
    edition: str  # of PS3.15, such as 2026d
    digest: str  # SHA-256 hex over everything that decides an output byte
    method_codes: tuple[str, ...]  # CID 7050

    @property
    def label(self) -> str:
        """Name and edition, such as `basic@2026d`."""
        return f"{self.name}@{self.edition}"


def load(name: str) -> Profile:
    """Return a built-in profile, `basic` or `tele-read`; raises InvalidConfiguration for another name."""
    raise NotImplementedError
