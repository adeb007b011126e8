"""The environment's own settings laid over the merged resources: namespace, labels, images, replicas, exclusions."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from envcompile.compose.images import ImageChanges
from envcompile.errors import did_you_mean
from envcompile.kubernetes.podspecs import WORKLOADS, map_pod_template
from envcompile.model import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envcompile.compose.identity import Identifier
    from envcompile.errors import Problems
    from envcompile.model import Location, Pointer, Resource, ResourceId
    from envcompile.settings import Environment, Exclusion

    Where = Callable[[Pointer], Location | None]

SCALABLE = frozenset({
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "ReplicaSet"),
    ("", "ReplicationController"),
})


class SettingsLayer:
    """Applies one environment's settings to resources, one after the other."""

    __slots__ = ("_accounts", "_identifier", "_images", "_layer", "_problems", "_replicas_used", "_settings", "_where")

    def __init__(
        self,
        settings: Environment,
        *,
        layer: str,
        identifier: Identifier,
        accounts: frozenset[str],
        where: Where,
        problems: Problems,
    ) -> None:
        self._settings = settings
        self._layer = layer
        self._identifier = identifier
        self._accounts = accounts
        self._where = where
        self._problems = problems
        self._images = ImageChanges(settings.images)
        self._replicas_used: set[str] = set()

    def apply(self, resource: Resource) -> Resource:
        """The resource with every setting that concerns it, each as a step of its own."""
        settings = self._settings
        value = resource.value
        steps: list[Step] = []

        def note(pointer: Pointer, after: dict[str, Any]) -> None:
            nonlocal value
            if after is not value:
                steps.append(Step("setting", self._layer, None, pointer, value, after))
                value = after

        if settings.namespace:
            pointer: Pointer = ("forceNamespace",) if settings.force_namespace else ("namespace",)
            note(pointer, self._with_namespace(resource.id, value))
        if settings.labels:
            note(("labels",), _with_metadata(value, "labels", settings.labels))
        if settings.annotations:
            note(("annotations",), _with_metadata(value, "annotations", settings.annotations))
        if settings.pod_labels:
            self._check_selector(resource)
            note(("podLabels",), _on_pods(resource.id, value, "labels", settings.pod_labels))
        if settings.pod_annotations:
            note(("podAnnotations",), _on_pods(resource.id, value, "annotations", settings.pod_annotations))
        if settings.replicas:
            note(("replicas", resource.id.name), self._with_replicas(resource.id, value))
        if settings.images:
            for position, after in self._images.apply(resource.id, value):
                entry = settings.images[position]
                field = "digest" if entry.digest else "newTag" if entry.new_tag else "newName"
                note(("images", position, field), after)
        return resource._replace(value=value, steps=(*resource.steps, *steps)) if steps else resource

    def _check_selector(self, resource: Resource) -> None:
        """Note a pod label that takes pods out of their own workload's selector: the API server refuses that."""
        spec = resource.value.get("spec")
        selector = spec.get("selector") if isinstance(spec, dict) else None
        wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
        if (resource.id.group, resource.id.kind) not in WORKLOADS or not isinstance(wanted, dict):
            return
        for name, text in self._settings.pod_labels.items():
            if wanted.get(name, text) != text:
                self._problems.add(
                    f"`podLabels` sets `{name}`, by which {resource.id} selects its pods",
                    "choose another label: selectors stay as they are",
                    *_places(self._where(("podLabels", name))),
                )

    def _with_namespace(self, resource: ResourceId, value: dict[str, Any]) -> dict[str, Any]:
        namespace = self._settings.namespace
        forced = self._settings.force_namespace
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
                and (not subject.get("namespace") or (forced and subject.get("name") in self._accounts))
                and subject.get("namespace") != namespace
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

    def report_unused(self, resources: Iterable[Resource]) -> None:
        """Note every setting that names nothing: it is a typing error more often than not."""
        names = sorted({
            resource.id.name for resource in resources if (resource.id.group, resource.id.kind) in SCALABLE
        })
        for name in self._settings.replicas:
            if name not in self._replicas_used:
                self._problems.add(
                    f"`replicas` names the workload `{name}`, which this environment does not have",
                    did_you_mean(name, names, "remove the line, or add the workload"),
                    *_places(self._where(("replicas", name))),
                )
        for position, image in self._images.unused():
            self._problems.add(
                f"`images` names `{image.name}`, which no container uses",
                did_you_mean(image.name, self._images.seen(), "remove the entry, or correct its name"),
                *_places(self._where(("images", position, "name"))),
            )


class Exclusions:
    """What an environment leaves out."""

    __slots__ = ("_exclusions", "_hits")

    def __init__(self, exclusions: tuple[Exclusion, ...]) -> None:
        self._exclusions = exclusions
        self._hits: set[int] = set()

    def covers(self, resource: ResourceId) -> bool:
        """Tell whether the resource is left out."""
        hit = False
        for position, exclusion in enumerate(self._exclusions):
            if (
                fnmatchcase(resource.kind.lower(), exclusion.kind.lower())
                and fnmatchcase(resource.name, exclusion.name)
                and fnmatchcase(resource.namespace, exclusion.namespace)
                and fnmatchcase(resource.group, exclusion.group)
            ):
                self._hits.add(position)
                hit = True
        return hit

    def report_unused(self, where: Where, problems: Problems) -> None:
        """Note every exclusion that left nothing out."""
        for position, exclusion in enumerate(self._exclusions):
            if position not in self._hits:
                problems.add(
                    f"`exclude` entry {exclusion.kind}/{exclusion.name} leaves nothing out",
                    "remove the entry, or correct its kind or name (both are globs)",
                    *_places(where(("exclude", position))),
                )


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
