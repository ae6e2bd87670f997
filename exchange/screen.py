"""What the command line prints: one console, plain words, tables, and errors without a traceback."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kernel.errors import Corrupt, Denied, ExchangeError, Retriable

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_REFUSED, EXIT_DENIED, EXIT_RETRIABLE, EXIT_CORRUPT = 2, 3, 75, 4  # 75 is EX_TEMPFAIL of sysexits.h


@contextmanager
def plain_errors() -> Generator[None]:
    """Turn an error of the exchange into one line on stderr and an exit code by family."""
    try:
        yield
    except ExchangeError as error:
        err.print(f"[bold red]{error.code}[/]: {error}", markup=True)
        code = {Denied: EXIT_DENIED, Retriable: EXIT_RETRIABLE, Corrupt: EXIT_CORRUPT}
        raise typer.Exit(next((code[kind] for kind in code if isinstance(error, kind)), EXIT_REFUSED)) from error


def table(columns: Sequence[str], rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> None:
    """Print a table; cells become text."""
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(grid)


def progress_bar() -> Progress:
    """Return the bar of long work, on stderr; its tasks say what is being done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True)
