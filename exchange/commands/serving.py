"""`vienanh serve`, `demo` and `config`: starting nodes, and what they can be told."""

import ipaddress
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from exchange.node.assemble import assembled
from exchange.node.origin import own_address, told_host
from exchange.node.stores import reserved
from exchange.node.supervise import Running
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors, table
from kernel import config as configuration
from kernel import telemetry
from kernel.config import Config, Role
from kernel.errors import InvalidConfiguration


def serve(
    config: ConfigFile = None,
    data: DataFolder = None,
    role: Annotated[Role | None, typer.Option(help="site, hub or both; overrides node.role.")] = None,
    dicom_port: Annotated[int | None, typer.Option(min=0, max=65535, help="DIMSE port; 0 takes a free one.")] = None,
    http_port: Annotated[int | None, typer.Option(min=0, max=65535, help="HTTP port; 0 takes a free one.")] = None,
    ae_title: Annotated[str | None, typer.Option(help="This node's AE title.")] = None,
    dev_token: Annotated[
        str | None, typer.Option(help="Accept this bearer token for everything; binds to loopback only.")
    ] = None,
) -> None:
    """Run one node. No file is needed: by default everything is on loopback and in ./data.

    The first start prints a one-time password for the account `admin`. DICOMweb is at /dicom-web, health at
    /health/live and /health/ready, the API's description at /api/docs.
    """
    with plain_errors():
        settings = read_config(
            config,
            data,
            node={"role": role},
            dimse={"port": dicom_port, "ae_title": ae_title},
            http={"port": http_port},
        )
        if dev_token is not None:
            _refuse_anything_but_loopback(settings)
        telemetry.configure(settings.log)
        with reserved(settings), assembled(settings, dev_token=dev_token) as node:
            # Not before it listens: a start that fails would take the password along, told to nobody.
            first = node.stores.access.first_administrator
            Running(node, lambda running: _tell(running, settings, first())).run()


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run the journey, print each step with its time, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when the reading room is ready.")
    ] = False,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="The hub's HTTP port.")] = 8080,
    keep: Annotated[Path | None, typer.Option(help="Keep both nodes' data in this folder.", file_okay=False)] = None,
) -> None:
    """Start a site and a hub on loopback and send real anatomy from a pretend CT through them.

    With --once it exits 0 only if every slice arrived, was pseudonymised and rendered.
    """
    from exchange.demo import running as demonstration  # its studies want NumPy and codecs; `serve` does not

    with plain_errors():
        demonstration.run(demonstration.Wishes(once=once, as_json=as_json, http_port=http_port, keep=keep))


def config_table() -> None:
    """List every setting with its variable, default and meaning."""
    table(("setting", "variable", "default", "meaning"), list(configuration.describe()))


def _refuse_anything_but_loopback(config: Config) -> None:
    for section, host in (("http", config.http.host), ("dimse", config.dimse.host)):
        try:
            is_loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_loopback = host == "localhost"
        if not is_loopback:
            raise InvalidConfiguration(
                source="--dev-token", key=f"{section}.host", reason="a development token is for loopback only"
            )


def _tell(running: Running, config: Config, password: str | None) -> None:
    """Say where the node is; one that nobody can hear, as its log is on a full disk, serves all the same."""
    with suppress(OSError):
        _print_places(running, config, password)


def _print_places(running: Running, config: Config, password: str | None) -> None:
    out.print(f"[bold]Viễn Ảnh[/] {config.node.role} {config.node.site}, data in {config.node.data.resolve()}")
    if running.dimse_port is not None:
        host = told_host(config.dimse.host, own_address)
        out.print(f"  DICOM       {config.dimse.ae_title}@{host}:{running.dimse_port}")
    out.print(f"  reading     {running.told_url}/")
    out.print(f"  DICOMweb    {running.told_url}/dicom-web")
    out.print(f"  API         {running.told_url}/api/docs")
    if password is not None:
        out.print(f"  first sign-in: account [bold]admin[/], one-time password [bold]{password}[/] (shown once)")
