"""The rule `caps-dangerous`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import texts_at
from envcompile.check.rule import Rule
from envcompile.check.standards import BASELINE_CAPABILITIES, Breach, Control, breaking, container_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


_CAPABILITY_NAMES: Final = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
)


_FATAL: Final = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "BPF", "DAC_READ_SEARCH"})
"""Capabilities that are as good as root on the node."""


def _capabilities(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        for position, name in enumerate(texts_at(context.value, "capabilities", "add")):
            plain = name.upper().removeprefix("CAP_")
            if name not in BASELINE_CAPABILITIES:
                what = f"{context.who} adds the capability {name}, which no ordinary workload needs"
                pointer = (*context.pointer, "capabilities", "add", position)
                yield Breach(pointer, what, "take it out", "error" if plain in _FATAL else None)


CONTROLS: Final = (Control("caps-dangerous", "capabilities_baseline", "baseline", _capabilities),)

RULE: Final = Rule(
    "caps-dangerous",
    "warning",
    "No container adds capabilities beyond those that containers have by default.",
    "Pod Security Standards: capabilities_baseline; Polaris dangerousCapabilities",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "Some capabilities are as good as root on the node (SYS_ADMIN), others let a container fake traffic of "
        "its neighbours (NET_RAW)."
    ),
    fix="Take the capability out.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    securityContext: {capabilities: {add: [NET_RAW]}}
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
