"""How a difference is printed, and the exit code that it gives."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Literal

from envcompile.cli.output import document, raw, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, Problem, UsageError, did_you_mean
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.ask.difference import EnvironmentDiff, ResourceDiff
    from envcompile.ask.lines import Line

Format = Literal["terminal", "unified", "json", "markdown"]

_COLORS = {"+": "\x1b[32m", "-": "\x1b[31m", "!": "\x1b[33m", "~": "\x1b[36m", "@": "\x1b[36m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def print_difference(environments: Sequence[EnvironmentDiff], wanted: Format, *, side_by_side: bool) -> None:
    """Print a difference in one of the formats."""
    if wanted == "json":
        from envcompile.ask.formats import as_json

        document(as_json(environments))
        return
    if not any(diff.resources for diff in environments):
        tell("nothing differs")
        return
    if wanted == "markdown":
        from envcompile.ask.markdown import page

        raw(f"{page(environments).rstrip(chr(10))}\n")
        return
    colored = _is_colored()
    if wanted == "unified":
        from envcompile.ask.formats import unified

        for line in unified(environments):
            raw(f"{_paint(line[:1], line, colored=colored and not line.startswith(('+++', '---')))}\n")
        return
    width = shutil.get_terminal_size().columns
    for diff in environments:
        if diff.resources:
            for line in _environment(diff, width if side_by_side else 0, colored=colored):
                raw(f"{line}\n")


def exit_code(environments: Sequence[EnvironmentDiff], fail_on: Sequence[str]) -> int:
    """16 when something differs; with named environments only when one of those does.

    Raises:
        UsageError: one of the names was not compared.
    """
    known = [diff.environment for diff in environments]
    unknown = [name for name in fail_on if name not in known]
    if unknown:
        raise UsageError([
            Problem(
                f"--fail-on-env names `{name}`, which was not compared", did_you_mean(name, known, "name one that was")
            )
            for name in unknown
        ])
    counted = [diff for diff in environments if not fail_on or diff.environment in fail_on]
    return EXIT_DIFFERENT if any(diff.resources for diff in counted) else EXIT_OK


def _is_colored() -> bool:
    """Colours go to a terminal that has them, and to nobody who said NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _paint(sign: str, text: str, *, colored: bool) -> str:
    color = _COLORS.get(sign) if colored else None
    shown = one_line(text)
    return f"{color}{shown}{_PLAIN}" if color else shown


def _environment(diff: EnvironmentDiff, width: int, *, colored: bool) -> Iterator[str]:
    from envcompile.ask.lines import SIGNS, resource_lines, title
    from envcompile.ask.requests import describe_requests

    counts = (
        (diff.count("added"), "added"),
        (diff.count("changed", "renamed"), "changed"),
        (diff.count("removed"), "removed"),
    )
    facts = [", ".join(f"{count} {word}" for count, word in counts if count), ", ".join(diff.facets)]
    cost = describe_requests(diff.requests)
    facts += [f"requests {cost}"] if cost else []
    name = one_line(diff.environment)
    yield f"{_BOLD}{name}{_PLAIN}: {'; '.join(facts)}" if colored else f"{name}: {'; '.join(facts)}"
    for text in diff.settings:
        yield one_line(f"    settings: {text}")
    for resource in diff.resources:
        sign = SIGNS[resource.kind]
        yield _paint(sign, f"{sign} {title(resource)}", colored=colored)
        if width:
            yield from _columns(resource, width, colored=colored)
            continue
        for line in resource_lines(resource):
            yield _paint(line.sign, f"    {line.sign} {line.text}".rstrip(), colored=colored)


def _columns(resource: ResourceDiff, width: int, *, colored: bool) -> Iterator[str]:
    """Old lines on the left, new ones on the right, what belongs to both across."""
    from itertools import zip_longest

    from envcompile.ask.lines import resource_lines

    half = max(20, (width - 7) // 2)
    left: list[Line] = []
    right: list[Line] = []

    def rows() -> Iterator[str]:
        for old, new in zip_longest(left, right):
            first, second = (old.text if old else ""), (new.text if new else "")
            for at in range(0, max(len(first), len(second), 1), half):
                one, two = first[at : at + half].ljust(half), second[at : at + half]
                painted = _paint("-", one, colored=colored)
                yield f"    {painted} | {_paint('+', two, colored=colored)}".rstrip()
        left.clear()
        right.clear()

    for line in resource_lines(resource):
        if line.sign == "-":
            if right:
                yield from rows()
            left.append(line)
        elif line.sign == "+":
            right.append(line)
        else:
            yield from rows()
            yield _paint(line.sign, f"    {line.text}", colored=colored)
    yield from rows()
