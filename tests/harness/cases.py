"""Cases: small repositories with the commands to run in them and everything that must come out.

A case is a folder with `case.yaml`, the repository's files, and `expected/`: the transcript of the commands and the
compiled environments. `case.yaml` states the promise, the commands and their exit codes; because the codes are stated,
refreshing goldens can never turn a success into a failure.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.harness.command import run_envc
from tests.harness.goldens import GoldenError, compare_with_goldens
from tests.harness.repository import read_files

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parents[1] / "cases"
_OWN = ("case.yaml", "expected")


@dataclass(frozen=True)
class Case:
    """One case: its folder, what it promises, and its commands with their exit codes."""

    folder: Path
    promise: str
    commands: tuple[tuple[str, int], ...]


def all_cases() -> Iterator[Case]:
    """Every case, by name."""
    for file in sorted(CASES.glob("*/case.yaml")):
        yield read_case(file.parent)


def read_case(folder: Path) -> Case:
    """Read a case; a command that is no map is expected to succeed."""
    stated = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    commands = [item if isinstance(item, dict) else {item: 0} for item in stated["run"]]
    return Case(folder, stated["promise"], tuple(pair for command in commands for pair in command.items()))


def run_case(case: Case, scratch: Path, *, update: bool = False) -> None:
    """Run a case in a copy of its files and compare everything it gives.

    Raises:
        GoldenError: an exit code, an output or a compiled file is not as stated.
    """
    root = scratch / "project"
    shutil.copytree(case.folder, root, ignore=shutil.ignore_patterns(*_OWN), symlinks=True)
    transcript = []
    for line, expected_code in case.commands:
        outcome = run_envc(root, *shlex.split(line))
        if outcome.code != expected_code:
            raise GoldenError(f"envc {line}: exit {outcome.code}, not {expected_code}\n{outcome.out}{outcome.err}")
        transcript.append(f"$ envc {line}\nexit {outcome.code}\n")
        for name, text in (("stdout", outcome.out), ("stderr", outcome.err)):
            if text:
                transcript.append(f"----- {name}\n{text.replace(str(root), '<root>')}")
    files = {"transcript.txt": "".join(transcript).encode()}
    files |= {f"environments/{path}": data for path, data in read_files(root / "environments").items()}
    compare_with_goldens(case.folder / "expected", files, update=update)
