"""Measures whole processes in pairs, A B A B, so that both sides of a ratio saw the same machine."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

PACKAGE: Final = Path(__file__).parents[2] / "envcompile"
_SAMPLER: Final = Path(__file__).with_name("sampler.py")
_AGE_SECONDS: Final = 3600
_SETTLED_SECONDS: Final = 0.15
"""After so long the stats of files that were copied show each change of them (`FINE_NS` of `seentimes.py`)."""
_SCRIPT: Final = PACKAGE.parent / "envcompile" / "cli" / "envc"
"""What an installer puts into `bin`."""


class BenchmarkError(Exception):
    """A measurement that cannot be made; the message says why."""


class Command(NamedTuple):
    """One process: its words, the folder it runs in, and the file that takes its output (none: thrown away)."""

    argv: tuple[str, ...]
    folder: Path
    stdout: Path | None = None


class Cost(NamedTuple):
    """What a few processes one after another cost: seconds, seconds, and the MiB of the largest."""

    wall: float
    cpu: float
    peak: float


class Pairs(NamedTuple):
    """The costs of two contenders, run by turns."""

    ours: list[Cost]
    theirs: list[Cost]

    @property
    def ratios(self) -> list[float]:
        """Our wall time over theirs, pair by pair."""
        return [ours.wall / theirs.wall for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def cpu_ratio(self) -> float:
        """The median ratio of CPU time; kustomize and Helm use several threads, so it is smaller than that of time."""
        return statistics.median(ours.cpu / theirs.cpu for ours, theirs in zip(self.ours, self.theirs, strict=True))


class Scratch:
    """A folder for all that a benchmark writes; every run gets a fresh place in it.

    Nothing is deleted between runs: ext4 avoids the inodes of files deleted a moment ago, so that re-creating
    thousands of files right after deleting them measures the file system's caution and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def fresh(self, name: str) -> Path:
        """A path that nothing has used yet."""
        self._count += 1
        return self.folder / f"{self._count:04d}-{name}"

    def copy(self, source: Path, name: str) -> Path:
        """A fresh copy of a tree, its files as old as the source's, and its inodes as old as it takes to be trusted."""
        target = self.fresh(name)
        shutil.copytree(source, target)
        time.sleep(_SETTLED_SECONDS)
        return target


@contextmanager
def scratch(parent: Path | None) -> Generator[Scratch]:
    """A scratch folder that is gone afterwards: below `parent`, else in memory where the system has /dev/shm."""
    memory = Path("/dev/shm")  # ruff: ignore[hardcoded-temp-file] - only the parent of a folder with a random name
    below = parent if parent is not None else memory if os.access(memory, os.W_OK) else None
    with TemporaryDirectory(prefix="envc-benchmark-", dir=below) as folder:
        yield Scratch(Path(folder))


class Bench:
    """Runs commands in a bare environment in which `envc` is an installed, compiled copy of this tree."""

    def __init__(self, place: Scratch, path: str) -> None:
        self.scratch = place
        self._library = place.fresh("library")
        # A copy, because the tree may be edited while this runs; compiled, because an installer compiles too.
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, self._library / PACKAGE.name, ignore=ignored)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(self._library)], check=True)
        self._script = self._library / "envc"
        shutil.copyfile(_SCRIPT, self._script)
        home = place.fresh("home")
        home.mkdir()
        self.environment = {"HOME": str(home), "PATH": path, "PYTHONPATH": str(self._library), "LC_ALL": "C.UTF-8"}

    def envc(self, project: Path, *arguments: str, stdout: Path | None = None) -> Command:
        """`envc` in a project's folder, with the interpreter that runs the benchmark."""
        return Command((sys.executable, str(self._script), *arguments), project, stdout)

    def bare_python(self) -> Command:
        """The least that the same interpreter costs."""
        return Command((sys.executable, "-c", "pass"), self.scratch.folder)

    def run(
        self, commands: Sequence[Command], environment: Mapping[str, str] | None = None, *, may_differ: bool = False
    ) -> Cost:
        """Run commands one after another and return what they cost together.

        Args:
            commands: the processes.
            environment: env vars besides the bare ones.
            may_differ: whether an exit code of 16, something differs, is an answer as well.

        Raises:
            BenchmarkError: one of them failed; in its own words.
        """
        stderr = self.scratch.fresh("stderr")
        request = {
            "commands": [
                {
                    "argv": list(command.argv),
                    "folder": str(command.folder),
                    "stdout": str(command.stdout or os.devnull),
                    "stderr": str(stderr),
                }
                for command in commands
            ],
            "environment": {**self.environment, **(environment or {})},
        }
        made = subprocess.run(
            [sys.executable, "-I", "-S", str(_SAMPLER)],
            input=json.dumps(request).encode(),
            capture_output=True,
            check=True,
        )
        answer = json.loads(made.stdout)
        for command, status in zip(commands, answer["status"], strict=True):
            if status not in ({0, 16} if may_differ else {0}):
                said = stderr.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise BenchmarkError(f"{' '.join(command.argv)}: status {status}\n{said}")
        return Cost(answer["wall"], answer["cpu"], answer["peak"] / 1024)

    def pairs(self, runs: int, ours: Callable[[], Cost], theirs: Callable[[], Cost]) -> Pairs:
        """Measure two contenders by turns, after one turn of each that does not count."""
        ours()
        theirs()
        found = Pairs([], [])
        for _ in range(runs):
            found.ours.append(ours())
            found.theirs.append(theirs())
        return found


def processor_of(pid: int) -> float:
    """Seconds of the processor that a process has used so far, those of its children left out.

    Source: proc(5), the fields utime and stime of /proc/PID/stat, counted from the name in brackets.
    """
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def age(folder: Path) -> None:
    """Make every file of a tree an hour old: a file saved a moment ago is compared by content."""
    then = time.time() - _AGE_SECONDS
    for path in folder.rglob("*"):
        os.utime(path, (then, then))
