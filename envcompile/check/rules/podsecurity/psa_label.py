"""The rule `psa-label`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods


_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def _labels(inputs: CheckInput) -> Iterator[Hit]:
    for namespace in inputs.of_kind("", "Namespace"):
        labels = strings_at(namespace.value, "metadata", "labels")
        level = labels.get(_ENFORCE)
        pods = [each for each in inputs.pods if each.namespace == namespace.id.name]
        if level is None:
            if pods:
                yield Hit(
                    namespace.id,
                    ("metadata", "labels", _ENFORCE),
                    "the namespace enforces no Pod Security level: any pod may be made in it, privileged ones too",
                    f"write the label `{_ENFORCE}: restricted`, or `baseline`",
                )
        elif level in {"baseline", "restricted"}:
            version = labels.get(f"{_ENFORCE}-version", "latest")
            minor = min(minor_of(version), minor_of(inputs.api.version))
            for each in pods:
                broken = _broken(each, level, minor)
                if broken:
                    yield Hit(
                        each.resource.id,
                        each.spec_pointer,
                        f"namespace {each.namespace} enforces the Pod Security level {level} and refuses the pods:"
                        f" they break {', '.join(broken)}",
                        "mend what these rules report, or enforce a lower level on the namespace",
                        "error",
                        value=broken,
                    )


def _broken(pods: Pods, level: str, minor: int) -> list[str]:
    """The rules that report what keeps pods from a level; restricted includes baseline."""
    from envcompile.check.rules.catalogue import RULES

    found = [
        control.rule
        for rule in RULES
        for control in rule.controls
        if level == "restricted" or control.level == "baseline"
        if next(control.find(pods, minor), None) is not None
    ]
    return list(dict.fromkeys(found))


RULE: Final = Rule(
    "psa-label",
    "warning",
    "A namespace enforces a Pod Security level, and the pods in it keep to that level.",
    "kubernetes.io, Pod Security Admission",
    _labels,
    why=(
        "Without the label any pod may be made in the namespace, privileged ones too; with it, pods that break "
        "the level are refused."
    ),
    fix="Write the label `pod-security.kubernetes.io/enforce: restricted`, or `baseline`, and mend the pods.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-admission/",),
    fires="""\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: worker
    image: shop/worker:v1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
""",
    silent="""\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: worker
    image: shop/worker:v1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
""",
)
