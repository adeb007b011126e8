"""Search: resources by name, images with when they ran where, values of fields; now or at a time."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.past import commit_at, find, revision_of
from envcompile.actions.reached import tag_of
from envcompile.ask.redact import Hidden, redacted
from envcompile.errors import UsageError
from envcompile.history.times import time_of
from envcompile.kubernetes.fieldpath import format_field
from envcompile.pages.overview import NO_HISTORY, unrecorded
from envcompile.pages.seen import open_or_none
from envcompile.pages.words import DAY, listed, many, moment
from envcompile.values import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.reached import Event
    from envcompile.model import ResourceId
    from envcompile.pages.model import Missing
    from envcompile.pages.state import State
    from envcompile.pages.words import Moment

MOST = 200
"""Rows of an answer."""
_WORD = re.compile(r"(?:(image|value|kind|env|at|name):)?(\S+)")


class Interval(NamedTuple):
    """How long a workload ran an image."""

    environment: str
    resource: ResourceId
    value: str
    begin: Moment | None
    end: Moment | None
    """None while it runs."""
    days: int
    who: str
    commit: str
    before: str
    after: str


class Hit(NamedTuple):
    """A resource, or a field in it, that a search found."""

    environment: str
    resource: ResourceId
    field: str
    value: str


class Search(NamedTuple):
    """What a search found."""

    title: str
    sub: str
    query: str
    intervals: tuple[Interval, ...]
    hits: tuple[Hit, ...]
    more: int
    missing: tuple[Missing, ...]


class Wanted(NamedTuple):
    """A query taken apart."""

    words: tuple[str, ...] = ()
    image: str = ""
    value: str = ""
    kind: str = ""
    environment: str = ""
    at: str = ""


def wanted(query: str) -> Wanted:
    """A query taken apart: `image:` `value:` `kind:` `env:` `at:`, and bare words."""
    found: dict[str, str] = {}
    words = []
    for name, text in _WORD.findall(query):
        if name in {"", "name"}:
            words.append(text.lower())
        else:
            found["environment" if name == "env" else name] = text
    return Wanted(tuple(words), **found)


def pattern_of(text: str) -> str:
    """What `history find` matches: the text anywhere, unless it has a `*` itself."""
    return text if "*" in text or "?" in text else f"*{text}*"


def search(state: State, query: str, now: int) -> Search:
    """The page of a search.

    Args:
        state: the project.
        query: what somebody typed.
        now: the time of reading, in seconds since 1970.

    Raises:
        UsageError: `at:` is no time, or `env:` no environment.
    """
    asked = wanted(query)
    if asked.environment:
        state.project.choose([asked.environment])
    names = [asked.environment] if asked.environment else list(state.names)
    missing = unrecorded(state) if asked.image or asked.at else ()
    if asked.at and (asked.image or asked.value):
        return _at(state, asked, query, names, now)
    if asked.image:
        return _image(state, asked, query, names, now)._replace(missing=missing)
    hits = list(_names(state, asked, names)) if not asked.value else []
    what = "resource"
    if not hits and asked.words and not asked.kind:
        intervals = _image(state, asked._replace(image=" ".join(asked.words)), query, names, now)
        if intervals.intervals:
            return intervals
    if not hits and (asked.value or asked.words):
        hits, what = list(_values(state, asked.value or " ".join(asked.words), names)), "field"
    title = f"{many(len(hits), what)} {'matches' if len(hits) == 1 else 'match'} {query}" if query else "Search"
    help_ = (
        "Words find resources, then images, then values. `image:` `value:` `kind:` `env:` `at:2026-11-15` say which."
    )
    return Search(title, help_, query, (), tuple(hits[:MOST]), max(0, len(hits) - MOST), missing)


def _names(state: State, asked: Wanted, names: list[str]) -> Iterator[Hit]:
    for name in names:
        for one in state.sides[name].resources:
            text = f"{one.short} {state.sides[name].apps.get(one, '')}".lower()
            is_kind = not asked.kind or one.kind.lower() == asked.kind.lower()
            if is_kind and all(word in text for word in asked.words) and (asked.words or asked.kind):
                yield Hit(name, one, "", "")


def _values(state: State, text: str, names: list[str]) -> Iterator[Hit]:
    """The fields whose value holds a text; secrets are not looked at."""
    low = text.lower()
    found = 0
    for name in names:
        if state.sides[name].problems:
            continue
        for resource in state.project.link(name).resources():
            for pointer, value in leaves(redacted(resource.id, resource.value)):
                if isinstance(value, Hidden) or low not in _plain(value).lower():
                    continue
                field = format_field(tuple(pointer))
                yield Hit(name, resource.id, field, _around(_plain(value), low))
                found += 1
                if found > 5 * MOST:
                    return


def _plain(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}.get(value, "")
        if isinstance(value, (bool, type(None)))
        else str(value)
    )


def _around(value: str, low: str) -> str:
    """The line of a value that matches."""
    return next((line for line in value.splitlines() if low in line.lower()), value)


def _at(state: State, asked: Wanted, query: str, names: list[str], now: int) -> Search:
    """What matched at a time, from the recorded states themselves."""
    time_of(asked.at)
    past = open_or_none(state.project.root)
    if past is None:
        return Search("What was at that time is not known", "", query, (), (), 0, unrecorded(state) or (NO_HISTORY,))
    field, text = ("image", asked.image) if asked.image else ("", asked.value)
    with closing(past):
        commit = commit_at(past, asked.at)
        revisions = []
        for name in names if commit else ():
            with suppress(UsageError):  # nothing was recorded until then
                revisions.append(revision_of(past, name, commit))
        if field:
            found = find(past, f"image={pattern_of(text)}", revisions)
            hits = [Hit(one.environment, one.resource, one.field, str(one.value)) for one in found]
        else:
            hits = [hit for revision in revisions for hit in _recorded_values(past, revision, text)]
    where = list(dict.fromkeys(hit.environment for hit in hits))
    day = asked.at.replace("T", " ")
    if field:
        title = f"{text} ran in {listed(where)} at {day}" if hits else f"{text} ran nowhere at {day}"
    else:
        title = f"{many(len(hits), 'field')} held {text} at {day}"
    intervals = _intervals(state, asked.image, names, now) if asked.image else ()
    return Search(title, "", query, intervals, tuple(hits[:MOST]), max(0, len(hits) - MOST), ())


def _recorded_values(past: Any, revision: Any, text: str) -> list[Hit]:
    from envcompile.actions.past import resources_at

    low = text.lower()
    return [
        Hit(revision.environment, resource.id, format_field(tuple(pointer)), _around(_plain(value), low))
        for resource in resources_at(past, revision)
        for pointer, value in leaves(redacted(resource.id, resource.value))
        if not isinstance(value, Hidden) and low in _plain(value).lower()
    ]


def _image(state: State, asked: Wanted, query: str, names: list[str], now: int) -> Search:
    intervals = _intervals(state, asked.image, names, now)
    running = list(dict.fromkeys(one.environment for one in intervals if one.end is None))
    if running:
        title = f"{asked.image} runs in {listed(running)}"
    elif intervals:
        title = f"{asked.image} runs nowhere now"
    else:
        title = f"No image matches {asked.image}"
    ran = len({one.environment for one in intervals})
    sub = f"It has run in {many(ran, 'environment')}. Ask for a day with `at:2026-11-15`." if intervals else ""
    return Search(title, sub, query, intervals[:MOST], (), max(0, len(intervals) - MOST), ())


def _intervals(state: State, text: str, names: list[str], now: int) -> tuple[Interval, ...]:
    """When each workload ran an image that matches: from the recorded changes of the field, backwards from now."""
    pattern = pattern_of(text)
    changes: dict[tuple[str, ResourceId, str], list[tuple[Event, Any, Any]]] = {}
    for event in state.events:
        for changed in event.changed:
            if changed.facet == "image" and changed.field:
                container = changed.field.rpartition("ontainers[name=")[2].removesuffix("].image")
                key = (event.environment, changed.resource, container)
                changes.setdefault(key, []).append((event, changed.old, changed.new))
    current = {
        (name, image.resource, image.container): image.image for name in names for image in state.sides[name].images
    }
    found = []
    for key in dict.fromkeys([*current, *(key for key in changes if key[0] in names)]):
        name, resource, _ = key
        until: Event | None = None
        after = ""
        value: Any = current.get(key)
        for event, old, new in changes.get(key, []):
            held = new if new is not None else value
            if isinstance(held, str) and fnmatchcase(held, pattern):
                found.append(_interval(state, (name, resource), held, (event, until), (old, after), now))
            until, after, value = event, tag_of(new) if new else "removed", old
        if isinstance(value, str) and fnmatchcase(value, pattern):
            found.append(_interval(state, (name, resource), value, (None, until), (None, after), now))
    order = {name: number for number, name in enumerate(names)}
    found.sort(key=lambda one: (order[one.environment], one.resource, -(one.begin.seconds if one.begin else 0)))
    return tuple(found)


def _interval(
    state: State,
    where: tuple[str, ResourceId],
    image: str,
    ends: tuple[Event | None, Event | None],
    around: tuple[Any, str],
    now: int,
) -> Interval:
    """How long a workload ran an image.

    Args:
        state: the project.
        where: the environment and the workload.
        image: what it ran.
        ends: the change that brought it, None for what was there when the record begins; and the one that ended it.
        around: what was there before, and afterwards.
        now: the time of reading.
    """
    (name, resource), (begin, until), (old, after) = where, ends, around
    first = state.recording.first if state.recording is not None else None
    start = begin.commit.authored_at if begin is not None else first.authored_at if first is not None else now
    end = until.commit.authored_at if until is not None else now
    return Interval(
        name,
        resource,
        tag_of(image),
        moment(start, now) if begin is not None or first is not None else None,
        moment(end, now) if until is not None else None,
        max(0, end - start) // DAY,
        begin.commit.author_name if begin is not None else "",
        begin.commit.hash if begin is not None else "",
        tag_of(old) if old else "",
        after,
    )
