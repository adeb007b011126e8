"""How the lanes of environments are printed, and the figures of how changes reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.cli.render.columns import columns
from envcompile.history.delivery import DAY
from envcompile.history.times import day, stamp
from envcompile.history.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.actions.timeline import Came, Deliveries, Timeline
    from envcompile.history.delivery import Waiting

_MINUTE: Final = 60
_HOUR: Final = 3600


def length(seconds: float) -> str:
    """A length of time in its largest unit, as `3.5 days`."""
    if seconds >= DAY:
        return _counted(seconds / DAY, "day")
    if seconds >= _HOUR:
        return _counted(seconds / _HOUR, "hour")
    return _counted(seconds / _MINUTE, "minute")


def _counted(number: float, unit: str) -> str:
    shown = f"{number:.1f}".removesuffix(".0")
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"


def timeline_lines(found: Timeline) -> Iterator[str]:
    """What `envc history timeline` prints."""
    for environment, lane in found.lanes.items():
        yield f"{environment}: {len(lane)} {'arrival' if len(lane) == 1 else 'arrivals'} since {day(found.start)}"
        rows = [_row(came) for came in lane]
        if rows:
            yield from columns(rows, indent="  ")
        yield ""
    yield from waiting_lines(found.waiting)


def _row(came: Came) -> tuple[str, ...]:
    arrival = came.arrival
    said = []
    if came.lead is not None:
        said.append(f"lead {length(came.lead)}")
    if came.approved_by:
        said.append(f"approved by {', '.join(came.approved_by)}")
    if arrival.is_first:
        said.append("or before: the record begins there")
    return (
        day(arrival.commit.committed_at),
        _name(arrival.resource.name, arrival.container),
        _step(arrival.before, arrival.image),
        arrival.commit.hash[:12],
        arrival.commit.author_name,
        ", ".join(said),
    )


def _name(workload: str, container: str) -> str:
    return workload if container == workload else f"{workload} ({container})"


def _step(before: str, image: str) -> str:
    if not before:
        return f"{version_of(image)} (new)"
    if not image:
        return f"{version_of(before)} (gone)"
    if before.partition("@")[0].rpartition(":")[0] != image.partition("@")[0].rpartition(":")[0]:
        return f"{before} -> {image}"
    return f"{version_of(before)} -> {version_of(image)}"


def waiting_lines(found: Iterable[Waiting]) -> Iterator[str]:
    """What an environment runs that the next one does not yet."""
    rows = [
        (
            f"{each.source} -> {each.target}",
            _name(each.name, each.container),
            f"{version_of(each.image)}, there {version_of(each.behind)}",
            f"{length(each.seconds)}, {each.commits} {'commit' if each.commits == 1 else 'commits'}"
            + (f", {each.versions} {'version' if each.versions == 1 else 'versions'} behind" if each.versions else ""),
        )
        for each in found
    ]
    if rows:
        yield "waiting:"
        yield from columns(rows, indent="  ")
    else:
        yield "nothing waits: every environment runs what the one before it runs"


def delivery_lines(found: Deliveries) -> Iterator[str]:
    """The figures of how changes reach environments."""
    yield ""
    yield f"deliveries since {day(found.start)}"
    rows = [("", "changes", "deployments", "a week", "lead time", "taken back within 24 h")]
    for each in found.environments:
        rate = each.failure_rate
        back = len({taken.commit for taken in each.taken_back})
        lead, weekly = each.median_lead_time, each.deployments_a_week
        rows.append((
            each.environment,
            str(each.changes),
            str(each.deployments),
            f"{weekly:.1f}" if weekly is not None else "not known",
            length(lead) if lead is not None else "not known",
            f"{back} of {each.changes} ({rate:.0%})" if rate is not None else "nothing changed",
        ))
    yield from columns(rows, indent="  ")
    for each in found.environments:
        for taken in each.taken_back:
            yield (
                f"  {each.environment}: {taken.commit[:12]} was set back by {taken.by[:12]} after "
                f"{length(taken.seconds)}: {taken.resource} {taken.field}"
            )
    yield ""
    yield from waiting_lines(found.waiting)


def timeline_data(found: Timeline) -> dict[str, Any]:
    """`envc history timeline` for machines."""
    return {
        "since": stamp(found.start),
        "until": stamp(found.end),
        "environments": [
            {"environment": name, "arrivals": [_came_data(came) for came in lane]} for name, lane in found.lanes.items()
        ],
        "waiting": _waiting_data(found.waiting),
    }


def _came_data(came: Came) -> dict[str, Any]:
    arrival = came.arrival
    return {
        "resource": arrival.resource._asdict(),
        "container": arrival.container,
        "before": arrival.before or None,
        "image": arrival.image or None,
        "version": version_of(arrival.image) if arrival.image else None,
        "commit": arrival.commit.hash,
        "time": stamp(arrival.commit.committed_at),
        "author": arrival.commit.author_name,
        "approvedBy": list(came.approved_by),
        "leadSeconds": came.lead,
        "orBefore": arrival.is_first,
    }


def deliveries_data(found: Deliveries) -> dict[str, Any]:
    """What `envc history stats` adds for machines."""
    return {
        "since": stamp(found.start),
        "until": stamp(found.end),
        "environments": [
            {
                "environment": each.environment,
                "changes": each.changes,
                "deployments": each.deployments,
                "deploymentsAWeek": round(weekly, 3) if (weekly := each.deployments_a_week) is not None else None,
                "medianLeadSeconds": each.median_lead_time,
                "failureRate": round(each.failure_rate, 6) if each.failure_rate is not None else None,
                "takenBack": [
                    {
                        "commit": taken.commit,
                        "by": taken.by,
                        "resource": taken.resource,
                        "field": taken.field,
                        "seconds": taken.seconds,
                    }
                    for taken in each.taken_back
                ],
            }
            for each in found.environments
        ],
        "waiting": _waiting_data(found.waiting),
    }


def _waiting_data(found: Iterable[Waiting]) -> list[dict[str, Any]]:
    return [
        {
            "source": each.source,
            "target": each.target,
            "kind": each.kind,
            "name": each.name,
            "container": each.container,
            "image": each.image,
            "behind": each.behind,
            "waitingDays": round(each.seconds / DAY, 3),
            "commits": each.commits,
            "versions": each.versions,
        }
        for each in found
    ]
