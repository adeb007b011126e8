"""Long output on a terminal goes through a pager, as with git; what is told on stderr comes after it."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE = "ENVC_PAGER"
"""The pager for envc alone; empty for none."""


class _Pages(io.StringIO):
    """Takes what is printed, and shows it when it is flushed: as it is when it fits, else through the pager."""

    def __init__(self, terminal: TextIO, pager: list[str]) -> None:
        super().__init__()
        self._terminal = terminal
        self._pager = pager

    def isatty(self) -> bool:  # ruff: ignore[no-self-use] - what a stream has
        """People read it in the end."""
        return True

    def fileno(self) -> int:
        """The terminal's."""
        return self._terminal.fileno()

    def flush(self) -> None:
        """Show what there is."""
        import shutil

        text = self.getvalue()
        self.seek(0)
        self.truncate()
        if text.count("\n") < shutil.get_terminal_size().lines or not _page(self._pager, text):
            self._terminal.write(text)
            self._terminal.flush()


@contextmanager
def paged() -> Generator[None]:
    """Let what is printed meanwhile go through the pager, on a terminal and where somebody has one."""
    import shlex

    wanted = next((os.environ[name] for name in (VARIABLE, "PAGER") if name in os.environ), "less")
    pager = shlex.split(wanted)
    terminal = sys.stdout
    if not terminal.isatty() or not pager or pager == ["cat"]:
        yield
        return
    sys.stdout = _Pages(terminal, pager)
    try:
        yield
    finally:
        pages, sys.stdout = sys.stdout, terminal
        pages.flush()


def _page(pager: list[str], text: str) -> bool:
    """Show a text in the pager until it is left; False when there is none."""
    import signal
    import subprocess

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's while it runs
        # Colours shown, nothing shown twice, and gone by itself when all fits: what git asks of less.
        environment = {"LESS": "FRX", **os.environ}
        subprocess.run(pager, input=text, text=True, encoding="utf-8", env=environment, check=False)
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return True
