"""The rule `apparmor-selinux`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import map_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


_SELINUX: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})


def _apparmor(pods: Pods, _minor: int) -> Iterator[Breach]:
    fix = "write RuntimeDefault or Localhost, or nothing"
    for context in contexts(pods):
        profile = map_at(context.value, "appArmorProfile")
        if profile and text_at(profile, "type") not in {"RuntimeDefault", "Localhost"}:
            pointer = (*context.pointer, "appArmorProfile", "type")
            yield Breach(pointer, f"{context.who} runs without the AppArmor profile of the runtime", fix)
    for key, value in pods.annotations.items():
        if key.startswith(_APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/"):
            name = key.removeprefix(_APPARMOR)
            pointer = (*pods.pointer, "metadata", "annotations", key)
            yield Breach(pointer, f"container `{name}` runs without the AppArmor profile of the runtime", fix)


def _selinux(pods: Pods, minor: int) -> Iterator[Breach]:
    types = _SELINUX | {"container_engine_t"} if minor >= 31 else _SELINUX
    for context in contexts(pods):
        options = map_at(context.value, "seLinuxOptions")
        for field in ("type", "user", "role"):
            value = text_at(options, field)
            if value not in types if field == "type" else value:
                what = f"{context.who} sets the SELinux {field} `{value}`"
                yield Breach((*context.pointer, "seLinuxOptions", field), what, f"take `{field}` out")


CONTROLS: Final = (
    Control("apparmor-selinux", "appArmorProfile", "baseline", _apparmor),
    Control("apparmor-selinux", "seLinuxOptions", "baseline", _selinux),
)

RULE: Final = Rule(
    "apparmor-selinux",
    "warning",
    "No container turns AppArmor off or takes SELinux options of its own.",
    "Pod Security Standards: appArmorProfile, seLinuxOptions",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "The runtime's profile keeps a container that was broken into from the node's files; without it one lock "
        "is gone."
    ),
    fix="Write RuntimeDefault or Localhost, or nothing; leave SELinux options to the cluster.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  securityContext: {appArmorProfile: {type: Unconfined}}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
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
