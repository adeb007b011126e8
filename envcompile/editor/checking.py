"""Looks for what is wrong in a process of its own: whoever types is answered meanwhile, and waits for no rule."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.children import end
from envcompile.editor.diagnostics import Lines, Wrong, all_wrong
from envcompile.editor.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

_SIZE: Final = 8
"""Bytes that say how long a message is, the lowest first."""
_STEPS_BACK: Final = 5
"""How much less the process counts than the one that answers keys, in steps of `nice`."""


class _Asked(msgspec.Struct):
    root: str
    texts: dict[str, str]


class _Answer(msgspec.Struct):
    whole: bool
    """Whether it tells of all files, and not only of those of which something else is wrong than before."""
    files: dict[str, list[Wrong]]


class Checking:
    """The process, started when it is first asked, and again when it ended."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._known: dict[str, list[Wrong]] = {}

    def wrong_in(self, root: Path, texts: Mapping[str, str]) -> dict[str, list[Wrong]] | None:
        """Everything that is wrong, by file; None when the process ended over it.

        What is wrong in a file is the same list as before where it is the same.

        Args:
            root: the project's folder.
            texts: those that are open, by their paths.
        """
        if self._worker is None or self._worker.poll() is not None:
            self.close()
            home = str(Path(__file__).parents[2])
            code = f"import sys\nsys.path.insert(0, {home!r})\nfrom envcompile.editor import checking\nchecking.serve()"
            self._worker = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        source, target = self._worker.stdout, self._worker.stdin
        if source is None or target is None:
            raise AssertionError("the worker has no pipes")
        try:
            _send(target, msgspec.msgpack.encode(_Asked(str(root), dict(texts))))
            answer = _receive(source)
        except OSError:
            answer = None
        if answer is None:
            self.close()
            return None
        told = msgspec.msgpack.decode(answer, type=_Answer)
        known = {**({} if told.whole else self._known), **told.files}
        self._known = {path: found for path, found in known.items() if found}
        return self._known

    def interrupt(self) -> None:
        """Let whoever waits for an answer go without one."""
        if self._worker is not None:
            self._worker.kill()

    def close(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            end(worker)

    def __del__(self) -> None:
        """End the process with its owner."""
        self.close()


def serve() -> None:
    """Answer until nobody asks any more."""
    if hasattr(os, "nice"):
        os.nice(_STEPS_BACK)
    source = sys.stdin.buffer
    # What is printed by accident is no answer.
    target = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines = Lines()
    root, told = "", dict[str, list[Wrong]]()
    while (message := _receive(source)) is not None:
        asked = msgspec.msgpack.decode(message, type=_Asked)
        workspace = Workspace(Path(asked.root)).with_texts(asked.texts)
        found: dict[str, list[Wrong]] = {}
        for wrong in all_wrong(workspace, lines):
            found.setdefault(wrong.file, []).append(wrong)
        whole, root = root != asked.root, asked.root
        before = {} if whole else told
        changed = {path: found.get(path, []) for path in found | before if found.get(path) != before.get(path)}
        told = found
        _send(target, msgspec.msgpack.encode(_Answer(whole, changed)))
        # The collector would stop an answer for longer than the answer takes: it runs when there is one.
        gc.collect()
        gc.freeze()
        gc.disable()


def _send(target: IO[bytes], message: bytes) -> None:
    target.write(len(message).to_bytes(_SIZE, "little") + message)
    target.flush()


def _receive(source: IO[bytes]) -> bytes | None:
    """The next message; None where there is none, or only a part of one."""
    head = source.read(_SIZE)
    size = int.from_bytes(head, "little")
    message = source.read(size) if len(head) == _SIZE else b""
    return message if len(head) == _SIZE and len(message) == size else None
