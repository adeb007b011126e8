"""Reads manifests as kubectl does, and compares them with the objects that they should be.

The reader is Go's sigs.k8s.io/yaml, which kubectl uses, as `std.parseYaml` of go-jsonnet: envc's own reader is among
what is compared.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.benchmarks.generate_patches import Object

Identity = tuple[str, str, str, str]
Objects = dict[Identity, "Object"]

_KEYED: Final = frozenset({"containers", "initContainers", "env", "volumes"})
_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


class Difference(NamedTuple):
    """One place where an object is not what it should be."""

    identity: Identity
    what: str

    def __str__(self) -> str:
        """Name the object and the place."""
        _, kind, namespace, name = self.identity
        return f"{kind}/{name} (namespace {namespace}): {self.what}"


def expected_objects(file: Path) -> Objects:
    """The objects of an `expected/<env>.jsonl`."""
    with file.open(encoding="utf-8") as lines:
        return _by_identity(map(json.loads, lines))


def rendered_objects(*places: Path) -> Objects:
    """The objects of manifests: files, or folders of them.

    Raises:
        ValueError: two documents have one identity, or a text is no YAML.
    """
    texts: list[str] = []
    for place in places:
        files = (
            sorted(file for file in place.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
            if place.is_dir()
            else [place]
        )
        texts += [file.read_text(encoding="utf-8") for file in files]
    return _by_identity(_resources(_parsed("\n---\n".join(texts))))


def _parsed(text: str) -> Any:
    from _gojsonnet import evaluate_snippet  # ruff: ignore[import-private-name] - the wheel has no other module

    try:
        found = evaluate_snippet("manifests", "std.parseYaml(std.extVar('text'))", ext_vars={"text": text})
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    return json.loads(found)


def _resources(value: Any) -> Iterator[Object]:
    """The resources of a stream; documents that hold nothing are none."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, list):
            yield from _resources(item)
        elif item:
            yield item


def _by_identity(values: Iterable[Object]) -> Objects:
    found: Objects = {}
    for value in values:
        metadata = value["metadata"]
        identity = (value["apiVersion"], value["kind"], metadata.get("namespace", ""), metadata["name"])
        if identity in found:
            raise ValueError(f"two documents are {'/'.join(identity)}")
        found[identity] = value
    return found


def differences(wanted: Objects, found: Objects, *, keyed_order: bool = True) -> list[Difference]:
    """Every place where objects differ in value or type.

    Args:
        wanted: the objects as they should be.
        found: the objects to judge.
        keyed_order: whether lists that are merged by name must have their items in the same order. kustomize moves
            patched items to the front.
    """
    told = [Difference(identity, "is missing") for identity in wanted.keys() - found.keys()]
    told += [Difference(identity, "is not expected") for identity in found.keys() - wanted.keys()]
    for identity in wanted.keys() & found.keys():
        one, other = (_normal(value, keyed_order=keyed_order) for value in (wanted[identity], found[identity]))
        told += [Difference(identity, what) for what in _walk(one, other, "")]
    return sorted(told)


def _normal(value: Any, *, keyed_order: bool, key: str = "") -> Any:
    """Numbers as JSON means them, and keyed lists in one order where their order does not count."""
    if isinstance(value, dict):
        return {name: _normal(item, keyed_order=keyed_order, key=name) for name, item in value.items()}
    if isinstance(value, list):
        items = [_normal(item, keyed_order=keyed_order) for item in value]
        return items if keyed_order or key not in _KEYED else sorted(items, key=_name_of)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _name_of(item: Any) -> str:
    return str(item["name"])


def _walk(wanted: Any, found: Any, path: str) -> Iterator[str]:
    if type(wanted) is dict and type(found) is dict:
        for key in sorted(wanted.keys() | found.keys()):
            if key not in found or key not in wanted:
                yield f"{path}.{key} {'is missing' if key in wanted else 'is not expected'}"
            else:
                yield from _walk(wanted[key], found[key], f"{path}.{key}")
    elif type(wanted) is list and type(found) is list and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _walk(one, other, f"{path}[{number}]")
    elif type(wanted) is not type(found) or wanted != found:
        yield f"{path}: {json.dumps(found)[:80]} instead of {json.dumps(wanted)[:80]}"
