"""The command line, `vienanh`: what each command is called and where it lives.

A command's module is imported when the command is asked for: one that lists what is held should not wait for the web
framework, nor a listener process for any of them.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from exchange.screen import plain_errors

# Name: module of this package, and the function or the group of commands in it.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "serve": ("serving", "serve"),
    "demo": ("serving", "demo"),
    "send": ("sending", "send"),
    "deidentify": ("deidentifying", "deidentify"),
    "reidentify": ("reidentifying", "reidentify_files"),
    "find": ("finding", "find_elsewhere"),
    "get": ("retrieving", "get"),
    "move": ("retrieving", "move"),
    "trace": ("archive", "trace"),
    "complete": ("archive", "complete"),
    "doctor": ("doctor", "doctor"),
    "config": ("serving", "config_table"),
    "lanes": ("deliveries", "lanes"),
    "held": ("deliveries", "held"),
    "retry": ("deliveries", "retry"),
    "release": ("deliveries", "release"),
    "keys": ("keeping_keys", "app"),
    "vault": ("opening", "app"),
    "review": ("reviewing", "app"),
    "rules": ("rules", "app"),
    "orders": ("orders", "app"),
    "user": ("accounts", "users"),
    "token": ("accounts", "tokens"),
    "quarantine": ("archive", "quarantine"),
    "archive": ("deleting", "app"),
    "audit": ("audit", "app"),
    "slides": ("slides", "app"),
}


def target(name: str) -> Callable[..., Any] | typer.Typer:
    """Import what a command is: a function, or a group of commands."""
    module, attribute = COMMANDS[name]
    return getattr(import_module(f"exchange.{module}"), attribute)


class _Commands(Mapping[str, Any]):
    """The commands by name, each made when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()  # pyright: ignore[reportAttributeAccessIssue] - nobody adds to it


@cache
def _command(name: str) -> Any:
    found = target(name)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(
    name="vienanh",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Viễn Ảnh: an imaging exchange. Start with `vienanh demo`, or `vienanh serve` for a node of your own.",
)


@app.callback()
def _vienanh() -> None:
    """Make the application a group, though no command is known yet."""


def run() -> None:
    """Run the command line; an error of ours is one line and an exit code, never a traceback."""
    try:
        with plain_errors():
            app()
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
