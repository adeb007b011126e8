"""The environment's own settings laid over the merged resources: namespace, labels, images, replicas, exclusions."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from envcompile.compose.images import ImageChanges
from envcompile.compose.reachable import Patterns
from envcompile.compose.selectorlabels import with_selector_labels
from envcompile.errors import did_you_mean
from envcompile.kubernetes.podspecs import WORKLOADS, map_pod_template
from envcompile.model import Resource, Step
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envcompile.compose.identity import Identifier
    from envcompile.errors import Problems
    from envcompile.model import Location, Pointer, ResourceId
    from envcompile.settings import Environment, Exclusion

    Where = Callable[[Pointer], Location | None]

SCALABLE = frozenset({
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "ReplicaSet"),
    ("", "ReplicationController"),
})


_PLACED: Pointer = ("namespace",)
_FORCED: Pointer = ("forceNamespace",)
_LABELLED: Pointer = ("labels",)


class SettingProblem(Record, frozen=True):
    """What is wrong about a setting; its place is found by whoever has all settings in sight."""

    what: str
    fix: str
    setting: Pointer
    """The way to it in the effective settings."""


class UsedSettings(Record, frozen=True):
    """The settings that named something, and what they could have named; it adds up over units."""

    replicas: frozenset[str] = frozenset()
    """Names of workloads that `replicas` set."""
    images: frozenset[int] = frozenset()
    """Positions of the `images` entries that a container used."""
    exclude: frozenset[int] = frozenset()
    """Positions of the `exclude` entries that left something out."""
    workloads: frozenset[str] = frozenset()
    """Names of workloads with a number of replicas."""
    image_names: frozenset[str] = frozenset()
    """Names of all images, without tag and digest."""


class SettingsLayer:
    """Applies one environment's settings to resources, one after the other."""

    __slots__ = ("_identifier", "_images", "_layer", "_replicas_used", "_settings", "problems")

    def __init__(self, settings: Environment, *, layer: str, identifier: Identifier) -> None:
        self._settings = settings
        self._layer = layer
        self._identifier = identifier
        self._images = ImageChanges(settings.images)
        self._replicas_used: set[str] = set()
        self.problems: list[SettingProblem] = []

    def apply(self, resource: Resource) -> Resource:
        """The resource with every setting that concerns it, each as a step of its own."""
        identity, value, steps, layer = resource.id, resource.value, resource.steps, self._layer
        for pointer, after in self._changes(identity, value, resource):
            if after is not value:
                steps = (*steps, Step("setting", layer, None, pointer, value, after))
                value = after
        return Resource(identity, value, resource.app, steps) if steps is not resource.steps else resource

    def _changes(
        self, identity: ResourceId, value: dict[str, Any], resource: Resource
    ) -> Iterator[tuple[Pointer, dict[str, Any]]]:
        """The value after each setting, and the setting; the same object where it changes nothing."""
        settings = self._settings
        if settings.namespace:
            value = self._with_namespace(identity, value)
            yield _FORCED if settings.force_namespace else _PLACED, value
        if settings.labels:
            value = _with_metadata(value, "labels", settings.labels)
            yield _LABELLED, value
        if settings.selector_labels:
            value = with_selector_labels(identity, value, settings.selector_labels)
            yield ("selectorLabels",), value
        if settings.annotations:
            value = _with_metadata(value, "annotations", settings.annotations)
            yield ("annotations",), value
        if settings.pod_labels:
            self._check_selector(resource)
            value = _on_pods(identity, value, "labels", settings.pod_labels)
            yield ("podLabels",), value
        if settings.pod_annotations:
            value = _on_pods(identity, value, "annotations", settings.pod_annotations)
            yield ("podAnnotations",), value
        if settings.replicas:
            value = self._with_replicas(identity, value)
            yield ("replicas", identity.name), value
        if settings.images:
            for position, after in self._images.apply(identity, value):
                entry = settings.images[position]
                field = "digest" if entry.digest else "newTag" if entry.new_tag else "newName"
                yield ("images", position, field), after

    def _check_selector(self, resource: Resource) -> None:
        """Note a pod label that takes pods out of their own workload's selector: the API server refuses that."""
        spec = resource.value.get("spec")
        selector = spec.get("selector") if isinstance(spec, dict) else None
        wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
        if isinstance(wanted, dict):
            wanted = {**wanted, **self._settings.selector_labels}
        if (resource.id.group, resource.id.kind) not in WORKLOADS or not isinstance(wanted, dict):
            return
        for name, text in self._settings.pod_labels.items():
            if wanted.get(name, text) != text:
                self.problems.append(
                    SettingProblem(
                        f"`podLabels` sets `{name}`, by which {resource.id} selects its pods",
                        "choose another label: selectors stay as they are",
                        ("podLabels", name),
                    )
                )

    def _with_namespace(self, resource: ResourceId, value: dict[str, Any]) -> dict[str, Any]:
        namespace = self._settings.namespace
        metadata = value["metadata"]
        if self._identifier.is_namespaced(resource) and metadata.get("namespace") != resource.namespace:
            placed: dict[str, Any] = {}
            for key, item in metadata.items():
                if key != "namespace":
                    placed[key] = item
                if key in {"name", "generateName"}:
                    placed["namespace"] = resource.namespace
            value = {**value, "metadata": placed}
        subjects = value.get("subjects")
        if resource.kind in {"RoleBinding", "ClusterRoleBinding"} and isinstance(subjects, list):
            # The API refuses a ServiceAccount subject without a namespace (rbac/validation ValidateRoleBindingSubject).
            changed = [
                {**subject, "namespace": namespace}
                if isinstance(subject, dict)
                and subject.get("kind") == "ServiceAccount"
                and not subject.get("namespace")
                else subject
                for subject in subjects
            ]
            if any(new is not old for new, old in zip(changed, subjects, strict=True)):
                value = {**value, "subjects": changed}
        return value

    def _with_replicas(self, resource: ResourceId, value: dict[str, Any]) -> dict[str, Any]:
        count = self._settings.replicas.get(resource.name)
        if count is None:
            return value
        spec = value.get("spec") or {}
        custom = "." in resource.group and not resource.group.endswith(".k8s.io")
        scalable = (resource.group, resource.kind) in SCALABLE
        if not scalable and not (custom and isinstance(spec, dict) and "replicas" in spec):
            return value
        self._replicas_used.add(resource.name)
        if not isinstance(spec, dict) or (spec.get("replicas") == count and type(spec["replicas"]) is int):
            return value
        return {**value, "spec": {**spec, "replicas": count}}

    def used(self, resources: Iterable[Resource], exclusions: Exclusions) -> UsedSettings:
        """Which settings named something among the resources."""
        names = [resource.id.name for resource in resources if (resource.id.group, resource.id.kind) in SCALABLE]
        return UsedSettings(
            frozenset(self._replicas_used),
            frozenset(self._images.used()),
            exclusions.hits(),
            frozenset(names),
            frozenset(self._images.seen()),
        )


def report_unused(settings: Environment, used: UsedSettings, where: Where, problems: Problems) -> None:
    """Note every setting that names nothing in its environment: it is a typing error more often than not.

    Args:
        settings: the environment's settings.
        used: what all its units used.
        where: finds the place of a setting.
        problems: takes what is wrong.
    """
    for name in settings.replicas:
        if name not in used.replicas:
            problems.add(
                f"`replicas` names the workload `{name}`, which this environment does not have",
                did_you_mean(name, used.workloads, "remove the line, or add the workload"),
                *_places(where(("replicas", name))),
            )
    for position, image in enumerate(settings.images):
        if position not in used.images:
            problems.add(
                f"`images` names `{image.name}`, which no container uses",
                did_you_mean(image.name, used.image_names, "remove the entry, or correct its name"),
                *_places(where(("images", position, "name"))),
            )
    for position, exclusion in enumerate(settings.exclude):
        if position not in used.exclude:
            problems.add(
                f"`exclude` entry {exclusion.kind}/{exclusion.name} leaves nothing out",
                "remove the entry, or correct its kind or name (both are globs)",
                *_places(where(("exclude", position))),
            )


class Exclusions:
    """What an environment leaves out."""

    __slots__ = ("_exclusions", "_globs", "_hits", "_named")

    def __init__(self, exclusions: tuple[Exclusion, ...]) -> None:
        self._hits: set[int] = set()
        self._exclusions = exclusions
        self._named: dict[str, list[int]] = {}
        globs: list[tuple[int, str]] = []
        for position, exclusion in enumerate(exclusions):
            if any(sign in exclusion.name for sign in "*?["):
                globs.append((position, exclusion.name))
            else:
                self._named.setdefault(exclusion.name, []).append(position)
        self._globs = Patterns(globs) if globs else None

    def covers(self, resource: ResourceId) -> bool:
        """Tell whether the resource is left out."""
        hit = False
        globs = self._globs.candidates(resource.name) if self._globs is not None else ()
        for position in (*self._named.get(resource.name, ()), *globs):
            exclusion = self._exclusions[position]
            if (
                fnmatchcase(resource.kind.lower(), exclusion.kind.lower())
                and fnmatchcase(resource.name, exclusion.name)
                and fnmatchcase(resource.namespace, exclusion.namespace)
                and fnmatchcase(resource.group, exclusion.group)
            ):
                self._hits.add(position)
                hit = True
        return hit

    def hits(self) -> frozenset[int]:
        """The positions of the entries that left something out."""
        return frozenset(self._hits)


def _places(location: Location | None) -> tuple[Location, ...]:
    return (location,) if location else ()


def _with_metadata(value: dict[str, Any], field: str, entries: dict[str, str]) -> dict[str, Any]:
    metadata = value.get("metadata") or {}
    current = (metadata.get(field) or {}) if isinstance(metadata, dict) else None
    if not isinstance(current, dict) or entries.items() <= current.items():
        return value
    return {**value, "metadata": {**metadata, field: {**current, **entries}}}


def _on_pods(resource: ResourceId, value: dict[str, Any], field: str, entries: dict[str, str]) -> dict[str, Any]:
    if (resource.group, resource.kind) not in WORKLOADS:
        return value
    return map_pod_template(resource, value, lambda template: _with_metadata(template, field, entries))
