"""Reading a node's settings: defaults, then a TOML file, then `VIENANH_...` variables.

Every error names the key and where the value came from, never a value.
"""

import dataclasses
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from kernel.config import ENVIRONMENT_PREFIX, SECTIONS, TABLES, Config, DimseConfig, describe
from kernel.errors import InvalidConfiguration


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration: defaults, then `file`, then `VIENANH_SECTION_FIELD` variables.

    Relative names of files that `file` gives are looked for beside it; the data folder is where the node is started.

    Raises
    ------
    InvalidConfiguration
        Names the key, and the file or variable that gave it.
    """
    document = _read(file) if file else {}
    origin = str(file) if file else "defaults"
    settings: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    tables: dict[str, Any] = dict.fromkeys(TABLES, ())
    for name, content in document.items():
        if name in SECTIONS:
            settings[name] = {key: _beside(origin, name, key, value) for key, value in _section(name, content, origin)}
        elif name in TABLES:
            tables[name] = _table(name, content, origin)
        else:
            raise InvalidConfiguration(source=origin, key=name, reason=f"no such section; there are {_list_sections()}")
    for name, key, text, variable in _from_environment(os.environ if environment is None else environment):
        settings[name][key] = _convert(_hint(name, key), text, variable, key)
    sections: dict[str, Any] = {name: SECTIONS[name](**values) for name, values in settings.items()}
    return checked(Config(**sections, **tables, origin=origin))


def _list_sections() -> str:
    return ", ".join([*SECTIONS, *TABLES])


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfiguration(source=file, key="file", reason=error.strerror or "cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(source=file, key="file", reason=f"not TOML: {error}") from error


def _section(name: str, content: Any, origin: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise InvalidConfiguration(source=origin, key=name, reason="must be a table, [" + name + "]")
    for key, value in cast("dict[str, Any]", content).items():
        try:
            hint = _hint(name, key)
        except KeyError:
            known = ", ".join(item.name for item in dataclasses.fields(SECTIONS[name]))
            raise InvalidConfiguration(
                source=origin, key=f"{name}.{key}", reason=f"no such key; there are {known}"
            ) from None
        yield key, _convert(hint, value, origin, f"{name}.{key}")


def _beside(origin: str, section: str, key: str, value: Any) -> Any:
    """Return a setting, a file's name as one beside the configuration `origin`."""
    return Path(origin).parent / value if isinstance(value, Path) and (section, key) != ("node", "data") else value


def _table(name: str, content: Any, origin: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in cast("list[Any]", content)):
        raise InvalidConfiguration(source=origin, key=name, reason=f"must be a list of tables, [[{name}]]")
    return tuple(cast("list[dict[str, Any]]", content))


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    known = {variable: key.split(".", 1) for key, variable, _, _ in describe()}
    sections = tuple(f"{ENVIRONMENT_PREFIX}{name.upper()}_" for name in SECTIONS)
    for variable, text in environment.items():
        if variable in known:
            section, key = known[variable]
            yield section, key, text, variable
        elif variable.startswith(sections):
            raise InvalidConfiguration(source="environment", key=variable, reason="no such setting")


def _hint(section: str, key: str) -> Any:
    return typing.get_type_hints(SECTIONS[section])[key]


def _convert(hint: Any, value: Any, source: str, key: str) -> Any:
    """Turn a TOML value, or the text of a variable, into what the field's type says."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value in ("", None) else _convert(arguments[0], value, source, key)
    if origin is Literal:
        if value in arguments:
            return value
        raise InvalidConfiguration(source=source, key=key, reason=f"must be one of {', '.join(map(str, arguments))}")
    if origin is tuple:
        parts: Any = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list):
            raise InvalidConfiguration(source=source, key=key, reason="must be a list")
        return tuple(_convert(arguments[0], part, source, key) for part in cast("list[Any]", parts) if part != "")
    try:
        return _scalar(hint, value)
    except (TypeError, ValueError, KeyError):
        expected = {bool: "true or false", int: "a whole number", float: "a number"}.get(hint, "text")
        raise InvalidConfiguration(source=source, key=key, reason=f"must be {expected}") from None


def _scalar(hint: Any, value: Any) -> Any:
    if hint is bool:
        if isinstance(value, str):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[value.lower()]
        if not isinstance(value, bool):
            raise TypeError
        return value
    if isinstance(value, bool) or (hint in (str, Path) and not isinstance(value, str | Path)):
        raise TypeError
    if hint is int and isinstance(value, float):
        raise TypeError
    converted = cast("Callable[[Any], Any]", hint)(value)
    if isinstance(converted, float) and not math.isfinite(converted):
        raise ValueError
    return converted


_POSITIVE = ("_max", "_s", "_hours", "_minutes", "_bytes", "_instances", "workers", "_min")
_OR_ZERO = ("tiers_bytes_max",)  # zero says: none


def checked(config: Config) -> Config:
    """Return `config`, having checked what a type cannot say. Raises InvalidConfiguration."""

    def refuse(key: str, reason: str) -> typing.NoReturn:
        raise InvalidConfiguration(source=config.origin, key=key, reason=reason)

    for name, section in SECTIONS.items():
        for item in dataclasses.fields(section):
            value = getattr(getattr(config, name), item.name)
            counts = item.name.endswith(_POSITIVE) and isinstance(value, int | float)
            if counts and (value < 0 or (value == 0 and item.name not in _OR_ZERO)):
                refuse(f"{name}.{item.name}", "must be more than zero")
            if item.name in ("port", "tls_port") and value is not None and not 0 <= value <= 65535:
                refuse(f"{name}.{item.name}", "must be 0 to 65535")
    if (
        not config.node.site
        or not all(c.isalnum() or c in "-_" for c in config.node.site)
        or len(config.node.site) > 32
    ):
        refuse("node.site", "must be 1 to 32 letters, digits, - or _")
    if not re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", config.archive.timezone):
        refuse("archive.timezone", "must be an offset from UTC such as +0700")
    title = config.dimse.ae_title
    if not 1 <= len(title.strip()) <= 16 or "\\" in title or not title.isascii() or not title.isprintable():
        refuse("dimse.ae_title", "must be 1 to 16 printable ASCII characters without a backslash")
    _check_tls(config.dimse, refuse)
    if (config.http.tls_certificate is None) != (config.http.tls_key is None):
        refuse("http.tls_certificate", "tls_certificate and tls_key go together")
    return config


def _check_tls(dimse: DimseConfig, refuse: Callable[[str, str], typing.NoReturn]) -> None:
    if dimse.tls_port is not None and (dimse.tls_certificate is None or dimse.tls_key is None):
        refuse("dimse.tls_port", "needs tls_certificate and tls_key")
    if dimse.tls_clients != "off" and dimse.tls_ca is None:
        refuse("dimse.tls_clients", "needs tls_ca")
    if not dimse.plain and dimse.tls_port is None:
        refuse("dimse.plain", "without it a tls_port is needed")
    if dimse.jwt_key_file is not None and not dimse.jwt_audience:
        refuse("dimse.jwt_audience", "is missing: tokens of others would be taken")
