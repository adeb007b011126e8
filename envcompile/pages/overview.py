"""The first page: the verdict, environments side by side, versions, what needs attention, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.reached import tag_of
from envcompile.cost.estimate import MICRO
from envcompile.errors import EnvcError
from envcompile.kubernetes.images import parse_image
from envcompile.pages.deliveries import waits
from envcompile.pages.model import Attention, EventLine, Missing
from envcompile.pages.words import DAY, first_name, listed, many, moment, money, sentence, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.reached import Event
    from envcompile.check.finding import Finding
    from envcompile.check.report import Group
    from envcompile.model import ResourceId
    from envcompile.pages.model import Plot
    from envcompile.pages.sides import Image
    from envcompile.pages.state import State

WEEK = 7 * DAY
PERIOD: Final = 63 * DAY
"""Nine weeks, in seconds: what a picture can show."""
MOVING = frozenset({"latest", "main", "master", "edge", "nightly", "stable"})
"""Tags that people move: what runs changes without a commit."""
_SHOWN_EVENTS = 9
_ATTENTION = 20
"""Findings beside the environments: the rest is on the page of the checks."""
_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")
NO_HISTORY = Missing(
    "Nothing is recorded yet",
    "What is shown is compiled from the files as they are. Since when and by whom needs the history: "
    "`envc history import` reads the commits of this branch once; `envc hook install` keeps it.",
)


class EnvironmentRow(NamedTuple):
    """One environment beside the others."""

    name: str
    namespace: str
    last: EventLine | None
    errors: int
    warnings: int
    notes: int
    cluster: str
    """`ok`, `changed`, `bad` or `off`."""
    cluster_words: str
    context: str
    resources: int
    cost: str
    cost_at_most: str
    problem: str
    """Why it does not compile; empty when it does."""


class VersionCell(NamedTuple):
    """What runs in one environment."""

    value: str
    is_same: bool
    """As in the environment left of it."""
    flag: str
    """Why somebody should look at it; empty for nothing."""
    commit: str
    """The commit that brought it; empty when it is not known."""
    day: str
    who: str


class VersionRow(NamedTuple):
    """A service in all environments."""

    name: str
    resource: ResourceId
    environment: str
    """The last one that has it, to link to."""
    cells: tuple[VersionCell | None, ...]
    waits: str


class Overview(NamedTuple):
    """The first page: environments side by side, what is wrong, what happened."""

    title: str
    sub: str
    environments: tuple[EnvironmentRow, ...]
    versions: tuple[VersionRow, ...]
    attention: tuple[Attention, ...]
    further: int
    """Findings of that grade that are not told."""
    findings: int
    week: tuple[EventLine, ...]
    week_count: int
    period: str
    plot: Plot | None
    missing: tuple[Missing, ...]


def overview(state: State, now: int, plot: Plot | None = None) -> Overview:
    """The first page.

    Args:
        state: the project.
        now: the time of reading, in seconds since 1970.
        plot: the picture of the period, where there is one.
    """
    recent = [event for event in state.events if event.commit.authored_at > now - WEEK]
    title, sub = verdict(state, now)
    grave = state.grouped("warning")
    return Overview(
        title,
        sub,
        tuple(_row(state, name, now) for name in state.names),
        versions(state, now),
        attention(state, grave[:_ATTENTION], now),
        max(0, len(grave) - _ATTENTION),
        len(state.findings),
        tuple(event_line(event, now) for event in recent[:_SHOWN_EVENTS]),
        len(recent),
        _period(state, now),
        plot,
        unrecorded(state) or _left_out(state),
    )


def _period(state: State, now: int) -> str:
    """The period of the picture."""
    if not state.events:
        return "Changes"
    last = state.events[0].commit.authored_at
    first = next(event for event in reversed(state.events) if event.commit.authored_at > last - PERIOD)
    return f"{moment(first.commit.authored_at, now).day} to {moment(last, now).day}"


def unrecorded(state: State) -> tuple[Missing, ...]:
    """What a page says where there is no history, or none that answers; nothing where there is one."""
    if state.recording is not None:
        return ()
    if state.silence:
        text = "What is shown is compiled from the files as they are. `envc history doctor` looks at the database."
        return (Missing(f"The history does not answer: {state.silence}", text),)
    return (NO_HISTORY,)


def _left_out(state: State) -> tuple[Missing, ...]:
    left = state.recording.missing if state.recording is not None else 0
    if not left:
        return ()
    text = "What they changed is not told here. `envc history import` records them."
    return (Missing(f"{many(left, 'commit')} of this branch {'is' if left == 1 else 'are'} not recorded", text),)


def verdict(state: State, now: int) -> tuple[str, str]:
    """The verdict on all environments in one line, the worst first and the last one always named; and what happened."""
    broken = [name for name, side in state.sides.items() if side.problems]
    parts = [f"{listed(broken)} {'does' if len(broken) == 1 else 'do'} not compile"] if broken else []
    ranked = sorted(state.compiled, key=lambda name: (-state.counts[name]["error"], -state.counts[name]["warning"]))
    said: list[str] = []
    for name in ranked:
        counts = state.counts[name]
        words = [many(counts[grade], grade) for grade in ("error", "warning") if counts[grade]]
        if words:
            verb = "has " if not said else ""
            said.append(f"{name} {verb}{' and '.join(words)}")
    parts += [", ".join(said)] if said else []
    last = state.names[-1] if state.names else ""
    clean = [name for name in state.compiled if not (state.counts[name]["error"] or state.counts[name]["warning"])]
    if parts and last in clean:
        parts.append(f"{last} has none" if said else f"{last} has no errors")
    title = "; ".join(parts) or f"{many(len(state.names), 'environment')}: no errors, no warnings"
    return sentence(title), f"{_happened(state, now)} {clusters(state, now)}".strip()


def _happened(state: State, now: int) -> str:
    if state.recording is None:
        return "Nothing is recorded yet, so what changed is not known."
    last = state.names[-1]
    week = now - WEEK
    mine = [event for event in state.events if event.environment == last and event.commit.authored_at > week]
    if not mine:
        return f"{sentence(last)} did not change in the last 7 days."
    newest = mine[0]
    day = moment(newest.commit.authored_at, now).day
    return (
        f"{sentence(last)} changed {times(len(mine))} in the last 7 days: {day}, {newest.subject}"
        f" ({newest.commit.author_name})."
    )


def clusters(state: State, now: int) -> str:
    """What is known of the clusters, in a sentence or two."""
    known, drift = state.presences(now), state.drift(now)
    different = [f"{many(one.resources, 'resource')} of {name}" for name, one in drift.items() if one.found]
    if different:
        return f"Otherwise in the cluster than compiled: {listed(different)}, as `envc drift --record` saw it last."
    if not known and drift:
        return f"{sentence(listed(list(drift)))} had no drift when `envc drift --record` looked last."
    if not known:
        return "Whether the clusters are as git says is not known: none is watched."
    lacking = [f"{many(len(one.missing), 'resource')} of {name}" for name, one in known.items() if one.missing]
    said = f"Not in the cluster: {listed(lacking)}" if lacking else f"All of {listed(list(known))} is there"
    return f"{said}, by what `envc watch` stored; `envc drift` compares field by field."


def _cluster(state: State, name: str, now: int) -> tuple[str, str]:
    """The status of an environment's cluster, and its words."""
    known, drift = state.presences(now).get(name), state.drift(now).get(name)
    if drift is not None and drift.found:
        return "changed", f"{drift.resources} of {drift.compared} differ"
    if known is None:
        return ("ok", f"no drift {moment(drift.looked_at, now).day}") if drift is not None else ("off", "not watched")
    if known.missing:
        return "changed", f"{len(known.missing)} of {known.watched} not there"
    return "ok", f"all {known.watched} there"


def _row(state: State, name: str, now: int) -> EnvironmentRow:
    side, counts = state.sides[name], state.counts[name]
    last = next((event for event in state.events if event.environment == name), None)
    amounts = _cost(state, name, now)
    problem = ""
    if side.problems:
        more = f" and {len(side.problems) - 1} more" if len(side.problems) > 1 else ""
        problem = f"{side.problems[0].what}{more}"
    return EnvironmentRow(
        name,
        side.namespace,
        event_line(last, now) if last is not None else None,
        counts["error"],
        counts["warning"],
        counts["info"],
        *_cluster(state, name, now),
        side.context,
        len(side.resources),
        *amounts,
        problem,
    )


def _cost(state: State, name: str, now: int) -> tuple[str, str]:
    """What an environment costs a month, and at most; empty where that is not known."""
    try:
        costs = state.costs(now)
    except EnvcError:
        return "", ""
    for one in costs.environments if costs is not None else ():
        if one.estimate.environment == name:
            total = one.estimate.money
            most = total.most.total
            return money(total.expected.total / MICRO), money(most / MICRO) if most > total.expected.total else ""
    return "", ""


def event_line(event: Event, now: int) -> EventLine:
    """A change as one line: what came with it when that is a single image, else what its author says."""
    commit = event.commit
    return EventLine(moment(commit.authored_at, now), what(event), event.environment, commit.author_name, commit.hash)


def what(event: Event) -> str:
    """What an event is called."""
    first = event.changed[0] if event.changed else None
    if event.problem:
        return f"{event.environment} does not compile: {event.subject}"
    if first is not None and event.facet == "image" and len(event.changed) == 1:
        return f"{first.resource.name} {tag_of(first.new)}"
    return event.subject


def attention(state: State, shown: Sequence[Group], now: int) -> tuple[Attention, ...]:
    """What a page says of findings, with since when.

    Args:
        state: the project.
        shown: the findings that the page has room for.
        now: the time of reading, in seconds since 1970.
    """
    dated = state.dated([group.finding for group in shown])
    return tuple(described(found, group.environments, now) for found, group in zip(dated, shown, strict=True))


def described(found: Finding, environments: tuple[str, ...], now: int) -> Attention:
    """What a page says of a finding.

    Args:
        found: the finding, with since when where that is shown.
        environments: where it was found.
        now: the time of reading, in seconds since 1970.
    """
    since, by = "", ""
    if found.since is not None and found.since.commit:
        since, by = moment(found.since.time, now).day, found.since.author
    elif found.since is not None:
        since = "not committed yet"
    place = f"{found.where.file}:{found.where.line}" if found.where is not None else ""
    return Attention(
        found.severity,
        environments,
        sentence(f"{found.resource.name}: {found.what}"),
        found.rule,
        found.resource,
        found.environment,
        place,
        since,
        by,
        found.fix,
    )


def versions(state: State, now: int) -> tuple[VersionRow, ...]:
    """Service by environment: the image of each workload's main container, since when, and how long one waits."""
    rows: dict[tuple[str, str, str], dict[str, Image]] = {}
    for name in state.compiled:
        for image in state.sides[name].images:
            if image.is_main and image.resource.kind in _KINDS:
                key = (image.resource.group, image.resource.kind, image.resource.name)
                rows.setdefault(key, {})[name] = image
    arrived = arrivals(state)
    waiting = waits(state, now)
    return tuple(
        _version_row(state, held, arrived, waiting, now) for _, held in sorted(rows.items(), key=lambda row: row[0][2])
    )


def arrivals(state: State) -> Mapping[tuple[str, ResourceId, str], Event]:
    """Environment, resource and container of each image -> the newest change of it."""
    found: dict[tuple[str, ResourceId, str], Event] = {}
    for event in state.events:
        for changed in event.changed:
            if changed.facet == "image":
                container = changed.field.rpartition("ontainers[name=")[2].removesuffix("].image")
                found.setdefault((event.environment, changed.resource, container), event)
    return found


def _version_row(
    state: State,
    held: Mapping[str, Image],
    arrived: Mapping[tuple[str, ResourceId, str], Event],
    waiting: Mapping[tuple[str, str, str], int],
    now: int,
) -> VersionRow:
    cells: list[VersionCell | None] = []
    before = ""
    for name in state.names:
        image = held.get(name)
        if image is None:
            cells.append(None)
            continue
        event = arrived.get((name, image.resource, image.container))
        tag = tag_of(image.image)
        is_moving = parse_image(image.image).tag in MOVING and not parse_image(image.image).digest
        cells.append(
            VersionCell(
                tag,
                image.image == before,
                "moving tag" if is_moving else "",
                event.commit.hash if event is not None else "",
                moment(event.commit.authored_at, now).day if event is not None else "",
                first_name(event.commit.author_name) if event is not None else "",
            )
        )
        before = image.image
    last = next(reversed([name for name in state.names if name in held]))
    image = held[last]
    days = waiting.get((image.resource.kind, image.resource.name, image.container))
    is_moving = len(cells) > 1 and cells[-2] is not None and bool(cells[-2].flag)
    waits_for = many(days, "day") if days is not None and last == state.names[-1] and not is_moving else "–"
    return VersionRow(image.resource.name, image.resource, last, tuple(cells), waits_for)
