"""The `[[station]]` tables of the configuration: the modalities that ask for a worklist.

    [[station]]
    ae_title = "CT1"                  # as the scanner calls itself, and as it asks for its own steps
    modality = ["CT"]                 # orders of these that name no station are for it, if it is the only one
    name = "CT phòng 2"               # Scheduled Station Name; absent: the AE title
    charset = "ISO_IR 100"            # the character set it can show; absent: UTF-8

A scanner that knows only ISO_IR 6 or ISO_IR 100 is given names without accents, rather than letters it would garble.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kernel.config import Config
from kernel.errors import InvalidConfiguration

STATIONS_MAX: Final = 1000
CHARSETS: Final = ("ISO_IR 192", "ISO_IR 6", "ISO_IR 100")
_KEYS: Final = ("ae_title", "modality", "name", "charset")


@dataclass(frozen=True, slots=True)
class Station:
    """One modality."""

    ae_title: str
    modalities: tuple[str, ...]
    name: str
    charset: str


class Stations:
    """The modalities that the configuration names."""

    def __init__(self, stations: Sequence[Station] = ()) -> None:
        self._by_title = {station.ae_title: station for station in stations}

    @classmethod
    def from_config(cls, config: Config) -> "Stations":
        """Read the `[[station]]` tables.

        Raises
        ------
        InvalidConfiguration
            Names the table and the key.
        """
        if len(config.station) > STATIONS_MAX:
            raise InvalidConfiguration(source=config.origin, key="station", reason=f"more than {STATIONS_MAX} tables")
        return cls([_station(entry, f"station[{number}]", config) for number, entry in enumerate(config.station, 1)])

    def of_caller(self, calling_ae_title: str) -> Station | None:
        """Return the station that calls, None when no table names it."""
        return self._by_title.get(calling_ae_title)

    def defaults(self, modality: str, ae_title: str) -> dict[str, str]:
        """Return what a step's order leaves out: the only station of its modality, and the name of its station."""
        if not ae_title:
            fitting = [station for station in self._by_title.values() if modality in station.modalities]
            if len(fitting) != 1:
                return {}
            return {"station_ae_title": fitting[0].ae_title, "station_name": fitting[0].name}
        station = self._by_title.get(ae_title)
        return {"station_name": station.name} if station else {}


def _station(entry: Mapping[str, Any], where: str, config: Config) -> Station:
    def refuse(key: str, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(source=config.origin, key=f"{where}.{key}", reason=reason)

    for key in entry:
        if key not in _KEYS:
            raise refuse(key, f"no such key; there are {', '.join(_KEYS)}")
    title = entry.get("ae_title", "")
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= 16 or "\\" in title or not title.isascii():
        raise refuse("ae_title", "must be 1 to 16 ASCII characters without a backslash")
    listed = entry.get("modality", ())
    modalities = cast("Sequence[Any]", listed if isinstance(listed, list | tuple) else (listed,))
    if not all(isinstance(one, str) for one in modalities):
        raise refuse("modality", "must be text or a list of texts")
    for key in ("name", "charset"):
        if not isinstance(entry.get(key, ""), str):
            raise refuse(key, "must be text")
    if entry.get("charset", CHARSETS[0]) not in CHARSETS:
        raise refuse("charset", f"must be one of {', '.join(CHARSETS)}")
    return Station(
        ae_title=title.strip(),
        modalities=tuple(modalities),
        name=(entry.get("name") or title.strip())[:16],
        charset=entry.get("charset", CHARSETS[0]),
    )
