"""What the command line prints: one console, plain words, tables, and errors without a traceback."""

import errno
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kernel.errors import Corrupt, Denied, ExchangeError, Retriable

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_REFUSED, EXIT_DENIED, EXIT_RETRIABLE, EXIT_CORRUPT = 2, 3, 75, 4  # 75 is EX_TEMPFAIL of sysexits.h

PIPE_CHARACTERS = 10_000  # of a line that no terminal shows


MENDED_BY_HAND = frozenset(  # what a person can do something about: a path, a right, room; others are faults of ours
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


@contextmanager
def plain_errors() -> Generator[None]:
    """Turn an error of the exchange, or a file that cannot be had, into one line on stderr and an exit code by family."""
    try:
        yield
    except ExchangeError as error:
        raise typer.Exit(told(error)) from error
    except OSError as error:
        if error.errno not in MENDED_BY_HAND:
            raise
        raise typer.Exit(told(error)) from error


def told(error: ExchangeError | OSError) -> int:
    """Say an error in one line on stderr; return the exit code of its family."""
    if isinstance(error, OSError):
        err.print(f"{error.filename}: {error.strerror}" if error.filename else error.strerror, markup=False)
        return EXIT_REFUSED
    err.print(Text.assemble((error.code, "bold red"), f": {error}"))
    code = {Denied: EXIT_DENIED, Retriable: EXIT_RETRIABLE, Corrupt: EXIT_CORRUPT}
    return next((code[kind] for kind in code if isinstance(error, kind)), EXIT_REFUSED)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; cells become text, without markup.

    No word is cut off or broken, as UIDs are there to be copied: a terminal that is too narrow wraps the line itself.
    A row in a file or a pipe is one line.
    """
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name, *cells in zip(columns, *texts, strict=True):
        words = " ".join((name, *cells)).split()
        grid.add_column(name, min_width=max(map(len, words), default=0))
    for cells in texts:
        grid.add_row(*map(Text, cells))
    if not out.is_terminal:
        grid.width = out.measure(grid, options=out.options.update(max_width=PIPE_CHARACTERS)).maximum
    out.print(grid)


def when(moment: datetime) -> str:
    """Return a moment by this computer's clock, with its offset from UTC: whoever reads it looks at a clock, too."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S%z}"


def progress_bar() -> Progress:
    """Return the bar of long work, on stderr; its tasks say what is being done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True)
