"""The rule `ignore-reason`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule, nothing
from envcompile.check.suppressions import IGNORE, POINTER

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.check.suppressions import Suppression


def _ignore_reason(entry: Suppression, known: Collection[str], *, is_used: bool) -> Hit | None:
    del is_used
    if entry.reason or entry.rule not in known:
        return None
    what = f"the annotation ignores `{entry.rule}` without a reason"
    return Hit(entry.resource, POINTER, what, f"write `{entry.rule}: why`", value=entry.rule)


RULE: Final = Rule(
    "ignore-reason",
    "error",
    f"Every entry of `{IGNORE}` says why: without a reason nobody can tell later whether it still holds.",
    "envcompile",
    nothing,
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
    judge=_ignore_reason,
)
