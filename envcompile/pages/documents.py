"""`.json` behind a page's address: what the command prints for programs, made by the command itself."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.hook_scripts import own_command
from envcompile.errors import EXIT_OK, EXIT_WRONG, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FOUND: Final = {EXIT_OK, EXIT_WRONG, 16}
"""Exit codes of commands that answered: 1 and 16 tell of findings and differences."""
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_SECONDS: Final = 120
"""How long a command may take."""


class Document(NamedTuple):
    """What a command printed, or what it said instead, with the status that goes with its exit code."""

    status: int
    text: bytes


def document(root: Path, command: Sequence[str], arguments: Sequence[str] = ()) -> Document:
    """What a command prints with `--format json`.

    Args:
        root: the project's folder.
        command: the words of the command, and its options.
        arguments: what others wrote into an address; none of it is taken for an option.

    Raises:
        UsageError: an argument that no command has.
    """
    if any("\0" in word for word in (*command, *arguments)):
        raise UsageError([Problem("an address holds no zero bytes", "follow the links of the pages")])
    line = [*own_command(), "--project", str(root), *command, "--format", "json", "--"]
    with _AT_ONCE:
        done = subprocess.run(
            [*line, *arguments],
            env={**os.environ, "ENVC_QUIET": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode in _FOUND and done.stdout:
        return Document(200, done.stdout)
    return Document({2: 404, 4: 503}.get(done.returncode, 422), done.stderr)
