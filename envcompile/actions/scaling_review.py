"""What a change of an autoscaler, or of what its pods request, would have done with the load that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.prices import prices_of
from envcompile.actions.scaled_workload import HPA, SCALED_OBJECT, Subject
from envcompile.actions.simulate import Asked, replayed_settings
from envcompile.errors import EnvcError
from envcompile.kubernetes.clustermade import map_at
from envcompile.kubernetes.podspecs import maps_in
from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from envcompile.actions.diff import Difference
    from envcompile.actions.simulate import Course
    from envcompile.model import Resource, ResourceId
    from envcompile.scaling.loads import LoadSource

_MOST: Final = 10
"""Workloads that are replayed; each may be weeks of load."""


class Effect(NamedTuple):
    """One workload of one environment, before and after."""

    environment: str
    workload: ResourceId
    before: Course | None
    """None where it could not be replayed."""
    after: Course | None
    untold: str = ""
    """Why it could not."""


class Effects(NamedTuple):
    """What is told, and of how many more workloads nothing is."""

    told: tuple[Effect, ...]
    more: int
    currency: str


def effects_of(found: Difference, source: Callable[[ResourceId], LoadSource], day: date) -> Effects:
    """Replay the recorded load of each workload whose scaling a difference changes, as it was and as it would be.

    Args:
        found: what differs, and both sides of the environments in which something does.
        source: where the load of a workload is.
        day: the day of which the prices are.

    Raises:
        EnvcError: what is wrong with the prices.
    """
    listed = prices_of(found.project.tree, None)
    changed = [
        (diff.environment, before, after)
        for diff in found.changed
        for before, after in _changed(
            *(
                built.compiled.resources if built is not None else ()
                for built in (found.before.get(diff.environment), found.after.get(diff.environment))
            )
        )
    ]
    told = []
    for name, before, after in changed[:_MOST]:
        sheet = listed.sheet_of(name)
        try:
            load = source(after.workload).load()
            settings = (("before", before), ("after", after))
            was, now = replayed_settings(settings, load, Asked({}), sheet.at(day), sheet.factor).courses
        except EnvcError as error:
            told.append(Effect(name, after.workload, None, None, error.problems[0].what))
            continue
        told.append(Effect(name, after.workload, was, now))
    return Effects(tuple(told), len(changed) - len(told), listed.currency)


def _changed(before: Sequence[Resource], after: Sequence[Resource]) -> Iterator[tuple[Subject, Subject]]:
    """The scaled workloads that both sides have, where what scales them or what their pods request is another."""
    was = {subject.workload: subject for subject in _subjects(before)}
    for subject in _subjects(after):
        old = was.get(subject.workload)
        if old is not None and _asks(old) != _asks(subject):
            yield old, subject


def _subjects(resources: Iterable[Resource]) -> Iterator[Subject]:
    """Each workload that one autoscaler scales."""
    known = list(resources)
    workloads = {(one.id.kind, one.id.namespace, one.id.name): one for one in known}
    scalers: dict[ResourceId, list[Resource]] = {}
    for one in known:
        if (one.id.group, one.id.kind) in {HPA, SCALED_OBJECT}:
            target = map_at(one.value, "spec", "scaleTargetRef")
            kind = str(target.get("kind") or "Deployment")
            workload = workloads.get((kind, one.id.namespace, str(target.get("name"))))
            if workload is not None:
                scalers.setdefault(workload.id, []).append(one)
    for one in known:
        found = scalers.get(one.id, [])
        if len(found) == 1:
            yield Subject(one.id, one.value, found[0].id, found[0].value)


def _asks(subject: Subject) -> tuple[object, ...]:
    """What a replay depends on."""
    pod = map_at(subject.workload_value, "spec", "template", "spec")
    containers = [
        (one.get("name"), one.get("resources"), one.get("startupProbe"), one.get("readinessProbe"))
        for field in ("initContainers", "containers")
        for one in maps_in(pod, field)
    ]
    return containers, pod.get("resources"), subject.scaler_value.get("spec")


def section(effects: Effects, span: str) -> str:
    """The section of a pull request's comment; empty when nothing that scales is changed.

    Args:
        effects: what the change would have done.
        span: since when the load is, as people wrote it.
    """
    if not effects.told:
        return ""
    lines = ["#### Autoscaling", "", f"Replayed on the load recorded since `{escaped(span)}`, before and after:", ""]
    money = effects.currency
    lines += [
        f"| workload | environment | pod hours | {markdown(money)} a month | minutes short | most replicas |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for one in effects.told:
        if one.before is not None and one.after is not None:
            cells = [
                f"`{escaped(one.workload.short)}`",
                f"**{markdown(one.environment)}**",
                _both(one.before.effect.pod_hours, one.after.effect.pod_hours, ",.1f"),
                _both(one.before.cost_a_month, one.after.cost_a_month, ",.2f"),
                _both(one.before.effect.shortage_minutes, one.after.effect.shortage_minutes, ",.0f"),
                _both(one.before.effect.largest, one.after.effect.largest, "d"),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    untold = [one for one in effects.told if one.untold]
    if len(untold) == len(effects.told):
        lines = lines[:2]
    lines += [
        f"- `{escaped(one.workload.short)}` in **{markdown(one.environment)}** is not replayed: "
        f"`{escaped(' '.join(one.untold.split())).replace('`', chr(39))}`"
        for one in untold
    ]
    if effects.more:
        lines.append(f"- and {effects.more} more: `envc simulate` replays each.")
    return "\n".join(lines).rstrip() + "\n\n"


def _both(before: float | None, after: float | None, spec: str) -> str:
    if before is None or after is None:
        return "not priced"
    old, new = format(before, spec), format(after, spec)
    return old if old == new else f"{old} → {new}"
