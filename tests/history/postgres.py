"""A private PostgreSQL server for the tests: in a temporary folder, on a unix socket, as a user who is not root."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

PASSWORD = "a-password-of-the-tests"


def missing() -> str:
    """Why no server can be started here; empty when one can."""
    if _programs() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and not _user():
        return "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`"
    return ""


@contextmanager
def server(largest: int = 0) -> Generator[Path]:
    """A running server; the folder of its socket, where user `test` has the password `PASSWORD`.

    Args:
        largest: bytes that none of its files may exceed, as on a disk that is full; 0 for no limit.
    """
    programs = _programs()
    if programs is None:
        raise ValueError(missing())
    # The path of a unix socket is at most 107 bytes: pytest's own folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="envc-pg-"))
    user = _user() if os.getuid() == 0 else ""
    options: dict[str, Any] = {"user": user, "cwd": folder} if user else {"cwd": folder}
    try:
        if user:
            shutil.chown(folder, user)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        data = folder / "data"
        _run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "test",
                "-A",
                "scram-sha-256",
                "--pwfile",
                secret,
                "-E",
                "UTF8",
                "-N",
                "--wal-segsize=1",
            ],
            options,
        )
        if largest:
            options["preexec_fn"] = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (largest, largest))
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _run([programs / "pg_ctl", "-D", data, "-w", "-o", settings, "-l", folder / "log", "start"], options)
        try:
            yield folder
        finally:
            _run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url(folder: Path, name: str, password: str = PASSWORD) -> str:
    """The address of a database of the server."""
    return f"postgresql://test:{password}@/{name}?host={folder}"


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), "")


def _run(command: list[Any], options: dict[str, Any]) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        **options,
    )
