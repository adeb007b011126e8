"""Which controls of public frameworks the rules stand for, and which no rule covers.

Titles are in our words; the numbers of the Pod Security Standards and of CIS are the frameworks' own. Those of CIS 1.9
were read in `cfg/cis-1.9/policies.yaml` of aquasecurity/kube-bench, which is public, as the benchmark itself is not.
The guide of NSA and CISA numbers nothing: an id here is its chapter and a short name of ours for the section.
"""

from __future__ import annotations

from typing import Final, NamedTuple

CLUSTER: Final = "shown by the cluster, not by manifests"
"""Why no rule covers a control."""
NO_RULE: Final = "no rule asks for it"


class FrameworkControl(NamedTuple):
    """One control of a framework."""

    id: str
    title: str
    rules: tuple[str, ...] = ()
    """The rules whose findings break it; none where it is not covered."""
    check: str = ""
    """For the Pod Security Standards the name of the check in kubernetes/pod-security-admission."""
    why: str = ""
    """Why it is not covered, or not in full."""


class Framework(NamedTuple):
    """A list of controls that somebody published."""

    id: str
    title: str
    version: str
    source: str
    controls: tuple[FrameworkControl, ...]


def _pss(level: str, title: str, rule: str, check: str) -> FrameworkControl:
    return FrameworkControl(f"{level}/{check}", title, (rule,), check)


POD_SECURITY: Final = Framework(
    "pss",
    "Pod Security Standards",
    "of each environment's Kubernetes version",
    "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    (
        _pss("baseline", "no Windows HostProcess", "windows-hostprocess", "windowsHostProcess"),
        _pss("baseline", "no namespaces of the host", "host-namespaces", "hostNamespaces"),
        _pss("baseline", "no privileged containers", "privileged", "privileged"),
        _pss("baseline", "no capabilities beyond those of runtimes", "caps-dangerous", "capabilities_baseline"),
        _pss("baseline", "no HostPath volumes", "host-path", "hostPathVolumes"),
        _pss("baseline", "no ports of the host", "host-ports", "hostPorts"),
        _pss("baseline", "no host in probes and lifecycle hooks", "probe-host", "hostProbesAndHostLifecycle"),
        _pss("baseline", "AppArmor as it comes or narrower", "apparmor-selinux", "appArmorProfile"),
        _pss("baseline", "SELinux types that are allowed", "apparmor-selinux", "seLinuxOptions"),
        _pss("baseline", "/proc masked", "proc-mount", "procMount"),
        _pss("baseline", "seccomp not unconfined", "seccomp", "seccompProfile_baseline"),
        _pss("baseline", "safe sysctls only", "sysctl-unsafe", "sysctls"),
        _pss("restricted", "volume types that are allowed", "volume-types", "restrictedVolumes"),
        _pss("restricted", "no privilege escalation", "privilege-escalation", "allowPrivilegeEscalation"),
        _pss("restricted", "runs as non-root", "run-as-root", "runAsNonRoot"),
        _pss("restricted", "no user 0", "run-as-root", "runAsUser"),
        _pss("restricted", "seccomp profile stated", "seccomp", "seccompProfile_restricted"),
        _pss("restricted", "all capabilities dropped", "caps-not-dropped", "capabilities_restricted"),
        _pss("restricted", "/proc masked also for users of the pod's own", "proc-mount", "procMount_restricted"),
    ),
)

_HARDENED: Final = (
    "privileged",
    "privilege-escalation",
    "caps-dangerous",
    "caps-not-dropped",
    "seccomp",
    "apparmor-selinux",
    "host-namespaces",
    "host-path",
)
_SEALING: Final = ("sealing-key-committed", "sealing-keys-bypass", "sealing-keys-mounted", "sealing-keys-readable")

NSA: Final = Framework(
    "nsa",
    "NSA/CISA Kubernetes Hardening Guidance",
    "1.2 (August 2022)",
    "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
    (
        FrameworkControl("pods/non-root", "containers run as non-root", ("run-as-root",)),
        FrameworkControl("pods/immutable-filesystems", "container file systems are immutable", ("rootfs-writable",)),
        FrameworkControl(
            "pods/images",
            "images are built and chosen securely",
            ("image-latest", "image-not-digest"),
            why="scans of images are the registry's",
        ),
        FrameworkControl("pods/enforcement", "pod security is enforced", ("psa-label",)),
        FrameworkControl("pods/tokens", "tokens of service accounts are protected", ("automount-token",)),
        FrameworkControl("pods/hardening", "container environments are hardened", _HARDENED),
        FrameworkControl("network/namespaces", "namespaces separate workloads", ("namespace-default",)),
        FrameworkControl("network/policies", "network policies isolate pods", ("netpol-missing",)),
        FrameworkControl("network/resources", "resources are limited", ("requests-missing", "memory-limit-missing")),
        FrameworkControl("network/control-plane", "the control plane is hardened", why=CLUSTER),
        FrameworkControl("network/workers", "worker nodes are segmented", why=CLUSTER),
        FrameworkControl(
            "network/encryption", "traffic is encrypted", ("ingress-tls",), why="inside of a cluster it is the mesh's"
        ),
        FrameworkControl("network/secrets", "secrets are protected", ("secret-plaintext", "rbac-secrets", *_SEALING)),
        FrameworkControl("network/cloud", "the cloud's metadata service is protected", why=NO_RULE),
        FrameworkControl("access/authentication", "anonymous access is off, users are authenticated", why=CLUSTER),
        FrameworkControl(
            "access/rbac",
            "roles grant the least that is needed",
            ("rbac-cluster-admin", "rbac-escalate", "rbac-everybody", "rbac-exec", "rbac-secrets", "rbac-wildcard"),
        ),
        FrameworkControl("audit/logging", "audit logs are kept", why=CLUSTER),
        FrameworkControl("audit/detection", "threats are detected", why=CLUSTER),
        FrameworkControl("upgrade/versions", "what is removed is not used", ("api-removed", "api-deprecated")),
    ),
)

CIS: Final = Framework(
    "cis",
    "CIS Kubernetes Benchmark, section 5",
    "1.9",
    "https://www.cisecurity.org/benchmark/kubernetes",
    (
        FrameworkControl("1-4", "control plane, etcd, its configuration, worker nodes", why=CLUSTER),
        FrameworkControl("5.1.1", "cluster-admin only where it is needed", ("rbac-cluster-admin",)),
        FrameworkControl("5.1.2", "little access to Secrets", ("rbac-secrets",)),
        FrameworkControl("5.1.3", "few wildcards in roles", ("rbac-wildcard",)),
        FrameworkControl("5.1.4", "few who create pods", why=NO_RULE),
        FrameworkControl("5.1.5", "default service accounts are not used", why=NO_RULE),
        FrameworkControl("5.1.6", "tokens are mounted where they are needed", ("automount-token",)),
        FrameworkControl("5.1.7", "the group system:masters is not used", why=NO_RULE),
        FrameworkControl("5.1.8", "few who bind, impersonate and escalate", ("rbac-escalate",)),
        FrameworkControl("5.1.9", "few who create persistent volumes", why=NO_RULE),
        FrameworkControl("5.1.10", "few who use the proxy of nodes", why=NO_RULE),
        FrameworkControl("5.1.11", "few who approve certificate requests", why=NO_RULE),
        FrameworkControl("5.1.12", "few who configure webhooks", why=NO_RULE),
        FrameworkControl("5.1.13", "few who create tokens of service accounts", why=NO_RULE),
        FrameworkControl("5.2.1", "a policy control mechanism is active", ("psa-label",)),
        FrameworkControl("5.2.2", "no privileged containers", ("privileged",)),
        FrameworkControl("5.2.3", "no process namespace of the host", ("host-namespaces",)),
        FrameworkControl("5.2.4", "no IPC namespace of the host", ("host-namespaces",)),
        FrameworkControl("5.2.5", "no network namespace of the host", ("host-namespaces",)),
        FrameworkControl("5.2.6", "no privilege escalation", ("privilege-escalation",)),
        FrameworkControl("5.2.7", "no containers that run as root", ("run-as-root",)),
        FrameworkControl("5.2.8", "no capability NET_RAW", ("caps-not-dropped", "caps-dangerous")),
        FrameworkControl("5.2.9", "no capabilities added", ("caps-dangerous",)),
        FrameworkControl("5.2.10", "all capabilities dropped", ("caps-not-dropped",)),
        FrameworkControl("5.2.11", "no Windows HostProcess", ("windows-hostprocess",)),
        FrameworkControl("5.2.12", "no HostPath volumes", ("host-path",)),
        FrameworkControl("5.2.13", "no ports of the host", ("host-ports",)),
        FrameworkControl("5.3.1", "the network plugin knows network policies", why=CLUSTER),
        FrameworkControl("5.3.2", "every namespace has network policies", ("netpol-missing",)),
        FrameworkControl("5.4.1", "Secrets as files rather than env vars", why=NO_RULE),
        FrameworkControl(
            "5.4.2", "Secrets are stored outside", ("secret-plaintext",), why="sealed values count as stored safely"
        ),
        FrameworkControl("5.5.1", "where images come from is verified", why=CLUSTER),
        FrameworkControl("5.7.1", "namespaces are boundaries", why=NO_RULE),
        FrameworkControl("5.7.2", "seccomp profiles are set", ("seccomp",)),
        FrameworkControl(
            "5.7.3", "pods and containers have security contexts", ("run-as-root", "privilege-escalation")
        ),
        FrameworkControl("5.7.4", "the default namespace is not used", ("namespace-default",)),
    ),
)

FRAMEWORKS: Final = (POD_SECURITY, NSA, CIS)
"""All that are known, in the order in which they are told."""
