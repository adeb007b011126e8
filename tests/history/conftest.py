"""Small repositories with a history, and both kinds of databases to record it into."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from envcompile.actions.past import open_past
from envcompile.actions.record import record
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.history import postgres, timescale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from envcompile.actions.past import Past
    from envcompile.actions.record import Recorded

START = 1_700_000_000


class Folder(NamedTuple):
    """A git repository with a project, whose commits are a minute apart."""

    root: Path
    minutes: Iterator[int]

    def git(self, *arguments: str) -> str:
        """Run git; what it prints."""
        now = f"{START + 60 * next(self.minutes)} +0000"
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, "GIT_AUTHOR_DATE": now, "GIT_COMMITTER_DATE": now, "GIT_EDITOR": "true"},
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; `/` is `__` in their names, and `.yaml` is added."""
        write_files(self.root, {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()})

    def commit(self, message: str, **files: str) -> str:
        """Write files and commit everything; the commit's hash."""
        self.write(**files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def past(self) -> Past:
        """The history; the caller closes it."""
        return open_past(self.root, create=True)

    def record(self) -> Recorded:
        """Record everything that HEAD reaches."""
        past = self.past()
        try:
            return record(past.repository, past.store, past.repository.walk(["HEAD"], oldest_first=True))
        finally:
            past.close()


def new_folder(root: Path) -> Folder:
    """A repository with two environments and no commit yet."""
    folder = Folder(root, count())
    write_files(
        root,
        {
            ".gitignore": ".envc/\n",
            "base/web.yaml": deployment(),
            "base/settings.yaml": config_map(color="blue", size="small"),
            "overlays/dev/environment.yaml": environment(),
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
        },
    )
    folder.git("init", "--quiet", "--initial-branch=main")
    folder.git("config", "user.name", "Ada")
    folder.git("config", "user.email", "ada@example.com")
    return folder


REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
"""Read at import: each test runs in a clean environment."""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A repository with two environments and no commit yet."""
    root = tmp_path / "project"
    root.mkdir()
    return new_folder(root)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The socket's folder of a private PostgreSQL server."""
    reason = postgres.missing()
    if reason and REQUIRED:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with postgres.server() as socket:
        yield socket


@pytest.fixture(scope="session")
def new_postgres(postgres_socket: Path) -> Callable[[], str]:
    """Makes an empty database; its address."""
    import psycopg

    numbers = count()

    def make() -> str:
        name = f"history{next(numbers)}"
        with psycopg.connect(postgres.url(postgres_socket, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return postgres.url(postgres_socket, name)

    return make


TIMESCALE: Final = os.environ.get("ENVC_TIMESCALE_URL", "")
"""A database with TimescaleDB that tests may empty; where it is not named, one is started that npm has."""


@pytest.fixture(scope="session")
def timescale_server() -> Iterator[str]:
    """The address of a database with TimescaleDB."""
    if TIMESCALE:
        yield TIMESCALE
        return
    reason = timescale.missing()
    if reason and REQUIRED:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with timescale.server() as address:
        yield address


@pytest.fixture
def new_timescale(timescale_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the database, emptied; what is sent to it is small, as it has to be there."""
    timescale.make_usable(monkeypatch)
    timescale.empty(timescale_server)
    return timescale_server


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the databases, named by ENVC_HISTORY_URL where it is not the default."""
    name: str = request.param
    if name == "postgresql":
        monkeypatch.setenv("ENVC_HISTORY_URL", request.getfixturevalue("new_postgres")())
    return name
