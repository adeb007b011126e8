"""Jsonnet's own errors as ours: message, first place, trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.model import Location
from envcompile.sources.tree import file_start

if TYPE_CHECKING:
    from envcompile.errors import EnvcError

_PLACE = re.compile(
    r"(?P<file>[^\t\n<>:]+):(?:(?P<line>\d+):(?P<column>\d+)(?:-\d+)?|\((?P<line2>\d+):(?P<column2>\d+)\)-\(\d+:\d+\))"
)
"""A place as go-jsonnet prints it: `file:1:2-3`, `file:1:2` or `file:(1:2)-(3:4)`."""


def explained(message: str, path: str) -> EnvcError:
    """Jsonnet's own error as ours: its message, its first place, its trace.

    The source lines that jsonnet quotes under syntax errors are left out: messages never hold document text.
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
    if what.startswith("function has no parameter "):
        fix = "a top-level function takes the argument `environment`: `function(environment) ...`"
    elif what.startswith("Missing argument: "):
        fix = "envc passes `environment` only: give the other arguments defaults"
    elif what.startswith("Undefined external variable: "):
        fix = "envc knows one external variable: `std.extVar('environment')`"
    return fail(f"jsonnet: {what}", fix, where or file_start(path), trace=trace)


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
