"""The rule `seccomp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import at, map_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, container_contexts, contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _seccomp(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in contexts(pods):
        profile = map_at(context.value, "seccompProfile")
        if profile and text_at(profile, "type") not in {"RuntimeDefault", "Localhost"}:
            what = f"{context.who} may make every system call (`seccompProfile` {profile.get('type')})"
            yield Breach((*context.pointer, "seccompProfile", "type"), what, "write `type: RuntimeDefault`")


def _seccomp_restricted(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    if at(pods.spec, "securityContext", "seccompProfile", "type") is not None:
        return  # a bad one is what the baseline level is about
    missing = [context for context in container_contexts(pods) if not map_at(context.value, "seccompProfile")]
    if missing:
        who = "the pod" if len(missing) == len(pods.containers) else missing[0].who
        what = f"{who} names no seccomp profile, so every system call is allowed"
        pointer = (*pods.spec_pointer, "securityContext", "seccompProfile")
        yield Breach(pointer, what, "write `securityContext: {seccompProfile: {type: RuntimeDefault}}` for the pod")


CONTROLS: Final = (
    Control("seccomp", "seccompProfile_baseline", "baseline", _seccomp),
    Control("seccomp", "seccompProfile_restricted", "restricted", _seccomp_restricted),
)

RULE: Final = Rule(
    "seccomp",
    "warning",
    "Every container has a seccomp profile: RuntimeDefault or one of its own.",
    "Pod Security Standards: seccompProfile_baseline, seccompProfile_restricted",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="Without a profile every system call of the kernel is open to the container.",
    fix="Write `securityContext: {seccompProfile: {type: RuntimeDefault}}` for the pod.",
    links=("https://kubernetes.io/docs/tutorials/security/seccomp/",),
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
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)
