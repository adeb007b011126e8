"""Runs the `console` blocks of a page and compares what they print with what the page says.

In a block a line that starts with `$ ` is a command, lines that start with `> ` continue it, the lines after are its
output; `…` stands for any text. A
`yaml` or `jsonnet` block whose first line is `# file: PATH` (or `// file:`) is written to that path before the next
command. Blocks of other kinds are only read by people.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) file: (?P<path>\S+)\n")


class Command(NamedTuple):
    """One command of a page, its line, and the output that the page promises."""

    line: int
    text: str
    output: str


class FileBlock(NamedTuple):
    """A file that the page tells the reader to write."""

    path: str
    text: str


def blocks(page: str) -> Iterator[Command | FileBlock]:
    """What a page tells its reader to do, in order."""
    for fence in _FENCE.finditer(page):
        body = fence["body"]
        if fence["kind"] == "console":
            yield from _commands(body, page[: fence.start("body")].count("\n") + 1)
        elif match := _FILE.match(body):
            yield FileBlock(match["path"], body[match.end() :])


def _commands(body: str, first_line: int) -> Iterator[Command]:
    lines = body.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = lines[start][2:]
        following = start + 1
        while following < end and (lines[following].startswith("> ") or lines[following] == ">"):
            text += "\n" + lines[following][2:]
            following += 1
        yield Command(first_line + start, text, "\n".join(lines[following:end]).strip("\n"))


def run_page(page: str, folder: Path, home: Path) -> list[str]:
    """Run a page's commands in a folder; a complaint for every output that is not what the page says."""
    complaints = []
    environment = {
        "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}",  # ruff: ignore[os-path-dirname] - a PATH entry
        "HOME": str(home),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for block in blocks(page):
        if isinstance(block, FileBlock):
            target = folder / block.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
            continue
        done = subprocess.run(
            ["bash", "-c", block.text],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        printed = done.stdout.decode("utf-8", "replace").strip("\n")
        if not matches(block.output, printed):
            complaints.append(
                f"line {block.line}: $ {block.text}\n--- the page says\n{block.output}\n--- it printed\n{printed}"
            )
    return complaints


def matches(promised: str, printed: str) -> bool:
    """Tell whether an output is what the page says, with `…` for any text."""
    pattern = ".*?".join(re.escape(part) for part in promised.split("…"))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None
