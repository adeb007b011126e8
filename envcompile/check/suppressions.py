"""Findings set aside beside the resource: the annotation `envcompile.dev/ignore`, with a reason for each rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from envcompile.check.check_input import Scene
    from envcompile.model import Pointer, ResourceId

IGNORE: Final = "envcompile.dev/ignore"
"""The annotation; its text is `rule: reason`, several on lines of their own or with `;` between them."""
POINTER: Final[Pointer] = ("metadata", "annotations", IGNORE)

_SEPARATOR = re.compile(r"[;\n]")


class Suppression(NamedTuple):
    """One entry of the annotation."""

    resource: ResourceId
    rule: str
    reason: str


def read_suppressions(resource: ResourceId, value: dict[str, Any]) -> list[Suppression]:
    """The entries of a resource's annotation in their order; none without one."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(IGNORE) if isinstance(annotations, dict) else None
    if not isinstance(text, str):
        return []
    found = []
    for entry in _SEPARATOR.split(text):
        rule, _, reason = entry.partition(":")
        if entry.strip():
            found.append(Suppression(resource, rule.strip(), reason.strip()))
    return found


def _nothing(scene: Scene) -> tuple[Hit, ...]:
    """What the annotations say is judged together with what the other rules found."""
    del scene
    return ()


NO_REASON = Rule(
    "ignore-reason",
    "error",
    f"Every entry of `{IGNORE}` says why: without a reason nobody can tell later whether it still holds.",
    "envcompile",
    _nothing,
    why="An exception without a reason is never taken out again: nobody dares.",
    fix="Write `rule: why`.",
    fires="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-latest"
spec:
  containers: [{name: api, image: "shop/api"}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-latest: the release job pins the image"
spec:
  containers: [{name: api, image: "shop/api"}]
""",
)
UNKNOWN = Rule(
    "ignore-unknown",
    "error",
    f"`{IGNORE}` names rules that exist; a mistyped name sets nothing aside.",
    "envcompile",
    _nothing,
    why="A mistyped name sets nothing aside, and whoever wrote it believes that it does.",
    fix="Write the name of a rule: `envc rule --all` has them.",
    fires="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-lastest: the release job pins the image"
spec:
  containers: [{name: api, image: "shop/api"}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-latest: the release job pins the image"
spec:
  containers: [{name: api, image: "shop/api"}]
""",
)
UNUSED = Rule(
    "ignore-unused",
    "info",
    f"An entry of `{IGNORE}` that sets nothing aside any more is taken out: it would hide the next mistake.",
    "envcompile",
    _nothing,
    why="What is set aside for nothing hides the next mistake of its kind.",
    fix="Take the entry out.",
    fires="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-latest: the release job pins the image"
spec:
  containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations:
    envcompile.dev/ignore: "image-latest: the release job pins the image"
spec:
  containers: [{name: api, image: "shop/api"}]
""",
)
RULES: Final = (NO_REASON, UNKNOWN, UNUSED)
"""The rules about suppressions themselves; they cannot be suppressed."""


def misused(suppressions: Iterable[Suppression], known: Collection[str]) -> Iterator[tuple[Rule, Hit]]:
    """The entries that set nothing aside because of how they are written.

    Args:
        suppressions: all that an environment has.
        known: the rules that can be suppressed.
    """
    for entry in suppressions:
        if entry.rule not in known:
            fix = did_you_mean(entry.rule, known, "`envc rule` lists the rules")
            what = f"the annotation ignores the rule `{entry.rule}`, which does not exist"
            yield UNKNOWN, Hit(entry.resource, POINTER, what, fix, value=entry.rule)
        elif not entry.reason:
            what = f"the annotation ignores `{entry.rule}` without a reason"
            yield NO_REASON, Hit(entry.resource, POINTER, what, f"write `{entry.rule}: why`", value=entry.rule)


def unused(entry: Suppression) -> Hit:
    """What is wrong about an entry that sets nothing aside."""
    what = f"the annotation ignores `{entry.rule}`, which finds nothing here"
    return Hit(entry.resource, POINTER, what, "take the entry out", value=entry.rule)
