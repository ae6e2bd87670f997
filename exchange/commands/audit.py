"""`vienanh audit`: who did what to which study, and whether the record is whole."""

from typing import Annotated

import typer

from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table, when
from kernel import audit

app = typer.Typer(no_args_is_help=True, help="Who did what to which study, and whether the record is whole.")


@app.command("study")
def of_study(
    study_uid: Annotated[str, typer.Argument(help="The Study Instance UID at this node.")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """List the audit lines of one study, newest first."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            lines = audit.of_study(connection, study_uid)
        table(
            ("at", "action", "who", "outcome", "address"),
            [(when(line.at), line.action, line.who, line.outcome, line.address) for line in lines],
        )


@app.command("verify")
def verify(
    head: Annotated[
        str, typer.Option(help="A head noted earlier, NUMBER:DIGEST, that must still be in the chain.")
    ] = "",
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Recompute the chain of the audit and print its head; note it elsewhere."""
    number, _, digest = head.partition(":")
    noted = audit.Head(int(number), digest) if number.isdigit() and digest else None
    if head and noted is None:
        raise typer.BadParameter("must be NUMBER:DIGEST as an earlier verify printed it", param_hint="--head")
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            count = audit.verify(connection, noted)
            end = audit.head(connection)
        out.print(f"{count} lines are whole. Head: {end.seq}:{end.digest}")
