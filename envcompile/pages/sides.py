"""The environments of a project as pages look at them: what each compiles to, or what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import link_each
from envcompile.errors import EnvcError, UsageError
from envcompile.kubernetes.podspecs import maps_in, pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.errors import Problem
    from envcompile.model import Resource, ResourceId
    from envcompile.units.project import Project


class Image(NamedTuple):
    """What a container of a workload runs."""

    resource: ResourceId
    app: str
    container: str
    image: str
    is_main: bool
    """Whether the workload is called as the container, or has no other."""


class Side(NamedTuple):
    """One environment: what it compiles to, or what is wrong with it."""

    name: str
    namespace: str
    context: str
    """Of its cluster; empty when its settings name none."""
    owners: tuple[str, ...]
    resources: tuple[ResourceId, ...]
    apps: Mapping[ResourceId, str]
    """The application that each resource belongs to."""
    images: tuple[Image, ...]
    """What its workloads run, the main container of each first."""
    problems: tuple[Problem, ...]
    """Why it does not compile; then it has no resources."""


def sides_of(project: Project, names: Sequence[str]) -> dict[str, Side]:
    """Environments of a project in this order.

    Args:
        project: the project.
        names: of environments.

    Raises:
        UsageError: what is wrong with the project as a whole.
    """
    found = {}
    for name, linked in link_each(project, names):
        if isinstance(linked, UsageError):
            raise linked
        if isinstance(linked, EnvcError):
            found[name] = Side(name, "", "", (), (), {}, (), tuple(linked.problems))
            continue
        settings = linked.plan.sources.settings
        context = settings.cluster.context if settings.cluster is not None else None
        images: list[Image] = []
        apps: dict[ResourceId, str] = {}
        for one in linked.resources():
            apps[one.id] = one.app
            images += _images(one)
        found[name] = Side(
            name,
            linked.namespace or "",
            context or "",
            tuple(settings.owners),
            tuple(sorted(apps)),
            apps,
            tuple(images),
            (),
        )
    return found


def _images(resource: Resource) -> Iterator[Image]:
    """The images of a workload's containers; the main one is called as the workload, else it is the first."""
    template = pod_template(resource.id, resource.value)
    held = [*maps_in(template, "spec", "containers")]
    named = [one for one in held if one.get("name") in {resource.id.name, resource.app}]
    main = (named or held)[:1]
    for container in (*main, *(one for one in held if one not in main), *maps_in(template, "spec", "initContainers")):
        image = container.get("image")
        if isinstance(image, str) and image:
            yield Image(resource.id, resource.app, str(container.get("name", "")), image, container in main)
