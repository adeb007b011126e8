"""The rule `windows-hostprocess`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _host_process(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in contexts(pods):
        if at(context.value, "windowsOptions", "hostProcess") is True:
            what = f"{context.who} runs as a process of the Windows node"
            yield Breach((*context.pointer, "windowsOptions", "hostProcess"), what, "take `hostProcess` out")


CONTROLS: Final = (Control("windows-hostprocess", "windowsHostProcess", "baseline", _host_process),)

RULE: Final = Rule(
    "windows-hostprocess",
    "error",
    "No container is a process of its Windows node.",
    "Pod Security Standards: windowsHostProcess; Polaris hostProcess",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="A host process has the whole Windows node.",
    fix="Take `hostProcess` out.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  hostNetwork: true
  securityContext: {windowsOptions: {hostProcess: true, runAsUserName: "NT AUTHORITY\\\\SYSTEM"}}
  containers: [{name: agent, image: "shop/agent:v1"}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: agent}
spec:
  securityContext: {windowsOptions: {runAsUserName: ContainerUser}}
  containers: [{name: agent, image: "shop/agent:v1"}]
""",
)
