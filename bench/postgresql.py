"""A real PostgreSQL server for benches: on loopback, durable as in production, tuned as modestly as a hospital would."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from bench.peers import free_port

SETTINGS: Final = {
    "listen_addresses": "'127.0.0.1'",
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "16MB",
    "random_page_cost": "1.1",  # not a spinning disk
    "max_wal_size": "8GB",
}
_START_S: Final = 60


@dataclass(frozen=True, slots=True)
class PostgreSql:
    """A running server with one empty database."""

    url: str  # as the node's configuration wants it
    dsn: str
    version: str
    pid: int


@contextmanager
def postgresql(home: Path) -> Iterator[PostgreSql]:
    """Run the distribution's newest server on the cluster in the folder `home`, which is made when it is not there.

    Raises
    ------
    SystemExit
        There is none on this machine.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise SystemExit("PostgreSQL is missing (Debian: apt-get install postgresql)")
    binaries = found[-1].parent
    cluster, port = home / "cluster", free_port()
    if not cluster.exists():
        home.mkdir()
        if os.geteuid() == 0:
            home.parent.chmod(0o711)  # the server's own account must pass
            shutil.chown(home, "postgres")
        _run(binaries / "initdb", "-D", cluster, "-U", "vienanh", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    with (cluster / "postgresql.conf").open("a") as settings:  # of a key that is there twice, the last line counts
        settings.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
        settings.write(f"unix_socket_directories = '{home}'\nport = {port}\n")
    _run(binaries / "pg_ctl", "-D", cluster, "-l", home / "log", "-w", "-t", _START_S, "start")
    try:
        dsn = f"host=127.0.0.1 port={port} user=vienanh dbname=postgres"
        with psycopg.connect(dsn) as connection:
            version = connection.info.parameter_status("server_version") or "?"
        pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
        yield PostgreSql(f"postgresql+psycopg://vienanh@127.0.0.1:{port}/postgres", dsn, version.split()[0], pid)
    finally:
        _run(binaries / "pg_ctl", "-D", cluster, "-w", "-m", "fast", "stop")


def _run(program: Path, *arguments: object) -> None:
    """Run a program of the server, which refuses root, as the distribution's own account then."""
    command = [str(program), *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    with tempfile.TemporaryFile() as output:  # the server inherits a pipe, and its reader would wait for its end
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False)
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program.name} failed:\n{output.read().decode(errors='replace')[-2000:]}")
