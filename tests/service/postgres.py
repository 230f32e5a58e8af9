"""A PostgreSQL of the tests' own: made in a temporary folder, on a free port of loopback, stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

VERSIONS = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Folder of the newest PostgreSQL's programs; None where none is installed, or root has no other user to run it."""
    onpath = [Path(found).resolve().parent for found in (shutil.which("initdb"),) if found]
    folders = [*sorted(VERSIONS.glob("*/bin"), key=lambda path: -int(path.parent.name)), *onpath]
    usable = os.name != "nt" and (os.geteuid() != 0 or shutil.which("runuser"))
    return next((one for one in folders if (one / "initdb").exists() and (one / "pg_ctl").exists() and usable), None)


class Cluster:
    """A server that can be stopped and started."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="capitate-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._call("initdb", "-D", self._data, "-U", "capitate", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://capitate@127.0.0.1:{self.port}/{name}"

    def new_schema(self) -> str:
        """Make an empty schema, quicker than a database, and return the address at which it is all there is."""
        name = f"t{os.urandom(6).hex()}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def new_database(self, *, encoding: str) -> str:
        """Make an empty database and return its address."""
        name = f"t{os.urandom(6).hex()}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
            connection.execute(made.encode())
        return self.url(name)

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=60 "
            "-c fsync=off"  # a server that is killed loses nothing by it, only a machine would
        )
        log = str(self._folder / "log")
        self._call("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "-t", "60", "start")

    def stop(self) -> None:
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        # into a file: the server keeps what it inherits, and a pipe would never end
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False)
            said.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program} ended with {done.returncode}: {said.read()}")
