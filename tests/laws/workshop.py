"""The folder that is built again and again, and the fresh copies that it is held against."""

from __future__ import annotations

import os
import re
import shutil
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.harness.command import run_envc
from tests.harness.repository import LINK, git, read_files

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tests.laws.repositories import Files

_EPOCH_NS: Final = 1_700_000_000_000_000_000
"""Sources are written as if long ago: times of now are not trusted, which would hide what looks at times miss."""
_NOTHING_CHANGED: Final = re.compile(
    r"^(?:[^:\n]+: (?:[^\n]*, )?nothing changed|[^\n]*nothing to do|\d+ environments are current)\n", re.MULTILINE
)
_COUNTS: Final = re.compile(r"^[^:\n]+: \d+ (?:resources|files), .*\n", re.MULTILINE)
OUTPUT: Final = "environments"


class Answer(NamedTuple):
    """What a command left: exit code, texts without the folder's own path, and the files of environments/."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


class Workshop:
    """A repository on disk whose sources follow a mapping of paths to texts.

    Args:
        root: the folder; it is made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: Files = {}
        self._clock = 0
        root.mkdir()
        git(root, "init", "--quiet", "--template=")

    def put(self, files: Files) -> None:
        """Bring the sources on disk to these texts; only what differs is written, with a time of its own."""
        for path in self.files.keys() - files.keys():
            (self.root / path).unlink()
            self._remove_empty((self.root / path).parent)
        for path, text in files.items():
            if self.files.get(path) == text:
                continue
            target = self.root / path
            _write(target, text)
            self.tick(target)
        self.files = dict(files)

    def tick(self, target: Path) -> None:
        """Give a file the time of its own moment, long ago."""
        self._clock += 1
        moment = _EPOCH_NS + self._clock * 1_000_000_007
        os.utime(target, ns=(moment, moment), follow_symlinks=False)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def commit(self) -> str:
        """Commit all that git does not ignore, also what its index takes for unchanged by time and size; the hash."""
        (self.root / ".git/index").unlink(missing_ok=True)
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--no-verify", "--message=step")
        return git(self.root, "rev-parse", "HEAD")

    def private(self) -> frozenset[str]:
        """The sources that git ignores, after a commit of everything else."""
        known = git(self.root, "ls-files", "-z").split("\0")
        return frozenset(self.files) - frozenset(known)

    def fresh(self, target: Path, *, outputs: bool, without: Collection[str] = ()) -> Path:
        """A copy as a fresh clone would have it: sources, git, with or without the outputs, and no memo.

        Args:
            target: where it is made, in the place of what is there.
            outputs: whether it has compiled files as well.
            without: sources that it does not have.
        """
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for path, text in self.files.items():
            if path not in without:
                _write(target / path, text)
        if outputs and (self.root / OUTPUT).exists():
            shutil.copytree(self.root / OUTPUT, target / OUTPUT, symlinks=True)
        borrow_history(self.root / ".git", target / ".git")
        return target


def _write(target: Path, text: str) -> None:
    """Write a file in the place of what is there; the text of a symlink makes one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink():
        target.unlink()
    if text.startswith(LINK):
        target.unlink(missing_ok=True)
        target.symlink_to(text.removeprefix(LINK))
    else:
        target.write_text(text, encoding="utf-8")


def borrow_history(git_folder: Path, target: Path) -> None:
    """A git folder of the same commits and index that reads the objects of another one."""
    (target / "objects" / "info").mkdir(parents=True)
    (target / "objects" / "info" / "alternates").write_text(f"{git_folder / 'objects'}\n")
    for name in ("HEAD", "config", "index", "packed-refs"):
        if (git_folder / name).exists():
            shutil.copyfile(git_folder / name, target / name)
    shutil.copytree(git_folder / "refs", target / "refs")


def ask(root: Path, *arguments: str) -> Answer:
    """Run `envc` in a folder; the texts do not name the folder."""
    outcome = run_envc(root, *arguments)
    out, err = (text.replace(str(root), "ROOT") for text in (outcome.out, outcome.err))
    return Answer(outcome.code, out, err, read_files(root / OUTPUT))


@cache
def can(option: str, *command: str) -> bool:
    """Tell whether a command knows an option: what is still to come is not asked for."""
    return option in run_envc(None, *command, "--help").out


def without_counts(answer: Answer) -> Answer:
    """The same answer without the lines that count what was done to each environment's files."""
    return answer._replace(err=_COUNTS.sub("", without_idleness(answer).err))


def without_idleness(answer: Answer) -> Answer:
    """The same answer without the lines that say that nothing changed: who knows it at once may say so in short."""
    return answer._replace(err=_NOTHING_CHANGED.sub("", answer.err))


def difference(one: Answer, other: Answer) -> str:
    """The first things in which two answers differ; nothing when they agree."""
    found = []
    if one.code != other.code:
        found.append(f"exit code {one.code}, fresh {other.code}")
    found += [
        f"{name}:\n--- here\n{mine}--- fresh\n{theirs}"
        for name, mine, theirs in (("stdout", one.out, other.out), ("stderr", one.err, other.err))
        if mine != theirs
    ]
    found += [
        f"{OUTPUT}/{path}: {_first_line_apart(one.files.get(path), other.files.get(path))}"
        for path in sorted(one.files.keys() | other.files.keys())
        if one.files.get(path) != other.files.get(path)
    ][:5]
    return "\n".join(found)


def _first_line_apart(one: bytes | None, other: bytes | None) -> str:
    if one is None:
        return "missing here"
    if other is None:
        return "not in the fresh one"
    mine, theirs = one.splitlines(), other.splitlines()
    for number, (left, right) in enumerate(zip([*mine, b"(end)"], [*theirs, b"(end)"], strict=False), 1):
        if left != right:
            return f"line {number} is {left.decode(errors='replace')!r}, fresh {right.decode(errors='replace')!r}"
    return "line ends differ"
