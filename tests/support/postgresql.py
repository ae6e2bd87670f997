"""A real PostgreSQL server for tests: one a session, on loopback, a fresh database for each test.

Also `database`, an open and migrated kernel database, once on SQLite and once on PostgreSQL.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from kernel.database import Database
from tests.support.absent import absent

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "fsync": "off",  # the tests kill processes, not the machine; they ask the writer for order, not the disk
}
_START_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server that trusts everybody on this machine."""

    port: int
    folder: Path

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://vienanh@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str, name: str = "postgres") -> None:
        with psycopg.connect(self._dsn(name), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _dsn(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=vienanh dbname={name}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        cluster, port = folder / "cluster", _free_port()
        _run(binaries / "initdb", "-D", cluster, "-U", "vienanh", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with (cluster / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{key} = {value}\n" for key, value in _SETTINGS.items())
            settings.write(f"unix_socket_directories = '{folder}'\nport = {port}\n")
        _run(binaries / "pg_ctl", "-D", cluster, "-l", folder / "log", "-w", "-t", str(_START_S), "start")
        try:
            yield Server(port, folder)
        finally:
            _run(binaries / "pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")


_names = count(1)


@pytest.fixture
def postgresql(postgresql_server: Server) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = f"test_{next(_names)}"
    postgresql_server.run(f"CREATE DATABASE {name}")
    yield postgresql_server.url(name)
    postgresql_server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a fresh, empty database is, on each engine in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return f"sqlite:///{tmp_path / 'vienanh.db'}"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database, to be copied: migrating once is enough."""
    path = tmp_path_factory.mktemp("migrated") / "vienanh.db"
    _migrate(path)
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: Server) -> str:
    """The name of a migrated, empty database, to be a template."""
    postgresql_server.run("CREATE DATABASE migrated")
    _migrate(postgresql_server.url("migrated"))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated kernel database of its own for the test, on each engine in turn."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "vienanh.db")
        database = Database.open(tmp_path / "vienanh.db")
        yield database
        database.close()
        return
    server: Server = request.getfixturevalue("postgresql_server")
    name = f"test_{next(_names)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('migrated_postgresql')}")
    database = Database.open(server.url(name))
    yield database
    database.close()
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


def _migrate(target: str | Path) -> None:
    database = Database.open(target)
    database.migrate()
    database.close()


def _binaries() -> Path:
    if not _BINARIES:
        absent("peer postgresql is missing: no /usr/lib/postgresql/*/bin/initdb (Debian: apt-get install postgresql)")
    return _BINARIES[-1].parent


def _run(program: Path, *arguments: object) -> None:
    """Run a program of the server, which refuses root, as the distribution's own account then."""
    command = [str(program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # The server inherits open pipes: its output goes to a file, or a reader of the pipe would wait for its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False)
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
