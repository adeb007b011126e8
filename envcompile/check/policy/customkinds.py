"""The rules of the custom kinds of an environment, asked about each of its objects."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.customs import keeps_rules_unasked
from envcompile.check.cel.engine import engine_for
from envcompile.check.policy.cluster import Open
from envcompile.check.policy.crdrules import Judge, Problem
from envcompile.check.policy.kinds import has_own_rules, has_rules, with_own_rules
from envcompile.check.policy.structural import defaulted
from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.kubernetes.crds import SchemaNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer, Resource

_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")


class Refused(NamedTuple):
    """An object that a rule of its kind refuses."""

    resource: Resource
    problem: Problem


def _judge_of(api: KubeApi, group: str, version: str, kind: str) -> Judge | None:
    """The rules of a kind; None where it has none."""
    return _judges(api, api.version, group, version, kind)


@lru_cache(maxsize=512)
def _judges(api: KubeApi, minor: str, group: str, version: str, kind: str) -> Judge | None:
    node = api.node(group, version, kind)
    if not isinstance(node, SchemaNode) or not has_own_rules(api, group, version, kind):
        return None
    return Judge(engine_for(minor), node.schema)


def _own(inputs: CheckInput, resource: Resource) -> Judge | None:
    group, _, version = text_at(resource.value, "apiVersion").rpartition("/")
    return _judge_of(inputs.api, group, version, resource.id.kind)


def judge(inputs: CheckInput) -> Iterator[Refused | Open]:
    """Ask every object of a custom kind about the rules of its kind."""
    for resource in with_own_rules(inputs):
        rules = _own(inputs, resource)
        if rules is None:
            continue
        value, before = _whole(rules, resource.value), inputs.older.get(resource.id)
        if keeps_rules_unasked(value, dict(rules.schema)):
            continue  # the rule `schema` says what is wrong
        old = _whole(rules, before) if before is not None else None
        for found in rules.problems(value, old):
            if isinstance(found, Problem):
                yield Refused(resource, found)
            else:
                yield Open(resource, (), found.why)


def _whole(rules: Judge, value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = defaulted(rules.schema, copy.deepcopy(value))
    return made


def refusals(inputs: CheckInput) -> Iterator[tuple[Resource, Pointer, str]]:
    """What the server does not take of the rules of the definitions among the resources."""
    engine = engine_for(inputs.api.version)
    for resource in inputs.of_kind(*_DEFINITION):
        for at, version in maps_at(resource.value, "spec", "versions"):
            schema = map_at(version, "schema", "openAPIV3Schema")
            if not has_rules(schema):
                continue
            for refused in Judge(engine, schema).refusals():
                yield resource, ("spec", "versions", at, "schema", "openAPIV3Schema", *refused.pointer), refused.words
