"""The rule `proc-mount`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, container_contexts, has_own_users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _proc_mount(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    yield from _proc_mount_always(pods, minor)


def _proc_mount_always(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        value = context.value.get("procMount")
        if value is not None and value != "Default":
            what = f"{context.who} sees parts of /proc that are hidden by default (`procMount: {value}`)"
            yield Breach((*context.pointer, "procMount"), what, "take `procMount` out")


def _restricted_proc_mount(pods: Pods, minor: int) -> Iterator[Breach]:
    if minor >= 35 and has_own_users(pods, minor):
        yield from _proc_mount_always(pods, minor)


CONTROLS: Final = (
    Control("proc-mount", "procMount", "baseline", _proc_mount),
    Control("proc-mount", "procMount_restricted", "restricted", _restricted_proc_mount),
)

RULE: Final = Rule(
    "proc-mount",
    "warning",
    "No container sees the parts of /proc that are hidden by default.",
    "Pod Security Standards: procMount, procMount_restricted; Polaris procMount",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="Parts of /proc are hidden because they tell of the node, or change it.",
    fix="Take `procMount` out.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  hostUsers: false
  containers:
  - {name: api, image: 'shop/api:v1.4.2', securityContext: {procMount: Unmasked}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)
