"""How old the lines of a file are, and which commits held a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.git.discovery import place_of
from envcompile.git.objects import GitObjects
from envcompile.git.run import ask_quietly, without_filters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLAMED = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+) (\d+)$")


class LineOrigin(NamedTuple):
    """The commit that made a line what it is; empty and 0 for a line that is not committed."""

    commit: str
    time: int
    """Seconds since 1970, of the committer."""
    author: str


def line_times(root: Path, file: str) -> dict[int, int]:
    """When each line of a file was committed: line from 1 -> seconds since 1970; 0 for uncommitted lines.

    Empty when git cannot tell.
    """
    return {line: origin.time for line, origin in line_origins(root, file).items()}


def line_origins(root: Path, file: str, revision: str | None = None) -> dict[int, LineOrigin]:
    """Which commit made each line of a file, from 1, as a revision or the folder has it; empty when git cannot tell."""
    place = place_of(root)
    if place is None:
        return {}
    origins: dict[str, LineOrigin] = {}
    author = ""
    ranges: list[tuple[int, int, str]] = []
    words = ("--incremental", "--no-textconv", *([revision] if revision else []), "--", file)
    # Of a file in the folder git would ask filters what a commit would hold of it.
    for text in ask_quietly(place if revision else without_filters(place), "blame", *words).splitlines():
        if match := _BLAMED.match(text):
            ranges.append((int(match[2]), int(match[3]), match[1]))
        elif text.startswith("author "):
            author = text.removeprefix("author ")
        elif text.startswith("committer-time "):
            # git books lines that are not committed on a commit of zeros, with the present moment.
            commit = ranges[-1][2]
            is_committed = bool(commit.strip("0"))
            origins[commit] = (
                LineOrigin(commit, int(text.split()[1]), author) if is_committed else LineOrigin("", 0, "")
            )
    return {line: origins[commit] for first, count, commit in ranges for line in range(first, first + count)}


def changed_files(root: Path) -> frozenset[str]:
    """The files below a folder that are not as the commit has them that is checked out; new ones are not among them.

    Args:
        root: the folder; the paths count from there.
    """
    place = place_of(root)
    if place is None:
        return frozenset()
    words = ("--name-only", "--relative", "-z", "--no-ext-diff", "--no-textconv", "HEAD", "--", ".")
    return frozenset(name for name in ask_quietly(without_filters(place), "diff", *words).split("\0") if name)


def past_versions(root: Path, file: str, text: str) -> Iterator[tuple[str, bytes]]:
    """The committed versions of a file in which lines with this text came or went: commit and bytes, newest first."""
    place = place_of(root)
    if place is None:
        return
    plain = ("--no-textconv", "--no-ext-diff")
    found = ask_quietly(place, "log", "--all", "--format=%H", f"-G{re.escape(text)}", *plain, "--", file).split()
    objects = GitObjects(place)
    try:
        for commit, version in zip(found, objects.read([f"{commit}:./{file}" for commit in found]), strict=True):
            if version is not None:
                yield commit, version[1]
    finally:
        objects.close()
