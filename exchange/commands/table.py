"""The command line, `vienanh`: what each command is called and where it lives.

A command's module is imported when the command is asked for: one that lists what is held should not wait for the web
framework, nor a listener process for any of them.
"""

import sys
from collections.abc import Mapping
from typing import Final

import typer

from exchange.terminal.lazy_group import At, Entry, Group, group_of
from exchange.terminal.screen import plain_errors

COMMANDS: Final[Mapping[str, Entry]] = {
    "serve": At("serving", "serve"),
    "demo": At("serving", "demo"),
    "send": At("sending", "send"),
    "export": At("exporting", "export"),
    "wrap": At("wrapping", "wrap"),
    "deidentify": At("deidentifying", "deidentify"),
    "reidentify": At("reidentifying", "reidentify_files"),
    "find": At("finding", "find_elsewhere"),
    "get": At("retrieving", "get"),
    "move": At("retrieving", "move"),
    "trace": At("archive", "trace"),
    "complete": At("archive", "complete"),
    "doctor": At("doctor", "doctor"),
    "config": At("serving", "config_table"),
    "migrate": At("migrating", "migrate"),
    "lanes": At("deliveries", "lanes"),
    "held": At("deliveries", "held"),
    "retry": At("deliveries", "retry"),
    "release": At("deliveries", "release"),
    "keys": At("keeping_keys", "app"),
    "vault": At("opening", "app"),
    "review": At("reviewing", "app"),
    "rules": At("rules", "app"),
    "orders": At("orders", "app"),
    "user": At("accounts", "users"),
    "token": At("accounts", "tokens"),
    "quarantine": At("archive", "quarantine"),
    "archive": At("deleting", "app"),
    "audit": At("audit", "app"),
    "ohif": At("second_viewer", "app"),
    "slides": Group(
        "Whole slides.",
        {
            "add": At("adding_slides", "add"),
            "photograph": At("adding_photographs", "photograph"),
            "describe": At("describing_slides", "describe"),
            "to-dicom": At("converting_slides", "to_dicom"),
        },
    ),
}


app = typer.Typer(
    name="vienanh",
    cls=group_of(COMMANDS),
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
