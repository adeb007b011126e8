"""Evaluates jsonnet in a process of its own, within limits: what a program does there ends there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from envcompile.children import end
from envcompile.log import decision
from envcompile.sources.jsonnetworker import receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Find = Callable[[str, str], tuple[str, bytes]]
    """The folder of the importing file and what it imports -> the path and the bytes found."""

_MEBIBYTE = 1 << 20
_MOST_TOLD = 10_000
"""Bytes that one evaluation may tell by `std.trace`."""


class Answer(NamedTuple):
    """What an evaluation came to: jsonnet's output, or its message."""

    output: str | None
    error: str = ""
    native: str = ""
    """What a native function said of its failure, which jsonnet's own message lacks."""
    exhausted: str = ""
    """The limit that was reached, as a setting: `seconds` or `memory`; then there is nothing else."""


class JsonnetProcess:
    """One worker for many evaluations, started when it is first needed and again when it ended.

    Args:
        seconds: of the processor, for one evaluation.
        memory: mebibytes that the worker may take.
    """

    __slots__ = ("_memory", "_said", "_seconds", "_worker")

    def __init__(self, seconds: int, memory: int) -> None:
        self._seconds = seconds
        self._memory = memory
        self._worker: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def evaluate(
        self, path: str, text: str, variables: Mapping[str, str], arguments: Mapping[str, str], find: Find
    ) -> Answer:
        """Evaluate one text.

        Args:
            path: what the text is called in messages.
            text: the jsonnet code.
            variables: external variables as code.
            arguments: arguments of a top-level function as code; those it does not have are left out.
            find: answers imports; called in this process.
        """
        worker = self._running()
        source, target = worker.stdout, worker.stdin
        if source is None or target is None:
            raise AssertionError("the worker has no pipes")
        request = {
            "path": path,
            "text": text,
            "variables": dict(variables),
            "arguments": dict(arguments),
            "seconds": self._seconds,
            "bytes": self._memory * _MEBIBYTE,
        }
        try:
            send(target, request)
            while (answer := receive(source)) is not None:
                if "import" not in answer:
                    self._tell()
                    return Answer(answer.get("output"), answer.get("error", ""), answer.get("native", ""))
                found, data = find(*answer["import"])
                send(target, {"path": found, "text": data.decode("latin-1")})
        except BrokenPipeError:
            pass
        self._tell()
        return Answer(None, exhausted=self._ended())

    def _tell(self) -> None:
        """Tell what `std.trace` printed to whoever asks for decisions, through the one door that the log is."""
        if self._said is None:
            return
        self._said.seek(0)
        for line in self._said.read(_MOST_TOLD).decode(errors="replace").splitlines():
            if line.startswith("TRACE: "):
                decision("jsonnet", "%s", line)
        self._said.seek(0)
        self._said.truncate()

    def close(self) -> None:
        """End the worker; the next evaluation starts another."""
        worker, self._worker = self._worker, None
        if worker is not None:
            end(worker)
        if self._said is not None:
            self._said.close()
            self._said = None

    def __del__(self) -> None:
        """End the worker with its owner."""
        self.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self.close()
            home = str(Path(__file__).parents[2])
            # Isolated: neither the folder it is started in nor PYTHON* variables say what code it runs.
            code = f"import sys\nsys.path.insert(0, {home!r})\nfrom envcompile.sources import jsonnetworker\n"
            code += "jsonnetworker.main()"
            # What `std.trace` prints, and Go's runtime before it aborts: a file, which nobody has to read meanwhile.
            self._said = TemporaryFile()  # ruff: ignore[open-file-with-context-handler] - as long as the worker
            self._worker = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
            )
        return self._worker

    def _ended(self) -> str:
        """Why the worker ended in the middle of an evaluation: its time was up, or its memory."""
        import signal

        worker = self._worker
        code = worker.wait() if worker is not None else 0
        self.close()
        return "seconds" if code in {-signal.SIGXCPU, -signal.SIGKILL} else "memory"


def as_arguments(code: str, params: Mapping[str, Any], text: str) -> dict[str, str]:
    """The arguments for a top-level function: `environment`, and each parameter that the text speaks of.

    Args:
        code: the environment as code.
        params: the environment's parameters as values; None of them where nothing is known of an environment yet.
        text: the jsonnet code.
    """
    import json
    import re

    words = set(re.findall(r"[A-Za-z_]\w*", text))
    return {"environment": code, **{name: json.dumps(value) for name, value in params.items() if name in words}}
