"""Keeps the results of jsonnet files between runs, by the files they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from envcompile.plainfiles import read_plain
from envcompile.sources.jsonnetimports import Dependency

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.sources.tree import File

_VERSION = "1 gojsonnet 0.22"
"""What evaluates, and in which form results are kept: results of another are none."""
_MOST = 5000
"""Results that are kept; the oldest give way."""


class Stored(NamedTuple):
    """The output of one evaluation as jsonnet printed it, and every file that it looked at."""

    output: str
    dependencies: tuple[Dependency, ...]


def evaluation_key(file: File, environment: str) -> str:
    """Names an evaluation by its file and what it was given; its imports are checked when the result is taken up.

    Args:
        file: the jsonnet file.
        environment: the environment as code; for a result that every environment shares, the names of its parameters.
    """
    parts = (_VERSION.encode(), file.path.encode(), hashlib.sha256(file.data).digest(), environment.encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


class EvaluationStore:
    """A folder with one JSON file for each result; whatever is wrong with it, the result is computed again.

    Args:
        folder: where the results lie, such as `.envc/jsonnet`.
        seal: what only this machine knows: a result that a branch brings along is none.
    """

    __slots__ = ("_folder", "_seal")

    def __init__(self, folder: Path, seal: str) -> None:
        self._folder = folder
        self._seal = seal

    def load(self, key: str) -> Stored | None:
        """The result that is kept under a key; None when there is none, or it is damaged."""
        if not self._is_own():
            return None
        try:
            read = json.loads(read_plain(self._folder / f"{key}.json") or b"")
            body = json.dumps([read["output"], read["dependencies"]])
            if read["digest"] != hashlib.sha256(f"{self._seal}{key}{body}".encode()).hexdigest():
                return None
            found = tuple(Dependency(str(path), digest) for path, digest in read["dependencies"])
            return Stored(str(read["output"]), found)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, key: str, result: Stored) -> None:
        """Keep a result; a folder that cannot be written keeps nothing."""
        body = json.dumps([result.output, result.dependencies])
        digest = hashlib.sha256(f"{self._seal}{key}{body}".encode()).hexdigest()
        data = {"digest": digest, "output": result.output, "dependencies": result.dependencies}
        beside = self._folder / f"{key}.{os.getpid()}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            ignore = self._folder.parent / ".gitignore"
            if not self._is_own():
                return
            if self._folder.parent.name == ".envc" and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            beside.write_text(json.dumps(data), encoding="utf-8")
            beside.replace(self._folder / f"{key}.json")
            self._forget_the_oldest()
        except OSError:
            beside.unlink(missing_ok=True)

    def _is_own(self) -> bool:
        """Whether the folder is a real one: a symlink would lead somewhere else."""
        return not self._folder.is_symlink() and not self._folder.parent.is_symlink()

    def _forget_the_oldest(self) -> None:
        kept = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-_MOST]:
            path.unlink(missing_ok=True)
