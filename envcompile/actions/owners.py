"""CODEOWNERS from the `owners` of environment.yaml: who approves a change of which folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, Problems, UsageError
from envcompile.files import read_below, unwritable, write_atomically
from envcompile.git.discovery import prefix_of

if TYPE_CHECKING:
    from envcompile.units.project import Project

BEGIN = "# envc owners: begin (written by `envc owners --write` from overlays/*/environment.yaml)"
END = "# envc owners: end"
_HOMES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where the hosts look for the file; the first that exists is used."""
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*|[^@\s]+@[^@\s]+\.[^@\s]+")
_BLOCK = re.compile(rf"^# envc owners: begin[^\n]*\n.*?^{re.escape(END)}[ \t]*\n?", re.MULTILINE | re.DOTALL)


class Owners(NamedTuple):
    """The CODEOWNERS file as it is and as it should be."""

    path: Path
    before: str
    after: str
    block: str

    @property
    def is_current(self) -> bool:
        """Tell whether the file says what the settings say."""
        return self.before == self.after


def owners(project: Project) -> Owners:
    """Work out the CODEOWNERS file; nothing is written.

    A folder that several environments are made from, such as `base/`, belongs to the owners of all of them: one
    approval of any of them is what the hosts then ask for.

    Raises:
        UsageError: no environment names owners, or the file is behind a symbolic link.
        EnvcError: an owner that no host knows how to read, or sources that do not compose.
    """
    problems = Problems()
    folders: dict[str, list[str]] = {}
    outputs: dict[str, list[str]] = {}
    for environment in project.environments:
        sources = project.sources_of(environment)
        named = sources.settings.owners
        for position, owner in enumerate(named):
            if not _OWNER.fullmatch(owner):
                place = sources.where(("owners", position))
                fix = "write `@user`, `@organisation/team` or an e-mail address"
                problems.add(f"`{owner}` is no owner", fix, *([place] if place is not None else []))
        if named:
            outputs[f"environments/{environment}/"] = list(named)
        for layer in sources.layers:
            held = folders.setdefault(f"{layer.name}/", [])
            held += [owner for owner in named if owner not in held]
    problems.raise_any()
    if not outputs:
        fix = "add `owners:` to the environment.yaml of each environment"
        raise UsageError([Problem("no environment names its owners", fix)])
    prefix = prefix_of(project.root)
    top = project.root
    for _ in range(prefix.count("/")):
        top = top.parent
    everyone = folders.get("base/", [])
    rows = {"envc.yaml": everyone, **folders, **outputs}
    width = max(len(prefix + folder) for folder in rows) + 2
    lines = [f"{f'/{prefix}{folder}':<{width}} {' '.join(held)}" for folder, held in rows.items() if held]
    block = "\n".join([BEGIN, *lines, END]) + "\n"
    path = next((top / home for home in _HOMES if os.path.lexists(top / home)), top / _HOMES[0])
    if Path(os.path.realpath(path)) != Path(os.path.realpath(top)) / path.relative_to(top):
        fix = "put a file and folders in their place: envc reads and writes through no link"
        raise UsageError([Problem(f"{path} is a symbolic link, or lies behind one", fix)])
    before = (read_below(top, path.relative_to(top).as_posix()) or b"").decode("utf-8", "surrogateescape")
    return Owners(path, before, _with_block(before, block), block)


def write_owners(found: Owners) -> None:
    """Write the file; lines outside of the block stay as they are.

    Raises:
        UnavailableError: the file cannot be written.
    """
    try:
        found.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(found.path, error) from error
    write_atomically(found.path, found.after.encode("utf-8", "surrogateescape"))


def _with_block(text: str, block: str) -> str:
    """The text with its block replaced, or with the block at its end: the hosts let the last match win."""
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: block, text, count=1)
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{block}"
