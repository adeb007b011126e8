"""The line of each environment: which version of each service came when, who waits, and how changes reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.history.delivery import FieldStep, delivery, lead_times, waiting
from envcompile.history.times import moment_of
from envcompile.history.trailers import approvals
from envcompile.history.versions import arrivals, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.past import Past
    from envcompile.history.delivery import Delivery, Waiting
    from envcompile.history.versions import Arrival


class Came(NamedTuple):
    """An arrival with what is known of its way."""

    arrival: Arrival
    lead: int | None
    """Seconds since the image first arrived in an earlier environment; None where it was in none, or comes back."""
    approved_by: tuple[str, ...]


class Timeline(NamedTuple):
    """The lanes of environments, in promotion order."""

    lanes: dict[str, tuple[Came, ...]]
    waiting: tuple[Waiting, ...]
    start: int
    """Where the period begins, in seconds since 1970."""
    end: int


class Deliveries(NamedTuple):
    """How changes reached environments in a period."""

    start: int
    end: int
    environments: tuple[Delivery, ...]
    waiting: tuple[Waiting, ...]


def timeline(
    past: Past, order: Sequence[str], wanted: Sequence[str], now: int, *, since: str | None = None, service: str = ""
) -> Timeline:
    """Which version of each service came to which environment, along the line of first parents of HEAD.

    Args:
        past: the history.
        order: all environments in promotion order.
        wanted: environments; none means all.
        now: seconds since 1970.
        since: where the period begins, `30d` or a day; everything when left out.
        service: the name of a workload; all of them when left out.

    Raises:
        UsageError: no such environment or workload, or the text is no time.
    """
    names, lanes, line = _lanes(past, order, wanted)
    start = _start(lanes, now, since)
    if service:
        known = {arrival.resource.name for came in lanes.values() for arrival in came}
        if service not in known:
            fix = did_you_mean(service, sorted(known), f"recorded are {', '.join(sorted(known))}")
            raise UsageError([Problem(f"the history has no workload `{service}`", fix)])
        lanes = {name: [each for each in came if each.resource.name == service] for name, came in lanes.items()}
    firsts = lead_times(lanes)
    every = list(lanes)
    found = {}
    for name in names:
        earlier = every[: every.index(name)]
        shown = [each for each in lanes[name] if start <= each.commit.committed_at <= now]
        found[name] = tuple(_came(each, firsts.get((*each.key, each.image), {}), earlier) for each in shown)
    held = [each for each in _waiting(lanes, order, line, now) if each.source in names or each.target in names]
    return Timeline(found, tuple(held), start, now)


def deliveries(
    past: Past, order: Sequence[str], wanted: Sequence[str], now: int, *, since: str | None = None
) -> Deliveries:
    """How often and how fast changes reached environments, and how many were taken back.

    Args:
        past: the history.
        order: all environments in promotion order.
        wanted: environments; none means all.
        now: seconds since 1970.
        since: where the period begins, `30d` or a day; everything when left out.

    Raises:
        UsageError: no such environment, or the text is no time.
    """
    names, lanes, line = _lanes(past, order, wanted)
    start = _start(lanes, now, since)
    times = {name: facts.committed_at for name, facts in past.store.commits(line).items()}
    found = []
    for name in names:
        steps = _steps(past, name, line, times)
        changed = _changed(past, name, times)
        found.append(delivery(name, lanes, steps, changed, start, now + 1))
    return Deliveries(start, now, tuple(found), tuple(_waiting(lanes, order, line, now)))


def recorded_line(past: Past) -> tuple[list[str], list[str]]:
    """The recorded commits on the line of first parents of HEAD, the oldest first, and all that are not recorded.

    A newest commit that is not recorded yet does not end the line.
    """
    head = past.repository.resolve("HEAD")
    known = past.store.known()
    missing = [name for name in past.repository.walk([head]) if name not in known]
    above = {commit.hash: commit.parents for commit in past.repository.commits(missing)} if missing else {}
    at = head
    while above.get(at):
        at = above[at][0]
    return line_of(past.store.database, at), missing


def choose_lanes(past: Past, order: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The recorded environments that are wanted, in promotion order; all of them where none is named.

    Raises:
        UsageError: the history has no such environment.
    """
    recorded = past.store.environments()
    known = [name for name in order if name in recorded] + [name for name in recorded if name not in order]
    for name in wanted:
        if name not in known:
            fix = did_you_mean(name, known, f"recorded are {', '.join(known)}")
            raise UsageError([Problem(f"the history has no environment `{name}`", fix)])
    return [name for name in known if not wanted or name in wanted]


def _lanes(
    past: Past, order: Sequence[str], wanted: Sequence[str]
) -> tuple[list[str], dict[str, list[Arrival]], list[str]]:
    known = choose_lanes(past, order, ())
    choose_lanes(past, order, wanted)
    line = recorded_line(past)[0]
    lanes = {name: list(arrivals(past.store, name, line)) for name in known}
    if not wanted:  # environments that HEAD's line has not had for long are nobody's lane
        lanes = {name: came for name, came in lanes.items() if came or name in order}
    return [name for name in lanes if not wanted or name in wanted], lanes, line


def _waiting(lanes: dict[str, list[Arrival]], order: Sequence[str], line: Sequence[str], now: int) -> list[Waiting]:
    """What waits for the next environment; nothing does for one that has another name since, or is gone."""
    return waiting({name: came for name, came in lanes.items() if name in order}, line, now)


def _start(lanes: dict[str, list[Arrival]], now: int, since: str | None) -> int:
    if since is not None:
        return moment_of(since, now)
    return min((each.commit.committed_at for came in lanes.values() for each in came), default=now)


def _came(arrival: Arrival, firsts: dict[str, int], earlier: Sequence[str]) -> Came:
    at = arrival.commit.committed_at
    known = [firsts[name] for name in earlier if name in firsts and firsts[name] <= at]
    # What has been there before comes back: that is no way through the environments.
    is_new = firsts.get(arrival.environment) == at and not arrival.is_first
    lead = at - min(known) if known and arrival.image and is_new else None
    return Came(arrival, lead, approvals(arrival.commit.message))


def _steps(past: Past, environment: str, line: Sequence[str], times: dict[str, int]) -> list[FieldStep]:
    places = {commit: position for position, commit in enumerate(line)}
    rows = past.store.database.rows(
        "SELECT c.hash, x.kind || '/' || x.name, f.field, f.old, f.new FROM field_change f "
        "JOIN revision r ON r.id = f.revision_id JOIN recorded_commit c ON c.id = r.commit_id "
        "JOIN resource x ON x.id = f.resource_id JOIN environment e ON e.id = x.environment_id "
        "WHERE e.name = ? ORDER BY f.id",
        (environment,),
    )
    steps = [FieldStep(row[0], times[row[0]], *row[1:]) for row in rows if row[0] in places]
    return sorted(steps, key=lambda step: places[step.commit])


def _changed(past: Past, environment: str, times: dict[str, int]) -> list[tuple[str, int]]:
    """The commits that changed something, without those that hold all because the record begins there."""
    rows = past.store.database.rows(
        "SELECT DISTINCT c.hash FROM resource_change h JOIN revision r ON r.id = h.revision_id "
        "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id "
        "WHERE e.name = ? AND r.base_id IS NOT NULL",
        (environment,),
    )
    return [(row[0], times[row[0]]) for row in rows if row[0] in times]
