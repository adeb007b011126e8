"""The rule `ignore-unused`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule, nothing
from envcompile.check.suppressions import IGNORE, POINTER

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.check.suppressions import Suppression


def _ignore_unused(entry: Suppression, known: Collection[str], *, is_used: bool) -> Hit | None:
    if is_used or not entry.reason or entry.rule not in known:
        return None
    what = f"the annotation ignores `{entry.rule}`, which finds nothing here"
    return Hit(entry.resource, POINTER, what, "take the entry out", value=entry.rule)


RULE: Final = Rule(
    "ignore-unused",
    "info",
    f"An entry of `{IGNORE}` that sets nothing aside any more is taken out: it would hide the next mistake.",
    "envcompile",
    nothing,
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
    judge=_ignore_unused,
)
