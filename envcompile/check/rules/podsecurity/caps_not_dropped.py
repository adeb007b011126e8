"""The rule `caps-not-dropped`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import map_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.standards import BASELINE_CAPABILITIES, Breach, Control, breaking, container_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _capabilities(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    for context in container_contexts(pods):
        capabilities = map_at(context.value, "capabilities")
        if "ALL" not in texts_at(capabilities, "drop"):
            what = f"{context.who} keeps the capabilities that containers have by default"
            pointer = (*context.pointer, "capabilities", "drop")
            yield Breach(pointer, what, "write `capabilities: {drop: [ALL]}`")
        for position, name in enumerate(texts_at(capabilities, "add")):
            if name != "NET_BIND_SERVICE" and name in BASELINE_CAPABILITIES:  # else `caps-dangerous` says so
                what = f"{context.who} adds the capability {name}"
                pointer = (*context.pointer, "capabilities", "add", position)
                yield Breach(pointer, what, "take it out, or say in `envcompile.dev/ignore` why it is needed")


CONTROLS: Final = (Control("caps-not-dropped", "capabilities_restricted", "restricted", _capabilities),)

RULE: Final = Rule(
    "caps-not-dropped",
    "warning",
    "Every container drops all capabilities and adds back NET_BIND_SERVICE at most.",
    (
        "Pod Security Standards: capabilities_restricted; Polaris insecureCapabilities, kube-linter drop-net-raw- "
        "capability"
    ),
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="Most programs need no capability at all; each that is left is one more way for who gets in.",
    fix="Write `capabilities: {drop: [ALL]}`, and add NET_BIND_SERVICE if the container listens below 1024.",
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
  containers:
  - name: api
    image: shop/api:v1.4.2
    securityContext: {capabilities: {drop: [ALL]}}
""",
)
