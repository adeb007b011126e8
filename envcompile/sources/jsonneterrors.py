"""Jsonnet's own errors as ours: message, first place, trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.errors import did_you_mean, fail
from envcompile.limits import too_much
from envcompile.model import Location
from envcompile.sources.jsonnetnatives import NATIVES, REFUSED
from envcompile.sources.tree import file_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.errors import EnvcError
    from envcompile.limits import Limits

_NATIVE = re.compile(r"""std\s*\.\s*native\s*\(\s*['"](\w+)['"]""")
_NATIVE_FAILED = "failed to execute native callback"
_NO_FUNCTION = "Unexpected type null, expected function"
_PLACE = re.compile(
    r"(?P<file>[^\t\n<>:]+):(?:(?P<line>\d+):(?P<column>\d+)(?:-\d+)?|\((?P<line2>\d+):(?P<column2>\d+)\)-\(\d+:\d+\))"
)
"""A place as go-jsonnet prints it: `file:1:2-3`, `file:1:2` or `file:(1:2)-(3:4)`."""


def explained(message: str, path: str, *, native: str = "", sources: Mapping[str, bytes] | None = None) -> EnvcError:
    """Jsonnet's own error as ours: its message, its first place, its trace.

    The source lines that jsonnet quotes under syntax errors are left out: messages never hold document text.

    Args:
        message: what jsonnet said.
        path: the file that was evaluated.
        native: what a native function said of its failure.
        sources: the files that were read, to find the name of a native function that there is not.
    """
    where, trace = split_trace(message)
    what, _, _ = message.partition("\n\t")
    is_runtime = what.startswith("RUNTIME ERROR: ")
    what = what.removeprefix("RUNTIME ERROR: ")
    if written := _PLACE.match(what):
        where = _location(written)
        what = what[written.end() :]
        is_runtime = False
    if not is_runtime:
        what = what.partition("\n")[0]
    what = what.strip()
    fix = "mend the jsonnet file"
    if len(trace) > 1:
        fix += ": the trace leads from the place that failed to the place that asked for it"
    at_top = any("Top-level function" in line for line in trace)
    if at_top and what.startswith("function has no parameter "):
        fix = "a top-level function takes the argument `environment`: `function(environment) ...`"
    elif at_top and what.startswith("Missing argument: "):
        fix = f"define `params.{what.removeprefix('Missing argument: ')}` in environment.yaml, or give it a default"
    elif what.startswith("Undefined external variable: "):
        fix = "envc knows one external variable: `std.extVar('environment')`"
    elif what.startswith(_NATIVE_FAILED):
        name = _native_name(where, sources or {})
        what = native or (f"std.native('{name}') is not here: {REFUSED[name]}" if name in REFUSED else what)
        fix = "mend the call" if not native or " is not here" not in native else "take the call out"
    elif what.startswith(_NO_FUNCTION) and (name := _native_name(where, sources or {}, unknown=True)):
        what = f"there is no native function `{name}`"
        fix = did_you_mean(name, NATIVES, f"envc has {', '.join(NATIVES)}")
    return fail(f"jsonnet: {what}", fix, where or file_start(path), trace=trace)


def _native_name(where: Location | None, sources: Mapping[str, bytes], *, unknown: bool = False) -> str:
    """The native function that a file names at a place or before it, the nearest first; of any file else."""
    first = [where.file] if where is not None else []
    for path in [*first, *sources]:
        lines = sources.get(path, b"").decode(errors="replace").split("\n")
        near = lines[: where.line] if where is not None and path == where.file else lines
        for line in [*reversed(near), *lines]:
            for name in _NATIVE.findall(line):
                if not unknown or name not in {*NATIVES, *REFUSED}:
                    return str(name)
    return ""


def exhausted(name: str, limits: Limits, path: str) -> EnvcError:
    """The error of an evaluation that reached a limit, and was ended."""
    return too_much(name, limits, f"jsonnet: `{path}` takes more than", path)


def split_trace(message: str) -> tuple[Location | None, list[str]]:
    """The first place in a file that a jsonnet message names, and its trace line by line."""
    _, found, rest = message.partition("\n\t")
    lines = [line.strip() for line in rest.split("\n")] if found else []
    trace = ["  ".join(part.strip() for part in line.split("\t")) for line in lines if line]
    for line in trace:
        if place := _PLACE.match(line):
            return _location(place), trace
    return None, trace


def _location(place: re.Match[str]) -> Location:
    return Location(place["file"], int(place["line"] or place["line2"]), int(place["column"] or place["column2"]))
