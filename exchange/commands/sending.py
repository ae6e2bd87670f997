"""`vienanh send`: a modality's part, C-STORE of files and folders."""

from pathlib import Path
from typing import Annotated

import typer

from exchange.terminal.peer import Ca, Certificate, Key, Secure, Tls, TlsName, target_of
from exchange.terminal.screen import EXIT_REFUSED, err, out, progress_bar
from gateway.dimse.scu.sender import Sent, send_files

FAILURES_TOLD_MAX = 20


def send(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="DICOM files, or folders of them.")],
    to: Annotated[str, typer.Option(help="The receiver, AE@HOST:PORT.")],
    calling: Annotated[str, typer.Option("--from", help="Our own AE title.")] = "VIENANH-SCU",
    timeout_s: Annotated[float, typer.Option(min=1, help="Seconds the receiver may be silent.")] = 60.0,
    tls: Tls = False,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    tls_name: TlsName = "",
) -> None:
    """Send files by C-STORE over one association, for example: vienanh send CT/ --to VIENANH@127.0.0.1:11112.

    Exits 0 only if the receiver took every instance, with a warning or without.
    """
    target = target_of(to, "--to", calling, timeout_s, Secure(tls, ca, certificate, key, tls_name))
    with progress_bar() as bar:
        task = bar.add_task("sending", total=None)
        sent = send_files(paths, target, lambda one: bar.update(task, completed=one.number, total=one.total))
    failed = [one for one in sent if not one.receipt.is_success]
    for one in failed[:FAILURES_TOLD_MAX]:
        _tell(one)
    out.print(f"{len(sent) - len(failed)} of {len(sent)} instances were taken by {to}.")
    if failed or not sent:
        raise typer.Exit(EXIT_REFUSED)


def _tell(one: Sent) -> None:
    cause = one.receipt.cause or ""
    err.print(f"{one.path}: {one.receipt.status} {cause}: {one.receipt.detail}", markup=False)
