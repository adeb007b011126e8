"""All units of some environments compiled, application by application, by this process and by those that help it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.units.environment import Units
    from envcompile.units.project import Project
    from envcompile.units.unit import CompiledUnit

    Take = Callable[[str, int, CompiledUnit], None]


class Helpers(Protocol):
    """Who compiles some of the units."""

    def read(self) -> None:
        """Read sources together, where that is worth it."""
        ...

    def begin(self, units: Sequence[Units]) -> None:
        """Begin with what is not remembered of the units of all environments."""
        ...

    def has(self, app: str) -> bool:
        """Tell whether the units of an application are somebody else's for now."""
        ...

    def collect(self, *, wait: bool) -> None:
        """Adopt what is there, or all that will come; nothing is somebody else's after that."""
        ...


def by_application(units: Sequence[Units]) -> dict[str, list[tuple[Units, int]]]:
    """The units of each application in all environments, with their numbers; those of which all is known left out."""
    found: dict[str, list[tuple[Units, int]]] = {}
    for one in units:
        for number in one.plan.units.unknown:
            found.setdefault(one.plan.units.apps[number], []).append((one, number))
    return dict(sorted(found.items()))


def settle(
    project: Project,
    environments: Iterable[str],
    take: Take,
    helpers: Helpers | None = None,
    *,
    keeps_values: bool = False,
) -> None:
    """Compile what is not remembered, application by application, so that few values are held at a time.

    Args:
        project: whose units they are.
        environments: those that will be linked.
        take: is given each compiled unit with which nothing is wrong and that others do nothing to: environment,
            number, and the unit, whose values are given up afterwards.
        helpers: compile some of the units.
        keeps_values: hold all values, for who asks for every one of them afterwards.
    """
    if helpers is not None:
        helpers.read()
    units = [project.units_of(environment) for environment in environments]
    project.release_scans()
    if project.look is not None:
        project.look.inputs.release()
    if helpers is not None:
        helpers.begin(units)
    waiting: list[list[tuple[Units, int]]] = []
    apps = by_application(units)
    for position, (app, places) in enumerate(apps.items()):
        progress("applications", position - len(waiting), len(apps))
        if helpers is not None and helpers.has(app):
            waiting.append(places)
            continue
        _settle(project, places, take, keeps_values=keeps_values)
        if helpers is not None:
            helpers.collect(wait=False)
    if helpers is not None:
        helpers.collect(wait=True)
    for places in waiting:
        _settle(project, places, take, keeps_values=keeps_values)
    progress("applications", len(apps), len(apps))


def _settle(project: Project, places: Sequence[tuple[Units, int]], take: Take, *, keeps_values: bool) -> None:
    done = False
    for one, number in places:
        compiled = one.settle(number)
        if compiled is not None and compiled.is_sound:
            done = True
            if not one.plan.is_joined:
                take(one.plan.environment, number, compiled)
    for one, number in places if done else ():
        if number in one.compiled and not one.plan.is_joined and not keeps_values:
            one.drop(number)
        project.parsed.forget([part.path for part in one.plan.units[number].parts])
