"""Names of ConfigMaps and Secrets that end in a hash of their content, and references that follow them.

Source: kustomize v5, api/hasher/hasher.go (`encode`, `encodeConfigMap`, `encodeSecret`): ten characters of the SHA-256
of the content as Go's `json.Marshal` writes it; api/internal/konfig/builtinpluginconsts/namereference.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.generated import GENERATED_KINDS, SUFFIX_ANNOTATION
from envcompile.kubernetes.podspecs import WORKLOADS, pod_template, template_path
from envcompile.kubernetes.references import pod_references
from envcompile.model import Step
from envcompile.values import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envcompile.compose.names import Named
    from envcompile.model import Pointer, Resource, ResourceId
    from envcompile.settings import Environment

_REFERRING: Final = frozenset({*(kind for _, kind in WORKLOADS), "Pod", "Ingress", "ServiceAccount"})
_LETTERS: Final = str.maketrans("013ae", "ghkmt")
_LENGTH: Final = 10
_ESCAPED: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What Go's `json.Marshal` writes otherwise than `json.dumps`."""

Renamed = tuple[str, str, str, str]
"""Kind, namespace, the name in the sources, the name with its suffix."""


def content_hash(value: dict[str, Any]) -> str:
    """The suffix that kustomize gives the name of a ConfigMap or Secret with this content, whatever its name."""
    import json
    from hashlib import sha256

    # kustomize looks the name up where it never is.
    fields: dict[str, Any] = {"kind": value["kind"], "name": "", "data": value.get("data", "")}
    if value["kind"] == "Secret":
        fields["type"] = value.get("type", "")
    optional = "stringData" if value["kind"] == "Secret" else "binaryData"
    if isinstance(value.get(optional), dict):
        fields[optional] = value[optional]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, written in _ESCAPED.items():
        text = text.replace(character, written)
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH].translate(_LETTERS)


def is_marked(value: dict[str, Any]) -> bool:
    """Whether the name of an object shall end in a hash of its content."""
    annotations = value["metadata"].get("annotations")
    return isinstance(annotations, dict) and SUFFIX_ANNOTATION in annotations


def named_by_content(
    resources: Iterable[Resource], settings: Environment, layer: str
) -> tuple[list[Resource], list[str]]:
    """The resources with the names that their environment wants for them, and for each its name in the sources.

    The mark is taken out everywhere. With `rollout: suffix` the names of marked ConfigMaps end in a hash, and those of
    Secrets where they are not sealed: what is sealed is bound to its name.

    Args:
        resources: of one unit, merged.
        settings: the environment's.
        layer: the layer that the step is booked on.
    """
    found: list[Resource] = []
    before: list[str] = []
    for resource in resources:
        named, old = resource, ""
        if resource.id.kind in GENERATED_KINDS and not resource.id.group and is_marked(resource.value):
            is_wanted = resource.value["metadata"]["annotations"][SUFFIX_ANNOTATION] == "hash"
            is_open = resource.id.kind == "ConfigMap" or settings.secret_backend == "plaintext"
            value = _unmarked(resource.value)
            if settings.rollout == "suffix" and is_wanted and is_open and value["metadata"].get("name"):
                old = resource.id.name
                name = f"{old}-{content_hash(value)}"
                value = {**value, "metadata": {**value["metadata"], "name": name}}
                named = named._replace(id=resource.id._replace(name=name))
            step = Step("setting", layer, None, ("rollout",), resource.value, value)
            named = named._replace(value=value, steps=(*resource.steps, step))
        found.append(named)
        before.append(old)
    return found, before


def _unmarked(value: dict[str, Any]) -> dict[str, Any]:
    metadata = value["metadata"]
    left = {key: text for key, text in metadata["annotations"].items() if key != SUFFIX_ANNOTATION}
    rest = {key: item for key, item in metadata.items() if key != "annotations"}
    return {**value, "metadata": {**rest, "annotations": left} if left else rest}


def names_in(identity: ResourceId, value: dict[str, Any]) -> tuple[Named, ...]:
    """The ConfigMaps and Secrets that a resource names, each once."""
    if identity.kind not in _REFERRING:
        return ()
    return tuple(dict.fromkeys((kind, name) for kind, name, _ in _places(identity, value)))


def _places(identity: ResourceId, value: dict[str, Any]) -> Iterator[tuple[str, str, Pointer]]:
    """Kind and name of each ConfigMap and Secret that a resource names, and the way to the name."""
    template = pod_template(identity, value)
    path = template_path(identity)
    if template is not None and path is not None:
        for reference in pod_references(template, path):
            if reference.kind not in GENERATED_KINDS or not reference.name:
                continue
            at = value_at(value, reference.pointer)
            if not isinstance(at, dict):
                yield reference.kind, reference.name, reference.pointer
            else:
                field = next((field for field in ("secretName", "name") if at.get(field) == reference.name), None)
                if field is not None:
                    yield reference.kind, reference.name, (*reference.pointer, field)
    for holder, field in _LISTS.get(identity.kind, ()):
        items = value_at(value, holder)
        for position, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and isinstance(item.get(field), str):
                yield "Secret", item[field], (*holder, position, field)


_LISTS: Final[dict[str, tuple[tuple[Pointer, str], ...]]] = {
    "Ingress": ((("spec", "tls"), "secretName"),),
    "ServiceAccount": ((("imagePullSecrets",), "name"), (("secrets",), "name")),
}


def with_names(
    identity: ResourceId, value: dict[str, Any], new_name: Callable[[str, str], str | None]
) -> dict[str, Any]:
    """The value with names of ConfigMaps and Secrets changed; the same object when none is.

    Args:
        identity: whose value it is.
        value: names them.
        new_name: given kind and name, tells the new name, or None where it stays.
    """
    if identity.kind not in _REFERRING:
        return value
    for kind, name, pointer in list(_places(identity, value)):
        new = new_name(kind, name)
        if new is not None and new != name:
            value = _with(value, pointer, new)
    return value


def with_renamed(resource: Resource, renamed: Iterable[tuple[str, str, str]], layer: str) -> Resource:
    """The resource with its references led to names that end in a hash.

    Args:
        resource: it names them.
        renamed: kind, name in the sources, new name, of its own namespace.
        layer: the layer that the step is booked on.
    """
    names = {(kind, old): new for kind, old, new in renamed}
    after = with_names(resource.id, resource.value, lambda kind, name: names.get((kind, name)))
    if after is resource.value:
        return resource
    step = Step("setting", layer, None, ("rollout",), resource.value, after)
    return resource._replace(value=after, steps=(*resource.steps, step))


def _with(value: Any, pointer: Pointer, new: str) -> Any:
    if not pointer:
        return new
    if isinstance(value, dict):
        return {key: _with(item, pointer[1:], new) if key == pointer[0] else item for key, item in value.items()}
    return [_with(item, pointer[1:], new) if at == pointer[0] else item for at, item in enumerate(value)]
