"""Asks rules in Python, in a process of their own that sees resources as JSON and nothing else, within limits."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any
from weakref import finalize

from envcompile.children import end
from envcompile.errors import fail
from envcompile.limits import too_much
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.limits import Limits

_MEBIBYTE = 1 << 20


class PythonProcess:
    """One worker for all rules of a file, started when the first of them is asked.

    Args:
        path: the file, for messages.
        text: the code that somebody allowed.
        limits: seconds of each question, and memory.
    """

    __slots__ = ("__weakref__", "_ending", "_limits", "_path", "_text", "_worker")

    def __init__(self, path: str, text: str, limits: Limits) -> None:
        self._path = path
        self._text = text
        self._limits = limits
        self._worker: subprocess.Popen[bytes] | None = None
        self._ending: finalize[..., PythonProcess] | None = None
        """Ends the worker, at the latest when its owner is no more; it is run once."""

    def ask(self, function: str, environment: str, resources: Sequence[Any], *, together: bool) -> list[dict[str, Any]]:
        """What a function finds in some resources.

        Args:
            function: its name.
            environment: the environment's name.
            resources: values, free of plaintext.
            together: whether it is given all of them, or one after the other.

        Raises:
            EnvcError: the file cannot be run, or takes too much.
        """
        worker = self._running()
        request = {"function": function, "environment": environment, "resources": resources, "together": together}
        found: list[dict[str, Any]] = self._told(worker, request)["found"]
        return found

    def _told(self, worker: subprocess.Popen[bytes], request: dict[str, Any]) -> dict[str, Any]:
        source, target = worker.stdout, worker.stdin
        if source is None or target is None:
            raise AssertionError("the worker has no pipes")
        is_late: list[bool] = []

        def end_late() -> None:
            is_late.append(True)
            worker.kill()

        timer = Timer(self._limits.seconds, end_late)
        timer.daemon = True
        timer.start()
        try:
            target.write(json.dumps(request, default=str).encode() + b"\n")
            target.flush()
            line = source.readline()
        except BrokenPipeError:
            line = b""
        finally:
            timer.cancel()
        if not line:
            self.close()
            if is_late:
                raise too_much("seconds", self._limits, f"{self._path} takes more than", self._path)
            what = f"the process in which {self._path} runs ended before it answered"
            raise fail(what, "it may take too much memory, or end Python itself", Location(self._path, 1, 1))
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            self.close()
            raise fail(f"{self._path} cannot be run: {answer['failed']}", "correct it", Location(self._path, 1, 1))
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is None:
            home = str(Path(__file__).parents[3])
            # Isolated: neither the folder it is started in nor PYTHON* variables say what code it runs.
            code = f"import sys\nsys.path.append({home!r})\nfrom envcompile.check.policy import pythonworker\n"
            code += "pythonworker.main()"
            held = ExitStack()
            # The collector may take the folder before its owner: held here, both end in their order.
            self._ending = finalize(self, held.close)
            folder = held.enter_context(TemporaryDirectory())
            self._worker = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
            )
            held.callback(end, self._worker)
            memory = self._limits.memory * _MEBIBYTE
            self._told(self._worker, {"path": self._path, "text": self._text, "memory": memory})
        return self._worker

    def close(self) -> None:
        """End the worker; the next question starts another."""
        self._worker = None
        if self._ending is not None:
            self._ending()
            self._ending = None
