"""`vienanh vault`: whose a pseudonym is, asked by one person and approved by another."""

from typing import Annotated

import typer

from anonymizer.pseudonyms.identifiers import is_pseudonym, spoken
from exchange.node.key_files import check_keys, site_keys
from exchange.node.stores import Stores, begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import EXIT_DENIED, err, out, plain_errors, table, when
from kernel.errors import NotAuthenticated
from routing.break_glass import REASONS, BreakGlass, Caller

app = typer.Typer(no_args_is_help=True, help="Whose a pseudonym is: one person asks, another approves.")

Request = Annotated[str, typer.Argument(help="The request's number, as it was told when it was made.")]
As = Annotated[str, typer.Option("--as", help="Your account.")]
Password = Annotated[str, typer.Option(prompt=True, hide_input=True, help="Asked for when not given.")]


@app.command("open")
def open_vault(
    token: Annotated[str, typer.Argument(help="A pseudonym, or a pseudonymous Study Instance UID.")],
    reason: Annotated[str, typer.Option(prompt=True, help=f"Why: {', '.join(REASONS)}.")],
    name: As,
    password: Password,
    site: Annotated[str | None, typer.Option(help="Whose vault, on a node of several sites.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Ask whose a token is, for example: vienanh vault open K7M2-9QXD-4TBC --reason emergency --as bs.lan.

    Another account with the right vault:open has to approve it within half an hour; then `vienanh vault show` tells.
    """
    with plain_errors(), begun(read_config(config, data)) as stores:
        caller = _caller(stores, name, password)
        made = _vault(stores).ask(caller, site or stores.config.node.site, token, reason)
        if is_pseudonym(made.token):
            out.print(f"{made.token}, read back: {spoken(made.token)}", markup=False)
        out.print(f"Request {made.id}: another person may approve it until {when(made.expires_at)}.", markup=False)


@app.command("approve")
def approve(request: Request, name: As, password: Password, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Approve what somebody else asked."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        made = _vault(stores).approve(_caller(stores, name, password), request)
        out.print(f"{made.asked_by} may open request {made.id} now, once.", markup=False)


@app.command("show")
def show(request: Request, name: As, password: Password, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Tell whose the token is: once, to the one who asked, when it was approved."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        identity = _vault(stores).open(_caller(stores, name, password), request)
        table(("attribute", "value"), list(identity.items()))


@app.command("list")
def list_requests(name: As, password: Password, config: ConfigFile = None, data: DataFolder = None) -> None:
    """List the requests that wait."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        table(
            ("request", "site", "token", "reason", "asked by", "until", "approved by"),
            [
                (one.id, one.site, one.token, one.reason, one.asked_by, when(one.expires_at), one.approved_by)
                for one in _vault(stores).pending(_caller(stores, name, password))
            ],
        )


def _vault(stores: Stores) -> BreakGlass:
    check_keys(stores.config, stores.db)
    return BreakGlass(stores.db, site_keys(stores.config), stores.clock)


def _caller(stores: Stores, name: str, password: str) -> Caller:
    try:
        return Caller(stores.access.authenticate_password(name, password, ""), "")
    except NotAuthenticated:
        err.print("Name and password do not go together, or the account is disabled.")
        raise typer.Exit(EXIT_DENIED) from None
