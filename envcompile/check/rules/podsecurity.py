"""The Pod Security Standards as rules, and the levels that namespaces enforce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule
from envcompile.check.rules import podbaseline, podrestricted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.finding import Severity
    from envcompile.check.pods import Pods
    from envcompile.check.standards import Control

CONTROLS: Final[tuple[Control, ...]] = (*podbaseline.CONTROLS, *podrestricted.CONTROLS)
"""Every control of both levels."""

ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def minor_of(version: str) -> int:
    """The minor number of a version such as `1.35` or `v1.35`; a high one for `latest`."""
    minor = version.removeprefix("v").partition(".")[2]
    return int(minor) if minor.isdecimal() else 999


def _breaking(rule: str) -> Callable[[Scene], Iterator[Hit]]:
    """The function that finds what breaks the controls that a rule reports."""
    controls = [control for control in CONTROLS if control.rule == rule]

    def find(scene: Scene) -> Iterator[Hit]:
        minor = minor_of(scene.api.version)
        for pods in scene.pods:
            for control in controls:
                for breach in control.find(pods, minor):
                    yield Hit(pods.resource.id, breach.pointer, breach.what, breach.fix, breach.severity)

    return find


def _labels(scene: Scene) -> Iterator[Hit]:
    for namespace in scene.of_kind("", "Namespace"):
        labels = strings_at(namespace.value, "metadata", "labels")
        level = labels.get(ENFORCE)
        pods = [each for each in scene.pods if each.namespace == namespace.id.name]
        if level is None:
            if pods:
                yield Hit(
                    namespace.id,
                    ("metadata", "labels", ENFORCE),
                    "the namespace enforces no Pod Security level: any pod may be made in it, privileged ones too",
                    f"write the label `{ENFORCE}: restricted`, or `baseline`",
                )
        elif level in {"baseline", "restricted"}:
            version = labels.get(f"{ENFORCE}-version", "latest")
            minor = min(minor_of(version), minor_of(scene.api.version))
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
    found = [
        control.rule
        for control in CONTROLS
        if level == "restricted" or control.level == "baseline"
        if next(control.find(pods, minor), None) is not None
    ]
    return list(dict.fromkeys(found))


def _rule(rule: str, severity: Severity, summary: str, known: str = "") -> Rule:
    checks = ", ".join(control.check for control in CONTROLS if control.rule == rule)
    source = f"Pod Security Standards: {checks}" + (f"; {known}" if known else "")
    return Rule(rule, severity, summary, source, _breaking(rule), alone=True)


RULES: Final = (
    _rule(
        "privileged", "error", "No container is privileged: it would be root on its node.", "Polaris runAsPrivileged"
    ),
    _rule(
        "host-namespaces",
        "warning",
        "No pod shares the network, the processes or the shared memory of its node.",
        "Polaris hostNetworkSet, hostPIDSet, hostIPCSet",
    ),
    _rule("host-path", "warning", "No pod mounts a path of its node.", "Polaris hostPathSet, kube-linter docker-sock"),
    _rule("host-ports", "warning", "No container takes a port of its node.", "Polaris hostPortSet"),
    _rule(
        "caps-dangerous",
        "warning",
        "No container adds capabilities beyond those that containers have by default.",
        "Polaris dangerousCapabilities",
    ),
    _rule("apparmor-selinux", "warning", "No container turns AppArmor off or takes SELinux options of its own."),
    _rule(
        "proc-mount", "warning", "No container sees the parts of /proc that are hidden by default.", "Polaris procMount"
    ),
    _rule("seccomp", "warning", "Every container has a seccomp profile: RuntimeDefault or one of its own."),
    _rule(
        "sysctl-unsafe",
        "error",
        "Pods set safe sysctls only; a kubelet refuses the others.",
        "kube-linter unsafe-sysctls",
    ),
    _rule("windows-hostprocess", "error", "No container is a process of its Windows node.", "Polaris hostProcess"),
    _rule(
        "probe-host", "warning", "Probes and lifecycle handlers name no host: the kubelet would call it from the node."
    ),
    _rule("volume-types", "warning", "Volumes are of types that stay within the pod and its claims."),
    _rule(
        "privilege-escalation",
        "warning",
        "No container may gain rights that it did not start with.",
        "Polaris privilegeEscalationAllowed",
    ),
    _rule(
        "run-as-root", "warning", "No container runs as root.", "Polaris runAsRootAllowed, kube-linter run-as-non-root"
    ),
    _rule(
        "caps-not-dropped",
        "warning",
        "Every container drops all capabilities and adds back NET_BIND_SERVICE at most.",
        "Polaris insecureCapabilities, kube-linter drop-net-raw-capability",
    ),
    Rule(
        "psa-label",
        "warning",
        "A namespace enforces a Pod Security level, and the pods in it keep to that level.",
        "kubernetes.io, Pod Security Admission",
        _labels,
    ),
)
