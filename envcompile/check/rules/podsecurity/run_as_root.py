"""The rule `run-as-root`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, container_contexts, contexts, has_own_users

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _non_root(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    whole = at(pods.spec, "securityContext", "runAsNonRoot")
    fix = "write `runAsNonRoot: true` for the pod, and a `runAsUser` if the image names none"
    if whole is False:
        pointer = (*pods.spec_pointer, "securityContext", "runAsNonRoot")
        yield Breach(pointer, "the pod may run as root (`runAsNonRoot: false`)", fix)
        return
    for context in container_contexts(pods):
        own = context.value.get("runAsNonRoot")
        if own is False or (own is None and whole is not True):
            yield Breach((*context.pointer, "runAsNonRoot"), f"{context.who} may run as root", fix)


def _root_user(pods: Pods, minor: int) -> Iterator[Breach]:
    if has_own_users(pods, minor):
        return
    for context in contexts(pods):
        user = context.value.get("runAsUser")
        if user == 0 and user is not False:
            yield Breach((*context.pointer, "runAsUser"), f"{context.who} runs as root", "write another user's number")


CONTROLS: Final = (
    Control("run-as-root", "runAsNonRoot", "restricted", _non_root),
    Control("run-as-root", "runAsUser", "restricted", _root_user),
)

RULE: Final = Rule(
    "run-as-root",
    "warning",
    "No container runs as root.",
    "Pod Security Standards: runAsNonRoot, runAsUser; Polaris runAsRootAllowed, kube-linter run-as-non-root",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="Root in the container is root on the node wherever a lock fails, and may write what it should only read.",
    fix="Write `runAsNonRoot: true` for the pod, and a `runAsUser` if the image names none.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  securityContext: {runAsNonRoot: true}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)
