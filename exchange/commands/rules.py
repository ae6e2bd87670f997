"""`vienanh rules`: what the rules would do with a study, and why."""

from typing import Annotated

import typer

from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors
from routing import rules as routing_rules
from routing import settings

app = typer.Typer(no_args_is_help=True, help="What the rules would do with a study, and why.")


@app.command("explain")
def explain(
    source: Annotated[str, typer.Option(help="Calling AE title, or the token's name.")] = "",
    called: Annotated[str, typer.Option(help="Called AE title.")] = "",
    modality: Annotated[str, typer.Option(help="Modality, such as CT.")] = "",
    body_part: Annotated[str, typer.Option(help="Body Part Examined, such as HEAD.")] = "",
    sop_class: Annotated[str, typer.Option(help="SOP Class UID.")] = "",
    description: Annotated[str, typer.Option(help="Study Description.")] = "",
    label: Annotated[bool, typer.Option("--label", help="It is the label or overview of a slide.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Say what each rule makes of such a study, for example: vienanh rules explain --modality CT --body-part HEAD."""
    with plain_errors():
        facts = routing_rules.Facts(source, called, modality, body_part, sop_class, description, label)
        out.print(routing_rules.explain(facts, settings.parse(read_config(config, data))), markup=False)


@app.command("check")
def check(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Read the rules and destinations and say whether they can be used."""
    with plain_errors():
        found = settings.parse(read_config(config, data))
        out.print(f"{len(found.rules)} rules and {len(found.destinations)} destinations; version {found.version}.")
