"""A PostgreSQL server of one's own, in a temporary folder: what is said of a real server is tested on one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "s3cr3t-Päss'word"
USER = "reader"


@dataclass(frozen=True)
class Server:
    """A server that runs, with a superuser `reader` who proves a password."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def running_server() -> Iterator[Server]:
    """Starts a server, and stops it in the end. It does not run as root, which PostgreSQL refuses."""
    bin_folder = programs()
    assert bin_folder is not None, "PostgreSQL is not installed: apt-get install postgresql"
    base = Path(tempfile.mkdtemp(prefix="nnspec-postgres-"))
    account = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if account:
        entry = pwd.getpwnam("postgres")
        os.chown(base, entry.pw_uid, entry.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (base / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    data = base / "data"

    def call(program: str, *arguments: str) -> None:
        command = [str(bin_folder / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=base, timeout=120, **account)  # type: ignore[call-overload]

    try:
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        call("initdb", "-D", str(data), "-U", USER, f"--pwfile={base / 'password'}", *options)
        settings = f"-p {port} -k {base} -c listen_addresses=127.0.0.1 -c fsync=off -c log_statement=all"
        call("pg_ctl", "-D", str(data), "-l", str(base / "log"), "-w", "-o", settings, "start")
        try:
            yield Server(port, base)
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)
