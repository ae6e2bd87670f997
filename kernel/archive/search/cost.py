"""What one search may cost: it is stopped and refused beyond, on either engine."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kernel.database import is_sqlite
from kernel.errors import QueryTooBroad

SQLITE_STEPS_MAX: Final = 200_000_000  # virtual machine instructions of one search: a few seconds
POSTGRESQL_MS_MAX: Final = 5_000
STEPS_EACH: Final = 100_000  # SQLite asks after so many


@contextmanager
def bounded(connection: Connection, share: int = 1) -> Generator[None]:
    """Stop a search that costs too much: more than one part in `share` of the bound.

    Raises
    ------
    QueryTooBroad
        It was stopped.
    """
    driver: Any = connection.connection.driver_connection
    on_sqlite = is_sqlite(connection)
    if on_sqlite:
        left = iter(range(SQLITE_STEPS_MAX // STEPS_EACH // share))
        driver.set_progress_handler(lambda: next(left, None) is None, STEPS_EACH)
    else:
        connection.execute(text(f"SET LOCAL statement_timeout = {POSTGRESQL_MS_MAX // share}"))
    try:
        yield
        if share > 1 and not on_sqlite:  # else ROLLBACK would have as little time, and fail on a busy machine
            connection.execute(text(f"SET LOCAL statement_timeout = {POSTGRESQL_MS_MAX}"))
    except DBAPIError as error:
        if _was_stopped(error):
            raise QueryTooBroad(reason="it would take too long") from None
        raise
    finally:
        if on_sqlite:
            driver.set_progress_handler(None, 0)


def _was_stopped(error: DBAPIError) -> bool:
    return "interrupted" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "57014"
