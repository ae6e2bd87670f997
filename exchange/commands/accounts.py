"""`vienanh user` and `vienanh token`: people and programs that may use a node."""

from datetime import timedelta
from typing import Annotated

import typer

from exchange.node.stores import begun, opened
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table
from kernel.access import NewAccount, Role, Scope

BY = "command line"

users = typer.Typer(no_args_is_help=True, help="People: make an account, change its password or rights, list them.")
tokens = typer.Typer(no_args_is_help=True, help="Programs: make a bearer token, list them, revoke one.")

Name = Annotated[str, typer.Argument(help="The account's name: lower-case letters, digits, . _ @ -")]
Roles = Annotated[list[Role], typer.Option(help="admin, requester, reader or integrator; may be repeated.")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="See only this site's studies; may be repeated.")]
Password = Annotated[
    str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Asked for when not given.")
]


@users.command("add")
def add_user(
    name: Name,
    password: Password,
    role: Roles,
    display: Annotated[str, typer.Option(help="The person's name on screen.")] = "",
    site: Sites = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Make an account, for example: vienanh user add bs.lan --role reader --display "BS Lan"."""
    with plain_errors(), opened(read_config(config, data)) as stores:
        stores.access.accounts.create(NewAccount(name, role, site, display), password, by=BY)
        out.print(f"Account {name} was made.")


@users.command("password")
def set_password(name: Name, password: Password, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Replace an account's password by a one-time one, which its owner must change at the next sign-in."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        stores.access.accounts.set_password(name, password, must_change=True, by=BY)
        out.print(f"The password of {name} was replaced; its sessions have ended.")


@users.command("rights")
def set_rights(name: Name, role: Roles, site: Sites = None, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Replace an account's roles and sites by those that are given; its sessions end."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        stores.access.accounts.set_rights(name, role, site, by=BY)
        out.print(f"The rights of {name} were replaced; its sessions have ended.")


@users.command("disable")
def disable(name: Name, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Let an account sign in no more; its sessions end."""
    _set_disabled(name, config, data, disabled=True)


@users.command("enable")
def enable(name: Name, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Let a disabled account sign in again."""
    _set_disabled(name, config, data, disabled=False)


def _set_disabled(name: str, config: ConfigFile, data: DataFolder, *, disabled: bool) -> None:
    with plain_errors(), begun(read_config(config, data)) as stores:
        stores.access.accounts.set_disabled(name, disabled=disabled, by=BY)
        out.print(f"Account {name} is {'disabled' if disabled else 'enabled'}.")


@users.command("list")
def list_users(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List the accounts."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        table(
            ("name", "display", "roles", "sites", "state"),
            [
                (
                    account.name,
                    account.display,
                    " ".join(sorted(account.roles)),
                    "all" if account.sites is None else " ".join(sorted(account.sites)),
                    "disabled" if account.disabled else "one-time password" if account.must_change else "",
                )
                for account in stores.access.accounts.list()
            ],
        )


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="Who will use it, such as a site's code.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    site: Annotated[str | None, typer.Option(help="Store for this site, and see only its studies.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; for ever when not given.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Make a token and print it once, for example: vienanh token create mk01 --site MK01 --scope dicomweb:store."""
    lifetime = None if days is None else timedelta(days=days)
    with plain_errors(), opened(read_config(config, data)) as stores:
        typer.echo(stores.access.tokens.create(name, scope, site=site, lifetime=lifetime, by=BY))


@tokens.command("list")
def list_tokens(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List the tokens; their secrets are not kept."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        table(
            ("id", "name", "scopes", "site", "made", "expires", "revoked"),
            [
                (
                    token.token_id,
                    token.name,
                    " ".join(sorted(token.scopes)),
                    token.site,
                    f"{token.created_at:%Y-%m-%d}",
                    token.expires_at and f"{token.expires_at:%Y-%m-%d}",
                    token.revoked_at and f"{token.revoked_at:%Y-%m-%d}",
                )
                for token in stores.access.tokens.list()
            ],
        )


@tokens.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="The id that `vienanh token list` shows.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """End a token."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        stores.access.tokens.revoke(token_id, by=BY)
        out.print("The token was revoked.")
