"""Objects under the names that people gave them: kustomize's hash of the content goes, and the build adds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from envcompile.adopt.shared_settings import resource_id
from envcompile.compose.suffixes import content_hash, with_names
from envcompile.kubernetes.generated import (
    GENERATED_KINDS,
    SUFFIX_ANNOTATION,
    has_content_hash,
    without_content_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.adopt.existing import ExistingEnvironment, Value


def has_own_hash(value: Value) -> bool:
    """Whether the name of an object ends in the hash of just this content."""
    name = value["metadata"].get("name") or ""
    return (
        value["kind"] in GENERATED_KINDS
        and value["apiVersion"] == "v1"
        and has_content_hash(name)
        and name.endswith(f"-{content_hash(value)}")
    )


def unsuffixed(values: Iterable[Value]) -> list[Value]:
    """The objects of an environment without hashes in names, and marked; references follow.

    An object whose name without the hash is that of another one keeps it.
    """
    objects = list(values)
    taken = [_known(value) for value in objects]
    names: dict[tuple[str, str, str], str] = {}
    for value in objects:
        if has_own_hash(value):
            kind, namespace, name = _known(value)
            short = without_content_hash(name)
            if (kind, namespace, short) not in taken and short not in names.values():
                names[kind, namespace, name] = short
    return [_renamed(value, names) for value in objects] if names else objects


def with_short_names(environments: Sequence[ExistingEnvironment]) -> tuple[ExistingEnvironment, ...]:
    """The environments with the objects under the names that people gave them."""
    found = []
    for environment in environments:
        values = unsuffixed(existing.value for existing in environment.objects)
        objects = tuple(
            existing._replace(value=value) for existing, value in zip(environment.objects, values, strict=True)
        )
        found.append(replace(environment, objects=objects))
    return tuple(found)


def is_marked(environment: ExistingEnvironment) -> bool:
    """Whether an object of an environment wants a hash behind its name."""
    return any(
        SUFFIX_ANNOTATION in (existing.value["metadata"].get("annotations") or {}) for existing in environment.objects
    )


def _known(value: Value) -> tuple[str, str, str]:
    metadata = value["metadata"]
    return value["kind"], metadata.get("namespace") or "", metadata.get("name") or ""


def _renamed(value: Value, names: dict[tuple[str, str, str], str]) -> Value:
    kind, namespace, name = _known(value)
    value = with_names(resource_id(value), value, lambda kind, name: names.get((kind, namespace, name)))
    short = names.get((kind, namespace, name))
    if short is None:
        return value
    metadata = value["metadata"]
    annotations = {**(metadata.get("annotations") or {}), SUFFIX_ANNOTATION: "hash"}
    return {**value, "metadata": {**metadata, "name": short, "annotations": annotations}}
