"""The lines of a compiled manifest, each with the layer and place that said it, and since when."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose import configtext
from envcompile.kubernetes.fieldpath import look_up, resolve
from envcompile.pages.origins import shown
from envcompile.pages.timeline import text_of
from envcompile.pages.words import first_name, moment
from envcompile.yamlio import dump
from envcompile.yamlio.positions import block_lines, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from envcompile.actions.origins import Origin, ResourceOrigins
    from envcompile.git.repository import Commit

_ENTRY = re.compile(
    r"""(?P<indent>(?: |- )*)(?P<key>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#|>{\[-][^:]*):)(?: (?P<value>.*))?"""
)
_ITEM = re.compile(r"(?P<indent> *- )(?P<value>.*)")


class Line(NamedTuple):
    """A line of a manifest: its text, who said it, and since when."""

    number: int
    indent: str
    key: str
    value: str
    was: str
    """What a layer below said; empty when none said anything else."""
    cls: str
    layer: str
    place: str
    is_head: bool
    """Whether it begins a run of lines of one file."""
    day: str
    who: str
    commit: str
    has_finding: bool


class _Said(NamedTuple):
    """What is known of a line."""

    origin: Origin
    shows: bool
    """Whether its value stands on the line."""


def lines_of(
    resource: ResourceOrigins, commits: Mapping[str, Commit], first: str, findings: Collection[str], now: int
) -> list[Line]:
    """The manifest, line by line.

    Args:
        resource: the resource with the origin of every field.
        commits: the commits that origins name, by hash.
        first: the oldest recorded commit: what is as it was there needs no day.
        findings: fields that something is wrong with.
        now: the time of reading, in seconds since 1970.
    """
    text = dump(resource.value)
    data = text.encode()
    said, blocks = _said(resource, data)
    starts = sorted(said)
    lines: list[Line] = []
    before = ("", "")
    for number, words in enumerate(text.splitlines(), 1):
        known = said.get(number)
        if known is None:  # a map's own line belongs to its first field; a text's further lines to the text
            inside = number in blocks
            at = bisect_right(starts, number)
            near = starts[at - 1] if inside and at else starts[at] if at < len(starts) else starts[-1] if starts else 0
            known = said[near]._replace(shows=False) if near else None
        line, run = _line(number, words, known, before, in_text=number in blocks)
        if known is not None and known.shows:
            line = _with_since(line, known.origin, commits, first, now)
            line = line._replace(has_finding=known.origin.field in findings)
        before = run
        lines.append(line)
    return lines


def _said(resource: ResourceOrigins, data: bytes) -> tuple[dict[int, _Said], set[int]]:
    """Line -> what is known of it, and the lines that are inside of texts."""
    said: dict[int, _Said] = {}
    blocks: set[int] = set()
    keys: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for origin in resource.fields:
        if origin.is_removed:
            continue
        pointer = resolve(origin.path, resource.value)
        if pointer is None:
            continue
        place = locate(data, 0, pointer)
        if place is None:
            continue
        begin = block_lines(data, 0, pointer)
        if not origin.key:
            said.setdefault(place[0], _Said(origin, shows=True))
            if begin is not None:
                held = look_up(resource.value, pointer)
                blocks.update(range(begin[0], begin[0] + str(held).count("\n") + 1))
            continue
        if begin is None:
            continue
        if pointer not in keys:
            try:
                keys[pointer] = configtext.keys(str(pointer[-1]), str(look_up(resource.value, pointer)))
            except configtext.ConfigTextError:
                keys[pointer] = {}
        span = keys[pointer].get(origin.key)
        if span is not None:
            said[begin[0] + span.line] = _Said(origin, shows=True)
    return said, blocks


def _line(
    number: int, words: str, known: _Said | None, before: tuple[str, str], *, in_text: bool
) -> tuple[Line, tuple[str, str]]:
    """A line, and the layer and file that it belongs to."""
    found = None if in_text else _ENTRY.fullmatch(words) or _ITEM.fullmatch(words)
    parts = found.groupdict() if found is not None else {"indent": "", "value": words}
    cls, layer, place, was, file = "base", "", "", "", ""
    if known is not None:
        origin = known.origin
        cls, layer, place = shown(origin)
        file = origin.place.file if origin.place is not None else ""
        under = origin.overridden if known.shows else ()
        was = text_of(under[-1].value) if under else ""
    run = (layer, file)
    line = Line(
        number,
        parts.get("indent") or "",
        parts.get("key") or "",
        parts.get("value") or "",
        was,
        cls,
        layer,
        place,
        run != before,
        "",
        "",
        "",
        has_finding=False,
    )
    return line, run


def _with_since(line: Line, origin: Origin, commits: Mapping[str, Commit], first: str, now: int) -> Line:
    """The line with who gave it its value, unless that is so since the record begins."""
    if origin.is_uncommitted:
        return line._replace(day="not committed")
    since = origin.since
    if since is None or since.or_before or since.commit == first:
        return line
    commit = commits[since.commit]
    day = moment(commit.authored_at, now).day
    return line._replace(day=day, who=first_name(commit.author_name), commit=commit.hash)


def own_lines(lines: list[Line]) -> list[Line]:
    """The lines that base does not say, below the lines that lead to them."""
    kept: list[Line] = []
    above: list[Line] = []
    for line in lines:
        depth = len(line.indent)
        while above and len(above[-1].indent) >= depth:
            above.pop()
        if line.cls != "base":
            kept += [one for one in above if not kept or one.number > kept[-1].number]
            kept.append(line)
        if line.key and not line.value:
            above.append(line)
    before = ("", "")
    done = []
    for line in kept:
        run = (line.layer, line.place.rpartition(":")[0])
        done.append(line._replace(is_head=run != before))
        before = run
    return done
