"""`vienanh send`: a modality's part, C-STORE of files and folders."""

import re
from pathlib import Path
from typing import Annotated

import typer

from exchange.screen import EXIT_REFUSED, err, out, progress_bar
from gateway.dimse.scu.line import Target
from gateway.dimse.scu.sender import Sent, send_files

FAILURES_TOLD_MAX = 20
_PEER = re.compile(r"(?P<title>[^@]{1,16})@(?P<host>.+):(?P<port>[0-9]{1,5})")


def send(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="DICOM files, or folders of them.")],
    to: Annotated[str, typer.Option(help="The receiver, AE@HOST:PORT.")],
    calling: Annotated[str, typer.Option("--from", help="Our own AE title.")] = "VIENANH-SCU",
    timeout_s: Annotated[float, typer.Option(min=1, help="Seconds the receiver may be silent.")] = 60.0,
) -> None:
    """Send files by C-STORE over one association, for example: vienanh send CT/ --to VIENANH@127.0.0.1:11112.

    Exits 0 only if the receiver said Success to every instance.
    """
    host, port, called = peer_of(to, "--to")
    target = Target(host, port, called, calling, timeout_s)
    with progress_bar() as bar:
        task = bar.add_task("sending", total=None)
        sent = send_files(paths, target, lambda one: bar.update(task, completed=one.number, total=one.total))
    failed = [one for one in sent if not one.receipt.is_success]
    for one in failed[:FAILURES_TOLD_MAX]:
        _tell(one)
    out.print(f"{len(sent) - len(failed)} of {len(sent)} instances were taken by {to}.")
    if failed or not sent:
        raise typer.Exit(EXIT_REFUSED)


def peer_of(text: str, option: str) -> tuple[str, int, str]:
    """Read AE@HOST:PORT into host, port and AE title."""
    peer = _PEER.fullmatch(text)
    if peer is None:
        raise typer.BadParameter("must be AE@HOST:PORT, such as VIENANH@127.0.0.1:11112", param_hint=option)
    return peer["host"], int(peer["port"]), peer["title"]


def _tell(one: Sent) -> None:
    cause = one.receipt.cause or ""
    err.print(f"{one.path}: {one.receipt.status} {cause}: {one.receipt.detail}", markup=False)
