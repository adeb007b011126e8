"""Running `envc` as people and scripts do: in this process for speed, or in one of its own."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE_ROOT = Path(__file__).parents[2]
"""The folder that `import envcompile` finds the package in."""
PATIENCE = 900
"""Seconds after which what a test waits for is taken to hang, on a machine however busy; no test counts on it."""


class Outcome(NamedTuple):
    """What a command left: its exit code, its data, and what it told people."""

    code: int
    out: str
    err: str


class _Stream(io.TextIOWrapper):
    """A text stream over bytes, as the interpreter's own are."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode()


def run_envc(root: Path | None, *arguments: str) -> Outcome:
    """Run `envc` in this process, for the project at `root` (that of the current folder when None)."""
    from envcompile.cli import main

    out, err = _Stream(), _Stream()
    argv = [*(["--project", str(root)] if root is not None else []), *arguments]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(argv)
        finally:
            gc.enable()
    return Outcome(code, out.text, err.text)


def spawn_envc(
    root: Path | None,
    *arguments: str,
    python: str = sys.executable,
    env: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start `envc` in a process of its own; the caller waits for it."""
    project = ["--project", str(root)] if root is not None else []
    return subprocess.Popen(
        [python, "-m", "envcompile", *project, *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
        **options,
    )


def call_envc(root: Path | None, *arguments: str, **options: Any) -> Outcome:
    """Run `envc` in a process of its own to its end."""
    with spawn_envc(root, *arguments, **options) as process:
        out, err = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, (out or b"").decode(), (err or b"").decode())
