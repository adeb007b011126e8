"""How changes reach environments: how often, how fast, and how many are taken back.

The figures are those of DORA (dora.dev, "DORA's software delivery metrics"), as far as a repository shows them: a
deployment is a commit that gives an environment another image, its lead time begins where the image first arrived, and
a change has failed when a field of it is set back within 24 hours.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.history.versions import Arrival

DAY: Final = 86_400
WEEK: Final = 7 * DAY
FAILS_WITHIN: Final = DAY
"""Seconds in which a change that is taken back counts as failed."""


class FieldStep(NamedTuple):
    """One field that a commit changed in an environment."""

    commit: str
    at: int
    """Seconds since 1970."""
    resource: str
    field: str
    old: str
    new: str


class TakenBack(NamedTuple):
    """A commit of which a field was set back soon after."""

    commit: str
    by: str
    """The commit that set it back."""
    resource: str
    field: str
    seconds: int
    """How long it held."""


class Delivery(NamedTuple):
    """How changes reached one environment in a period."""

    environment: str
    changes: int
    """Commits that changed anything in it."""
    deployments: int
    """Commits that gave it another image."""
    weeks: float
    """How long the period was."""
    lead_times: tuple[int, ...]
    """Seconds from where an image first arrived to here, one for each image that came, ascending."""
    taken_back: tuple[TakenBack, ...]

    @property
    def deployments_a_week(self) -> float | None:
        """How often it was deployed to; None where the period is shorter than a week, which says nothing of one."""
        return self.deployments / self.weeks if self.weeks >= 1 else None

    @property
    def median_lead_time(self) -> float | None:
        """Half of all images came faster; None where none came from another environment."""
        times = self.lead_times
        if not times:
            return None
        middle = len(times) // 2
        return float(times[middle]) if len(times) % 2 else (times[middle - 1] + times[middle]) / 2

    @property
    def failure_rate(self) -> float | None:
        """The part of all changes that was taken back; None where nothing changed."""
        return len({each.commit for each in self.taken_back}) / self.changes if self.changes else None


class Waiting(NamedTuple):
    """A container that runs another image in an environment than in the one before it."""

    source: str
    target: str
    kind: str
    name: str
    container: str
    image: str
    """What the earlier environment runs."""
    behind: str
    """What the later one runs; empty where it has none."""
    seconds: int
    """Since when the earlier one runs it."""
    commits: int
    """Commits on the branch since then."""
    versions: int
    """Images that the earlier environment took since it left what the later one runs; 0 where it never had that."""


def lead_times(lanes: Mapping[str, Sequence[Arrival]]) -> dict[tuple[str, str, str, str], dict[str, int]]:
    """Kind, name, container and image -> environment -> when the image first arrived there, in seconds since 1970."""
    found: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for environment, came in lanes.items():
        for arrival in came:
            if arrival.image:
                first = found.setdefault((*arrival.key, arrival.image), {})
                first.setdefault(environment, arrival.commit.committed_at)
    return found


def delivery(
    environment: str,
    lanes: Mapping[str, Sequence[Arrival]],
    steps: Sequence[FieldStep],
    changed: Iterable[tuple[str, int]],
    start: int,
    end: int,
) -> Delivery:
    """How changes reached an environment.

    Args:
        environment: its name.
        lanes: environment -> its arrivals, in promotion order.
        steps: the fields that changed in it, the oldest first.
        changed: the commits that changed anything in it, with their times.
        start: where the period begins, in seconds since 1970.
        end: where it ends.
    """
    names = list(lanes)
    earlier = names[: names.index(environment)]
    firsts = lead_times(lanes)
    times, commits = [], set()
    for arrival in lanes[environment]:
        at = arrival.commit.committed_at
        if arrival.is_first or not arrival.image or not start <= at < end:
            continue
        commits.add(arrival.commit.hash)
        before = [firsts[*arrival.key, arrival.image].get(name) for name in earlier]
        known = [moment for moment in before if moment is not None and moment <= at]
        if known and firsts[*arrival.key, arrival.image][environment] == at:
            times.append(at - min(known))
    many = len({commit for commit, at in changed if start <= at < end})
    back = [each for each, at in _taken_back(steps) if start <= at < end]
    return Delivery(environment, many, len(commits), (end - start) / WEEK, tuple(sorted(times)), tuple(back))


def _taken_back(steps: Sequence[FieldStep]) -> list[tuple[TakenBack, int]]:
    """The changes that were set back soon, with the time of the change."""
    last: dict[tuple[str, str], FieldStep] = {}
    found = []
    for step in steps:
        before = last.get((step.resource, step.field))
        last[step.resource, step.field] = step
        if before is None or before.commit == step.commit or (step.old, step.new) != (before.new, before.old):
            continue
        held = step.at - before.at
        if 0 <= held <= FAILS_WITHIN:
            found.append((TakenBack(before.commit, step.commit, step.resource, step.field, held), before.at))
    return found


def waiting(lanes: Mapping[str, Sequence[Arrival]], line: Sequence[str], end: int) -> list[Waiting]:
    """What each environment runs that the next one does not yet, the longest wait first.

    Args:
        lanes: environment -> its arrivals, in promotion order.
        line: the commits of the branch, the oldest first.
        end: now, in seconds since 1970.
    """
    places = {commit: position for position, commit in enumerate(line)}
    found = []
    names = list(lanes)
    for source, target in pairwise(names):
        there = _latest(lanes[target])
        for key, arrival in _latest(lanes[source]).items():
            other = there.get(key)
            if other is None or not arrival.image or not other.image or other.image == arrival.image:
                continue
            if moves(arrival.image):
                continue
            came = [each.image for each in lanes[source] if each.key == key and each.image]
            last = max((position for position, image in enumerate(came) if image == other.image), default=None)
            found.append(
                Waiting(
                    source,
                    target,
                    *key,
                    arrival.image,
                    other.image,
                    max(0, end - arrival.commit.committed_at),
                    len(line) - 1 - places[arrival.commit.hash],
                    len(came) - 1 - last if last is not None else 0,
                )
            )
    return sorted(found, key=lambda each: (-each.seconds, each[:5]))


def moves(image: str) -> bool:
    """Tell whether an image's name stands for another one tomorrow: such a version waits for nobody."""
    name, _, digest = image.partition("@")
    return not digest and name.rpartition("/")[2].partition(":")[2] in {"", "latest"}


def _latest(came: Iterable[Arrival]) -> dict[tuple[str, str, str], Arrival]:
    return {arrival.key: arrival for arrival in came}
