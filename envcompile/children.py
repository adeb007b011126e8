"""The end of processes that work for this one, and are asked over pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def end(worker: subprocess.Popen[bytes]) -> None:
    """Close the pipes of a process, and end it, whatever it does."""
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    worker.kill()
    worker.wait()
