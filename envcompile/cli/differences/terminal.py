"""`--format terminal`: for a person, in colours where there are any, in two columns when asked."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from envcompile.ask.lines import SIGNS, resource_lines, title
from envcompile.ask.requests import describe_requests
from envcompile.cli.output import raw
from envcompile.cli.render.colors import BOLD, PLAIN, is_colored, paint
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.ask.difference import EnvironmentDiff, ResourceDiff
    from envcompile.ask.lines import Line


def write(environments: Sequence[EnvironmentDiff], width: int, /) -> None:
    """Print the difference."""
    colored = is_colored()
    for diff in environments:
        if diff.resources:
            for line in _environment(diff, width, colored=colored):
                raw(f"{line}\n")


def _environment(diff: EnvironmentDiff, width: int, *, colored: bool) -> Iterator[str]:
    counts = (
        (diff.count("added"), "added"),
        (diff.count("changed", "renamed"), "changed"),
        (diff.count("removed"), "removed"),
    )
    facts = [", ".join(f"{count} {word}" for count, word in counts if count), ", ".join(diff.facets)]
    cost = describe_requests(diff.requests)
    facts += [f"requests {cost}"] if cost else []
    name = one_line(diff.environment)
    yield f"{BOLD}{name}{PLAIN}: {'; '.join(facts)}" if colored else f"{name}: {'; '.join(facts)}"
    for text in diff.settings:
        yield one_line(f"    settings: {text}")
    for resource in diff.resources:
        sign = SIGNS[resource.kind]
        yield paint(sign, f"{sign} {title(resource)}", colored=colored)
        if width:
            yield from _columns(resource, width, colored=colored)
            continue
        for line in resource_lines(resource):
            yield paint(line.sign, f"    {line.sign} {line.text}".rstrip(), colored=colored)


def _columns(resource: ResourceDiff, width: int, *, colored: bool) -> Iterator[str]:
    """Old lines on the left, new ones on the right, what belongs to both across."""
    half = max(20, (width - 7) // 2)
    left: list[Line] = []
    right: list[Line] = []

    def rows() -> Iterator[str]:
        for old, new in zip_longest(left, right):
            first, second = (old.text if old else ""), (new.text if new else "")
            for at in range(0, max(len(first), len(second), 1), half):
                one, two = first[at : at + half].ljust(half), second[at : at + half]
                painted = paint("-", one, colored=colored)
                yield f"    {painted} | {paint('+', two, colored=colored)}".rstrip()
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
            yield paint(line.sign, f"    {line.text}", colored=colored)
    yield from rows()
