"""Windows and macOS: no module needs what only some systems have before somebody asks for it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tests.harness.command import PACKAGE_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_SOME_SYSTEMS: Final = frozenset({
    "fcntl",
    "grp",
    "msvcrt",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
    "winreg",
})
"""Modules that https://docs.python.org/3/library/ marks with an availability."""
ASKED_FOR: Final = {
    "envcompile/check/policy/pythonworker.py": {"resource"},
    "envcompile/files.py": {"fcntl", "msvcrt"},
    "envcompile/limits.py": {"resource"},
    "envcompile/sources/jsonnetworker.py": {"resource"},
    "envcompile/units/copies.py": {"fcntl"},
}
"""Who takes one of them, inside of a function; what is new here has to say what it does elsewhere."""


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The modules of the standard library's that only some systems have, with the column of their import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        yield from ((name, node.col_offset) for name in names if name.partition(".")[0] in OF_SOME_SYSTEMS)


def test_what_only_some_systems_have_is_taken_when_it_is_used() -> None:
    """An import at the top of a module would end every command on the other systems."""
    found: dict[str, set[str]] = {}
    at_the_top = []
    for path in sorted((PACKAGE_ROOT / "envcompile").rglob("*.py")):
        shown = path.relative_to(PACKAGE_ROOT).as_posix()
        for name, column in imported(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(shown, set()).add(name)
            if column == 0:
                at_the_top.append((shown, name))
    assert at_the_top == []
    assert found == ASKED_FOR
