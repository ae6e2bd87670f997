"""Where a node's database is, as its configuration says."""

from pathlib import Path

from kernel.config import Config
from kernel.errors import InvalidConfiguration

DATABASE_FILE = "vienanh.db"


def target_of(config: Config) -> tuple[str | Path, str | None]:
    """Return the path or URL of the database, and its password.

    Raises
    ------
    InvalidConfiguration
        The password file cannot be read, or is empty.
    """
    settings = config.database
    if not settings.url:
        return config.node.data / DATABASE_FILE, None
    if settings.password_file is None:
        return settings.url, None
    try:
        return settings.url, settings.password_file.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError) as error:
        raise InvalidConfiguration(
            source=config.origin, key="database.password_file", reason="cannot be read, or is empty"
        ) from error
