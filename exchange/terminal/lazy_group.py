"""Groups of commands whose modules are imported when one of them is asked for."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class At(NamedTuple):
    """Where a function is, or an application with a group of commands."""

    module: str  # of exchange.commands
    attribute: str


class Group(NamedTuple):
    """A group whose commands live in modules of their own."""

    help: str
    commands: "Mapping[str, At | Group]"


Entry = At | Group


def target(entry: At) -> Callable[..., Any] | typer.Typer:
    """Import what a command is: a function, or a group of commands."""
    return getattr(import_module(f"exchange.commands.{entry.module}"), entry.attribute)


def group_of(commands: Mapping[str, Entry]) -> type[TyperGroup]:
    """Return the class of a group of these commands."""

    class Lazy(TyperGroup):
        """The group of all of them."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = _Commands(commands)  # pyright: ignore[reportAttributeAccessIssue] - nobody adds to it

    return Lazy


class _Commands(Mapping[str, Any]):
    """The commands by name, each made when it is asked for, and once."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command(name, self._entries[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _command(name: str, entry: Entry) -> Any:
    if isinstance(entry, Group):
        found: Any = typer.Typer(cls=group_of(entry.commands), no_args_is_help=True, help=entry.help)
        found.callback()(lambda: None)  # a group, though no command is known yet
    else:
        found = target(entry)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)
