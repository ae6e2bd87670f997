"""The options that every command shares, and how they become a Config."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from kernel import config_reading
from kernel.config import Config

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="VIENANH_CONFIG", help="TOML file of settings; none is needed.", dir_okay=False),
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The node's data folder; overrides node.data.", file_okay=False)
]


def read_config(file: Path | None, data: Path | None = None, **changes: dict[str, Any]) -> Config:
    """Return the configuration of `file`, with `data` and `changes` (section to fields, None: unchanged) on top.

    Raises
    ------
    kernel.errors.InvalidConfiguration
        Names the key and the file, variable or option.
    """
    config = config_reading.load(file)
    changes.setdefault("node", {})["data"] = data
    for section, fields in changes.items():
        given = {name: value for name, value in fields.items() if value is not None}
        config = dataclasses.replace(config, **{section: dataclasses.replace(getattr(config, section), **given)})
    return config_reading.checked(config)
