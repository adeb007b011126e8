"""A resource: its annotated manifest, findings, history, and what it needs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import find_resources
from envcompile.check.report import together
from envcompile.errors import UsageError
from envcompile.history.livetimes import SECOND
from envcompile.kubernetes.podspecs import maps_in, pod_template
from envcompile.pages.graphs import EVERYTHING
from envcompile.pages.links import BUILT_IN_GROUPS
from envcompile.pages.manifest import lines_of, own_lines
from envcompile.pages.model import Option, Origin
from envcompile.pages.origins import CLASSES
from envcompile.pages.overview import attention, unrecorded
from envcompile.pages.timeline import row
from envcompile.pages.words import listed, many, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.actions.origins import ResourceOrigins
    from envcompile.actions.presence import Presence
    from envcompile.history.drifted import Difference, Standing
    from envcompile.model import ResourceId
    from envcompile.pages.links import Links
    from envcompile.pages.manifest import Line
    from envcompile.pages.model import Attention, Missing, TimelineRow
    from envcompile.pages.state import State

Near = tuple[str, "ResourceId | None"]
"""A resource in words, and itself where it is there."""
MOST_LINES = 2_000
"""Lines of a manifest on a page."""
_HISTORY = 20


class ResourcePage(NamedTuple):
    """A resource: its manifest with who said what, findings, history."""

    title: str
    """Of the window."""
    sub: str
    kind: str
    name: str
    environment: str
    tabs: tuple[Option, ...]
    views: tuple[Option, ...]
    layers: tuple[Origin, ...]
    lines: tuple[Line, ...]
    left_out: int
    """Lines that are not shown because there are too many."""
    every: str
    """The address of all lines."""
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Attention, ...]
    history: tuple[TimelineRow, ...]
    changes: int
    needs: tuple[tuple[str, ResourceId | None], ...]
    needed: tuple[tuple[str, ResourceId | None], ...]
    missing: tuple[Missing, ...]


def resource_page(
    state: State,
    environment: str,
    wanted: str,
    query: Mapping[str, str],
    links: Links,
    now: int,
) -> ResourcePage:
    """The page of a resource.

    Args:
        state: the project.
        environment: the environment.
        wanted: KIND/NAME, or KIND.GROUP/NAME.
        query: `lines` and `namespace` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.

    Raises:
        UsageError: there is no such environment or resource.
        EnvcError: the environment does not compile.
    """
    state.project.choose([environment])
    identity = _one(state, environment, wanted, query.get("namespace", ""))
    origins = state.origins(environment, [identity])
    resource = next(one for one in origins.resources if one.id == identity)
    own = [
        event._replace(changed=tuple(item for item in event.changed if item.resource == identity))
        for event in state.events_of.get((environment, identity), ())
    ]
    own_findings = state.by_resource.get(identity._replace(namespace=""), ())
    found = [group for group in together(own_findings) if environment in group.environments]
    findings = attention(state, found, now)
    first = state.recording.first if state.recording is not None else None
    wrong = {one.field for one in own_findings if one.resource == identity and one.environment == environment}
    lines = lines_of(resource, origins.commits, first.hash if first is not None else "", wrong, now)
    counts = Counter(line.cls for line in lines)
    view = query.get("lines", "")
    address = links.resource(environment, identity)
    glue = "&" if "?" in address else "?"
    narrowed = own_lines(lines) if view == "own" else lines
    shown = narrowed if view == "every" else narrowed[:MOST_LINES]
    said = len(lines) - counts["base"]
    return ResourcePage(
        f"{identity.name} in {environment}",
        _sub(lines, counts, environment),
        identity.kind,
        identity.name,
        environment,
        _tabs(state, identity, environment, links),
        (
            Option(f"all {len(lines):,} lines", address, view != "own"),
            Option(f"{environment}'s own {said:,}", f"{address}{glue}lines=own", view == "own"),
        ),
        _layers(lines),
        tuple(shown),
        len(narrowed) - len(shown),
        f"{address}{glue}lines=every",
        _facts(state, environment, resource, now),
        findings,
        tuple(row(event, (), now) for event in own[:_HISTORY]),
        len(own),
        *_near(state, environment, identity),
        unrecorded(state),
    )


def _one(state: State, environment: str, wanted: str, namespace: str) -> ResourceId:
    """The one resource that an address names; of several groups a built-in one."""
    kind, _, name = wanted.partition("/")
    asked = f"{kind}/{namespace}/{name}" if namespace else wanted
    linked = state.project.link(environment)
    try:
        found = find_resources(linked, asked)
    except UsageError:
        near = [one for one in linked.ids_named(name) if one.kind.lower() == kind and one.group in BUILT_IN_GROUPS]
        if len(near) != 1:
            raise
        return near[0]
    mine = [one for one in found if one.id.namespace in {"", linked.namespace}]
    return (mine or found)[0].id


def _near(state: State, environment: str, identity: ResourceId) -> tuple[tuple[Near, ...], tuple[Near, ...]]:
    """What a resource needs, and what needs it; what everything needs is left out."""
    edges = state.graph(environment).edges
    needs = {
        edge.target: edge.is_missing for edge in edges if edge.source == identity and edge.target.kind not in EVERYTHING
    }
    needed = dict.fromkeys(edge.source for edge in edges if edge.target == identity)
    return (
        tuple((f"{one.short}{' (not there)' if gone else ''}", None if gone else one) for one, gone in needs.items()),
        tuple((one.short, one) for one in needed),
    )


def _sub(lines: list[Line], counts: Counter[str], environment: str) -> str:
    parts = [f"{counts['base']:,} from base"] if counts["base"] else []
    shared = sorted({line.layer for line in lines if line.cls == "shared"})
    parts += [f"{counts['shared']:,} from {listed(shared)}"] if shared else []
    own = counts["own"] + counts["set"]
    parts += [f"{own:,} from {environment}'s own files and settings"] if own else []
    parts += [f"{counts['derived']:,} derived"] if counts["derived"] else []
    changed = sum(bool(line.commit) for line in lines)
    verb = "value has" if changed == 1 else "values have"
    return f"{many(len(lines), 'line')}: {', '.join(parts)}. {changed:,} {verb} changed since the record begins."


def _tabs(state: State, identity: ResourceId, environment: str, links: Links) -> tuple[Option, ...]:
    """The same resource in every environment that has it."""
    tabs = []
    for name, side in state.sides.items():
        if name == environment:
            tabs.append(Option(name, links.resource(name, identity), is_chosen=True))
            continue
        own = identity.namespace == state.sides[environment].namespace
        there = identity._replace(namespace=side.namespace) if own and identity.namespace else identity
        if there in side.apps:
            tabs.append(Option(name, links.resource(name, there), is_chosen=False))
    return tuple(tabs)


def _layers(lines: list[Line]) -> tuple[Origin, ...]:
    """The layers that had a say, in the order in which they are laid."""
    order = list(CLASSES.values())
    found = {(line.cls, line.layer) for line in lines if line.layer}
    return tuple(Origin(cls, layer, "") for cls, layer in sorted(found, key=lambda one: (order.index(one[0]), one[1])))


def _facts(state: State, environment: str, resource: ResourceOrigins, now: int) -> tuple[tuple[str, str], ...]:
    side, identity, value = state.sides[environment], resource.id, resource.value
    known = state.presences(now).get(environment)
    facts = [("Service", resource.app)] if resource.app else []
    images = [image for image in side.images if image.resource == identity]
    facts += [("Image" if number == 0 else "also", image.image) for number, image in enumerate(images)]
    replicas = value.get("spec", {}).get("replicas") if isinstance(value.get("spec"), dict) else None
    if isinstance(replicas, int):
        facts.append(("Replicas", str(replicas)))
    template = pod_template(identity, value)
    for container in maps_in(template, "spec", "containers"):
        resources = container.get("resources")
        requests = resources.get("requests") if isinstance(resources, dict) else None
        if isinstance(requests, dict) and requests:
            words = ", ".join(f"{amount} {name}" for name, amount in requests.items())
            facts.append(("Requests", f"{words} ({container.get('name', '')})"))
    if side.owners:
        facts.append(("Owners", ", ".join(side.owners)))
    facts += _cluster(known, identity, now)
    facts += _drift(state.drift(now).get(environment), identity, now)
    return tuple(facts)


def _drift(known: Standing | None, identity: ResourceId, now: int) -> list[tuple[str, str]]:
    """What is live of a resource otherwise than compiled, as it was recorded last."""
    if known is None:
        return []
    mine = [(one, since) for one, since in known.found if one.resource == identity]
    looked = moment(known.looked_at, now)
    if not mine:
        return [("Drift", f"none on {looked.day} at {looked.clock} ({known.context})")]
    words = [drift_words(one, since, now) for one, since in mine]
    return [("Drift", words[0]), *(("also", each) for each in words[1:])]


def drift_words(found: Difference, since: int, now: int) -> str:
    """One difference in words: what is live, what was wanted, who wrote it, and since when it is known."""
    sides = {
        "changed": f"{found.have} is live, {found.want} is compiled",
        "missing": f"{found.want} is not live" if found.field else "not in the cluster",
        "extra": f"{found.have} is live, nothing is compiled" if found.field else "only in the cluster",
        "order": "the order is another one",
    }[found.how]
    if found.field and not (found.want or found.have):
        sides = f"its value is {found.how}"
    by = f", by {found.manager}" if found.manager else ""
    field = f"{found.field}: " if found.field else ""
    return f"{field}{sides}{by}, since {moment(since, now).day}"


def _cluster(known: Presence | None, identity: ResourceId, now: int) -> list[tuple[str, str]]:
    """What a watcher stored of a resource: whether it is there, and the last event of it or of what it makes."""
    if known is None or identity in known.unwatched:
        return [("Cluster", "not watched")]
    if identity in known.missing:
        return [("Cluster", f"not there ({known.cluster})")]
    facts = [("Cluster", f"there since {moment(known.since[identity], now).day} ({known.cluster})")]
    told = next(
        (
            one
            for one in known.events
            if one.namespace == identity.namespace
            and (one.name == identity.name or one.name.startswith(f"{identity.name}-"))
        ),
        None,
    )
    if told is not None:
        at = moment(told.at // SECOND, now)
        facts.append(("Last event", f"{at.day} {at.clock} {told.reason} of {told.kind}/{told.name}: {told.message}"))
    return facts
