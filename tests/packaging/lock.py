"""Locks every dependency with its digests: `python -m tests.packaging.lock` writes both files (needs the program uv).

`requirements.lock` is what a plain installation takes, `requirements-dev.lock` also has what tests and releases take.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
UV = Path(sysconfig.get_path("scripts")) / "uv"


class Lock(NamedTuple):
    """One file, and for which extras it holds everything."""

    name: str
    extras: tuple[str, ...]


LOCKS = (Lock("requirements-dev.lock", ("dev", "release")), Lock("requirements.lock", ()))
"""In the order in which they are made: the smaller one takes the versions of the larger."""


class Locked(NamedTuple):
    """One line of a lock."""

    requirement: Requirement
    digests: tuple[str, ...]


def read(lock: Lock) -> list[Locked]:
    """What a lock holds; one that is for some Pythons or systems only has a marker."""
    text = (ROOT / lock.name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [
        Locked(
            Requirement(" ".join(word for word in words if not word.startswith("--hash="))),
            tuple(word.removeprefix("--hash=") for word in words if word.startswith("--hash=")),
        )
        for words in lines
    ]


def write(*, upgrade: bool = False) -> None:
    """Ask the index for what is missing or, with `upgrade`, for the newest of everything."""
    for lock in LOCKS:
        options = ["--generate-hashes", "--universal", "--python-version=3.11", "--no-emit-index-url", "--no-annotate"]
        options += [
            "--no-header",
            "--quiet",
            f"--output-file={lock.name}",
            *(f"--extra={name}" for name in lock.extras),
        ]
        options += [f"--constraint={LOCKS[0].name}"] if lock != LOCKS[0] else []
        options += ["--upgrade"] if upgrade else []
        command = [str(UV), "pip", "compile", "pyproject.toml", *options]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    write(upgrade="--upgrade" in sys.argv[1:])
