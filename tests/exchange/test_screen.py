"""What the command line prints: identifiers whole, to be copied, and a stranger's text as it is."""

import errno
import io
import time
from datetime import UTC, datetime

import pytest
import typer
from rich.console import Console

from exchange.terminal import screen
from exchange.terminal.screen import EXIT_REFUSED, plain_errors, table, when
from kernel.errors import InvalidRequest

UID = "2.25." + "7" * 39


@pytest.fixture
def printed(monkeypatch):
    """Let a console of 80 columns print into a file, as a terminal or not."""

    def console(*, is_terminal: bool) -> io.StringIO:
        file = io.StringIO()
        made = Console(
            file=file, width=80, force_terminal=is_terminal, color_system=None, highlight=False, soft_wrap=True
        )
        monkeypatch.setattr(screen, "out", made)
        monkeypatch.setattr(screen, "err", made)
        return file

    return console


@pytest.fixture
def in_vietnam(monkeypatch):
    """Set this process's clock to Vietnam's time, and back."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "ICT-7")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_vietnam")
def test_a_time_is_told_by_this_computers_clock_with_its_offset():
    assert when(datetime(2026, 11, 22, 20, 5, 9, tzinfo=UTC)) == "2026-11-23 03:05:09+0700"


def test_a_uid_is_never_cut_or_broken_on_a_terminal_and_what_has_spaces_is_folded(printed):
    file = printed(is_terminal=True)

    table(("study", "instance", "why"), [(UID, UID[:-1] + "8", "some words " * 8)])

    assert UID in file.getvalue()
    assert UID[:-1] + "8" in file.getvalue()
    assert "\u2026" not in file.getvalue()
    assert len(file.getvalue().splitlines()) > 2


def test_a_row_in_a_pipe_is_one_line(printed):
    file = printed(is_terminal=False)

    table(("study", "why"), [(UID, "some words " * 20), (None, 3)])

    head, first, second = file.getvalue().splitlines()
    assert (head.split(), first.split()[0], second.split()) == (["study", "why"], UID, ["3"])


def test_a_table_without_rows_has_its_head(printed):
    file = printed(is_terminal=True)

    table(("study", "why"), iter(()))

    assert file.getvalue().split() == ["study", "why"]


def test_brackets_in_a_cell_or_an_error_are_text(printed):
    file = printed(is_terminal=True)

    table(("name",), [("NGUYEN [/red] [bold]",)])
    with pytest.raises(typer.Exit) as ended, plain_errors():
        raise InvalidRequest(reason="no [[source]] fits [/x]")

    assert "NGUYEN [/red] [bold]" in file.getvalue()
    assert "no [[source]] fits [/x]" in file.getvalue()
    assert ended.value.exit_code == EXIT_REFUSED


def test_a_file_that_cannot_be_had_is_told_and_a_fault_of_ours_keeps_its_traceback(printed, tmp_path):
    file = printed(is_terminal=True)

    with pytest.raises(typer.Exit) as ended, plain_errors():
        (tmp_path / "absent" / "report.html").write_text("")
    with pytest.raises(OSError, match="Bad file descriptor"), plain_errors():
        raise OSError(errno.EBADF, "Bad file descriptor")

    assert f"{tmp_path / 'absent' / 'report.html'}: No such file or directory" in file.getvalue()
    assert ended.value.exit_code == EXIT_REFUSED
