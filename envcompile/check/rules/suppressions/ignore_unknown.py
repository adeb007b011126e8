"""The rule `ignore-unknown`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule, nothing
from envcompile.check.suppressions import IGNORE, POINTER
from envcompile.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.check.suppressions import Suppression


def _ignore_unknown(entry: Suppression, known: Collection[str], *, is_used: bool) -> Hit | None:
    del is_used
    if entry.rule in known:
        return None
    fix = did_you_mean(entry.rule, known, "`envc rule` lists the rules")
    what = f"the annotation ignores the rule `{entry.rule}`, which does not exist"
    return Hit(entry.resource, POINTER, what, fix, value=entry.rule)


RULE: Final = Rule(
    "ignore-unknown",
    "error",
    f"`{IGNORE}` names rules that exist; a mistyped name sets nothing aside.",
    "envcompile",
    nothing,
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
    judge=_ignore_unknown,
)
