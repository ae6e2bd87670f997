"""The command line, `vienanh`: what each command is called and where it lives."""

import sys

import typer

from exchange import (
    accounts,
    archive,
    audit,
    deidentifying,
    deleting,
    deliveries,
    doctor,
    finding,
    keeping_keys,
    opening,
    orders,
    retrieving,
    rules,
    sending,
    serving,
    slides,
)
from exchange.screen import plain_errors

app = typer.Typer(
    name="vienanh",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Viễn Ảnh: an imaging exchange. Start with `vienanh demo`, or `vienanh serve` for a node of your own.",
)
app.command("serve")(serving.serve)
app.command("demo")(serving.demo)
app.command("send")(sending.send)
app.command("deidentify")(deidentifying.deidentify)
app.command("find")(finding.find_elsewhere)
app.command("get")(retrieving.get)
app.command("move")(retrieving.move)
app.command("trace")(archive.trace)
app.command("complete")(archive.complete)
app.command("doctor")(doctor.doctor)
app.command("config")(serving.config_table)
app.command("lanes")(deliveries.lanes)
app.command("held")(deliveries.held)
app.command("retry")(deliveries.retry)
app.command("release")(deliveries.release)
app.add_typer(keeping_keys.app, name="keys")
app.add_typer(opening.app, name="vault")
app.add_typer(rules.app, name="rules")
app.add_typer(orders.app, name="orders")
app.add_typer(accounts.users, name="user")
app.add_typer(accounts.tokens, name="token")
app.add_typer(archive.quarantine, name="quarantine")
app.add_typer(deleting.app, name="archive")
app.add_typer(audit.app, name="audit")
app.add_typer(slides.app, name="slides")


def run() -> None:
    """Run the command line; an error of ours is one line and an exit code, never a traceback."""
    try:
        with plain_errors():
            app()
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
