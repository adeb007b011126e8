"""A difference as Markdown for a pull request: one table first, then one collapsed block for each resource."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.lines import resource_lines, title
from envcompile.ask.requests import describe_requests
from envcompile.text import escaped, markdown, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.ask.difference import EnvironmentDiff, ResourceDiff
    from envcompile.ask.lines import Line

_BACKTICKS = re.compile(r"`+")
_CODE_END = re.compile(r"[`\s]+")
_HARMLESS = re.compile(r"(?!.*(://|www\.))[A-Za-z0-9 ,.:/()_-]*")
_WORDS = {"added": "added", "removed": "removed", "changed": "changed", "renamed": "renamed"}


class Block(NamedTuple):
    """One collapsed block: what happened to one resource, in all environments where the same happened to it."""

    summary: str
    lines: tuple[str, ...]

    def markdown(self, most: int | None = None) -> str:
        """The block with its fences closed.

        Args:
            most: bytes it may take; lines that do not fit are left out whole and counted.
        """
        text = self._written(self.lines, 0)
        if most is None or len(text.encode()) <= most:
            return text
        room = most - len(self._written((), len(self.lines)).encode()) - 64
        kept: list[str] = []
        for line in self.lines:
            room -= len(line.encode()) + 1
            if room < 0:
                break
            kept.append(line)
        return self._written(tuple(kept), len(self.lines) - len(kept))

    def _written(self, lines: tuple[str, ...], left_out: int) -> str:
        longest = max((len(run) for line in self.lines for run in _BACKTICKS.findall(line)), default=0)
        fence = "`" * max(3, longest + 1)
        body = "".join(f"{line}\n" for line in lines)
        note = f"\n{left_out} more lines are not shown here.\n" if left_out else ""
        return f"<details><summary>{self.summary}</summary>\n\n{fence}diff\n{body}{fence}\n{note}\n</details>\n"


def table(environments: Sequence[EnvironmentDiff]) -> str:
    """The summary: environment x added, changed, removed; class of change, change of requests, whose approval."""
    rows = [
        "| environment | added | changed | removed | class of change | requests | approval |",
        "|---|--:|--:|--:|---|---|---|",
    ]
    for diff in environments:
        counts = (diff.count("added"), diff.count("changed", "renamed"), diff.count("removed"))
        cells = [
            f"**{markdown(diff.environment)}**",
            *(str(count) if count else "" for count in counts),
            ", ".join(diff.facets),
            describe_requests(diff.requests),
            # As code: a comment that is written again must not notify everybody again.
            " or ".join(f"`{_cell(owner)}`" for owner in diff.owners),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def blocks(environments: Iterable[EnvironmentDiff]) -> list[Block]:
    """One block for each resource; environments in which the same happened to it share one."""
    together: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    order: dict[tuple[str, str, str, tuple[str, ...]], ResourceDiff] = {}
    for diff in environments:
        for resource in diff.resources:
            # The namespace is the environment's own affair: it would keep equal changes apart.
            lines = tuple(_printed(line) for line in resource_lines(_without_namespace(resource)))
            group, kind, _, name = resource.resource
            was = resource.was.name if resource.was is not None else ""
            key = (f"{kind}.{group}/{name}", was, resource.kind, lines)
            together.setdefault(key, []).append(diff.environment)
            order.setdefault(key, resource)
    found = []
    for key, names in sorted(together.items(), key=lambda entry: entry[0][0]):
        resource = _without_namespace(order[key])
        what = _summary(title(resource))
        facets = f" ({', '.join(resource.facets)})" if resource.facets else ""
        found.append(
            Block(f"<b>{what}</b> {_WORDS[resource.kind]} in {', '.join(map(_summary, names))}{facets}", key[3])
        )
    return found


def _without_namespace(resource: ResourceDiff) -> ResourceDiff:
    def without(value: dict[str, Any] | None) -> dict[str, Any] | None:
        metadata = value.get("metadata") if value is not None else None
        if value is None or not isinstance(metadata, dict):
            return value
        return {**value, "metadata": {key: held for key, held in metadata.items() if key != "namespace"}}

    return resource._replace(
        resource=resource.resource._replace(namespace=""),
        was=resource.was._replace(namespace="") if resource.was is not None else None,
        old=without(resource.old),
        new=without(resource.new),
    )


def page(environments: Sequence[EnvironmentDiff]) -> str:
    """The whole difference as one Markdown text without limits."""
    changed = [diff for diff in environments if diff.resources]
    if not changed:
        return "No compiled environment differs.\n"
    settings = [f"settings: `{escaped(_CODE_END.sub(' ', text))}`\n" for diff in changed for text in diff.settings]
    return "\n".join([table(changed), *settings, *(block.markdown() for block in blocks(changed))])


def _cell(text: str) -> str:
    """A text that ends neither its code nor its cell."""
    return escaped(re.sub(r"[`|\s]", "\ufffd", text))


def _summary(text: str) -> str:
    """A text in the head of a block, which is HTML; as code where a host could find a mention or a link in it."""
    plain = html.escape(escaped(text))
    return plain if _HARMLESS.fullmatch(text) else f"<code>{plain}</code>"


def _printed(line: Line) -> str:
    """A line of a difference; a page is printed into logs too, where a runner would obey some."""
    return visible(f"{line.sign} {line.text}".rstrip())
