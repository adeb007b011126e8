"""One environment: its resources, what is wrong with them, and what changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.pages.model import Option
from envcompile.pages.overview import attention, event_line, unrecorded
from envcompile.pages.words import many, moment, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.actions.reached import Event
    from envcompile.model import ResourceId
    from envcompile.pages.links import Links
    from envcompile.pages.model import Attention, EventLine, Missing
    from envcompile.pages.state import State

_ROWS = 300
"""Resources in a list; the rest is a link away."""
_EVENTS = 8
_ATTENTION = 20
_NAMED = 5
"""Missing resources that a sentence names."""


class ResourceLine(NamedTuple):
    """A resource in a list."""

    resource: ResourceId
    environment: str
    app: str
    errors: int
    warnings: int
    notes: int
    last: EventLine | None


class EnvironmentPage(NamedTuple):
    """One environment: what it holds, what is wrong, what happened."""

    title: str
    sub: str
    environment: str
    facts: tuple[tuple[str, str], ...]
    tabs: tuple[Option, ...]
    resources: tuple[ResourceLine, ...]
    found: int
    more: str
    """The address of all of them; empty when they are shown."""
    query: str
    attention: tuple[Attention, ...]
    further: int
    """Findings of that grade that are not told."""
    events: tuple[EventLine, ...]
    problems: tuple[tuple[str, str, str], ...]
    missing: tuple[Missing, ...]


def environment_page(state: State, name: str, query: Mapping[str, str], links: Links, now: int) -> EnvironmentPage:
    """The page of an environment.

    Args:
        state: the project.
        name: the environment.
        query: `q` and `all` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.

    Raises:
        UsageError: there is no such environment.
    """
    state.project.choose([name])
    side = state.sides[name]
    text = query.get("q", "").strip().lower()
    mine = [event for event in state.events if event.environment == name]
    last = _last(mine)
    counts: dict[ResourceId, Counter[str]] = {}
    for finding in state.findings:
        if finding.environment == name:
            counts.setdefault(finding.resource, Counter())[finding.severity] += 1
    apps = side.apps
    chosen = [one for one in side.resources if not text or text in f"{one.short} {apps.get(one, '')}".lower()]
    shown = chosen if query.get("all") else chosen[:_ROWS]
    lines = tuple(
        ResourceLine(
            one,
            name,
            apps.get(one, ""),
            counts.get(one, Counter())["error"],
            counts.get(one, Counter())["warning"],
            counts.get(one, Counter())["info"],
            event_line(last[one], now) if one in last else None,
        )
        for one in shown
    )
    more = f"{links.environment(name)}?all=1" if len(shown) < len(chosen) else ""
    facts = [("Namespace", side.namespace or "none of its own")]
    facts += [("Context", side.context)] if side.context else []
    facts += [("Owners", ", ".join(side.owners))] if side.owners else []
    facts += [("Kinds", ", ".join(f"{kind} {count}" for kind, count in _kinds(side.resources)))] if chosen else []
    grave = [group for group in state.grouped("warning") if name in group.environments]
    return EnvironmentPage(
        _title(state, name),
        f"{many(len(mine), 'change')} recorded. {_watched(state, name, now)}",
        name,
        tuple(facts),
        tuple(Option(other, links.environment(other), other == name) for other in state.names),
        lines,
        len(chosen),
        more,
        query.get("q", ""),
        attention(state, grave[:_ATTENTION], now),
        max(0, len(grave) - _ATTENTION),
        tuple(event_line(event, now) for event in mine[:_EVENTS]),
        tuple((problem.what, problem.fix, ", ".join(map(str, problem.where))) for problem in side.problems),
        unrecorded(state),
    )


def _watched(state: State, name: str, now: int) -> str:
    """What is known of the environment's cluster."""
    known = state.presences(now).get(name)
    if known is None:
        return f"The cluster is not watched. {_drifted(state, name, now)}"
    lacking = ", ".join(one.short for one in known.missing[:_NAMED])
    more = f" and {len(known.missing) - _NAMED} more" if len(known.missing) > _NAMED else ""
    said = (
        f"Not in the cluster {known.cluster}: {lacking}{more}."
        if known.missing
        else (f"All {known.watched} that are watched are in the cluster {known.cluster}.")
    )
    return f"{said} {_drifted(state, name, now)}"


def _drifted(state: State, name: str, now: int) -> str:
    """What is known of the difference between compiled and live."""
    known = state.drift(now).get(name)
    if known is None:
        return f"`envc drift {name} --record` compares field by field."
    looked = moment(known.looked_at, now)
    resources = many(known.resources, "resource")
    differed = f"{resources} of {known.compared:,} differed" if known.resources else "nothing differed"
    return f"On {looked.day} at {looked.clock} {differed} from what is compiled."


def _title(state: State, name: str) -> str:
    side, counts = state.sides[name], state.counts[name]
    if side.problems:
        return f"{sentence(name)} does not compile"
    words = [many(counts[grade], grade) for grade in ("error", "warning") if counts[grade]]
    return f"{sentence(name)}: {many(len(side.resources), 'resource')}, {' and '.join(words) or 'no errors'}"


def _last(events: list[Event]) -> dict[ResourceId, Event]:
    """Resource -> the newest change of it."""
    found: dict[ResourceId, Event] = {}
    for event in events:
        for changed in event.changed:
            found.setdefault(changed.resource, event)
    return found


def _kinds(resources: tuple[ResourceId, ...]) -> list[tuple[str, int]]:
    return sorted(Counter(one.kind for one in resources).items(), key=lambda item: (-item[1], item[0]))[:8]
