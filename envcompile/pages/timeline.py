"""What reached environments: a table of changes, with what each brought, by whom, and who approved it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.reached import tag_of
from envcompile.history.times import moment_of
from envcompile.pages.model import FieldChange, Option, TimelineRow
from envcompile.pages.overview import unrecorded
from envcompile.pages.words import many, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.actions.reached import Changed, Event
    from envcompile.pages.links import Links
    from envcompile.pages.model import Figure, Missing, Plot
    from envcompile.pages.state import State

ROWS = 200
"""Changes on a page; a year has thousands."""
_TOLD = 3
_LONG = 120
_PERIODS = (("7 days", "7d"), ("30 days", "30d"), ("90 days", "90d"), ("all", ""))


class Timeline(NamedTuple):
    """What changed, when, by whom."""

    title: str
    sub: str
    figures: tuple[Figure, ...]
    plot: Plot | None
    rows: tuple[TimelineRow, ...]
    found: int
    """How many changes match."""
    earlier: str
    """The address of those before the ones shown; empty when there are none."""
    environments: tuple[Option, ...]
    periods: tuple[Option, ...]
    query: str
    environment: str
    since: str
    missing: tuple[Missing, ...]


def timeline(
    state: State,
    query: Mapping[str, str],
    links: Links,
    now: int,
    *,
    plot: Plot | None = None,
    figures: tuple[Figure, ...] = (),
    most: int = ROWS,
) -> Timeline:
    """The page of changes.

    Args:
        state: the project.
        query: `env`, `q`, `since`, `commit` and `from` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.
        plot: the picture of the period, where there is one.
        figures: lead time and the like, where they are known.
        most: how many changes are listed.

    Raises:
        UsageError: no such environment, or `since` is no time.
    """
    environment, text = query.get("env", ""), query.get("q", "").strip().lower()
    if environment:
        state.project.choose([environment])
    since, start = query.get("since", ""), int(query["from"]) if query.get("from", "").isdecimal() else 0
    begin = moment_of(since, now) if since else 0
    commit = query.get("commit", "")
    chosen = [
        event
        for event in state.events
        if event.commit.authored_at >= begin
        and (not environment or event.environment == environment)
        and (not commit or event.commit.hash.startswith(commit))
        and (not text or text in _searched(event))
    ]
    shown = chosen[start : start + most]
    end = start + len(shown)
    kept = {"env": environment, "q": query.get("q", ""), "since": since}
    earlier = links.page("timeline", **kept, **{"from": str(end)}) if end < len(chosen) else ""
    return Timeline(
        _title(chosen, since, commit, now),
        _sub(state, chosen, now),
        figures if not text and not commit and not environment else (),
        plot if not text and not commit and not environment else None,
        tuple(row(event, state.names[-1:], now) for event in shown),
        len(chosen),
        earlier,
        tuple(
            Option(name or "all", links.page("timeline", **{**kept, "env": name}), name == environment)
            for name in ("", *state.names)
        ),
        tuple(Option(name, links.page("timeline", **{**kept, "since": age}), age == since) for name, age in _PERIODS),
        query.get("q", ""),
        environment,
        since,
        unrecorded(state),
    )


def row(event: Event, approved: Iterable[str], now: int) -> TimelineRow:
    """A change as a row.

    Args:
        event: the change.
        approved: environments whose changes somebody has to approve.
        now: the time of reading.
    """
    commit = event.commit
    told = event.changed[:_TOLD]
    return TimelineRow(
        commit.hash,
        moment(commit.authored_at, now),
        event.environment,
        event.subject,
        tuple(map(change_of, told)),
        len(event.changed) - len(told),
        commit.author_name,
        ", ".join(event.approvals),
        event.environment in approved and not event.approvals,
    )


def change_of(changed: Changed) -> FieldChange:
    """A field as a row tells it: the last names of its path, tags in the place of whole image references."""
    old, new = changed.old, changed.new
    if changed.facet == "image" and changed.field:
        old, new = (tag_of(value) if value is not None else None for value in (old, new))
    if not changed.field:
        return FieldChange(changed.resource.short, "", changed.facet, text_of(old), text_of(new))
    return FieldChange(changed.resource.short, short(changed.field), changed.facet, text_of(old), text_of(new))


def short(field: str) -> str:
    """A field without what leads to it: `spec.template.spec.containers[name=app].image` is `image`."""
    inner = field.rpartition("#")[2]
    if inner != field:
        return inner
    tail = field.rpartition("].")[2].removeprefix("spec.").removeprefix("data.")
    return tail.replace("resources.requests.cpu", "CPU requested").replace(
        "resources.requests.memory", "memory requested"
    )


def text_of(value: Any) -> str:
    """A value on one line; `–` for none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        text = value
    elif isinstance(value, dict) and all(not isinstance(held, (dict, list)) for held in value.values()):
        text = ", ".join(f"{key} {held}" for key, held in value.items())
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _searched(event: Event) -> str:
    """Everything that a filter looks at, in lower case."""
    parts = [event.subject, event.commit.author_name, event.commit.hash, event.environment]
    for changed in event.changed:
        parts += [changed.resource.short, changed.field, text_of(changed.old), text_of(changed.new)]
    return "\n".join(parts).lower()


def _title(chosen: list[Event], since: str, commit: str, now: int) -> str:
    if commit:
        return f"{commit[:10]} changed {many(len(chosen), 'environment')}"
    verb = f"{many(len(chosen), 'change')} reached an environment"
    if since:
        return f"{verb} in the last {since.replace('d', ' days').replace('w', ' weeks').replace('h', ' hours')}"
    if not chosen:
        return verb
    return f"{verb} since {moment(chosen[-1].commit.authored_at, now).day}"


def _sub(state: State, chosen: list[Event], now: int) -> str:
    if not chosen:
        return ""
    first, last = (moment(chosen[at].commit.authored_at, now).day for at in (-1, 0))
    people = len({event.commit.author_name for event in chosen})
    by = {name: sum(event.environment == name for event in chosen) for name in state.names}
    counted = ", ".join(f"{name} {count:,}" for name, count in by.items() if count)
    return f"{first} to {last}, {many(people, 'person', 'people')}: {counted}."
