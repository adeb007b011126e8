"""Which controls of public frameworks the rules stand for, and which no rule covers.

Titles are in our words; the numbers of the Pod Security Standards and of CIS are the frameworks' own; `section` says
where a control stands. Those of CIS 1.9 were read in `cfg/cis-1.9/policies.yaml` of aquasecurity/kube-bench, which is
public, as the benchmark itself is not. The guide of NSA and CISA numbers nothing: an id here is its chapter and a short
name of ours for the section. Its text was read in the first edition (August 2021); the headings of 1.2, and which
setting of a pod belongs under which, are those of dynatrace-oss/Kalm-Benchmark (`kalm_benchmark/manifest_generator`).
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
    section: str = ""
    """Where the framework states it: its chapter and heading."""


class Framework(NamedTuple):
    """A list of controls that somebody published."""

    id: str
    title: str
    version: str
    source: str
    controls: tuple[FrameworkControl, ...]


def _pss(level: str, title: str, rule: str, check: str) -> FrameworkControl:
    return FrameworkControl(f"{level}/{check}", title, (rule,), check, section=f"{level.capitalize()}, {check}")


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

_ENFORCED: Final = (
    "psa-label",
    "privileged",
    "host-namespaces",
    "host-path",
    "run-as-root",
    "privilege-escalation",
    "caps-dangerous",
    "caps-not-dropped",
)
_SEALING: Final = ("sealing-key-committed", "sealing-keys-bypass", "sealing-keys-mounted", "sealing-keys-readable")
_RIGHTS: Final = (
    "rbac-cluster-admin",
    "rbac-escalate",
    "rbac-everybody",
    "rbac-exec",
    "rbac-secrets",
    "rbac-wildcard",
)


def _pods(name: str, title: str, heading: str, *rules: str, why: str = "") -> FrameworkControl:
    return FrameworkControl(f"pods/{name}", title, rules, why=why, section=f"Kubernetes Pod security, {heading}")


def _network(name: str, title: str, heading: str, *rules: str, why: str = "") -> FrameworkControl:
    section = f"Network separation and hardening, {heading}"
    return FrameworkControl(f"network/{name}", title, rules, why=why, section=section)


def _access(name: str, title: str, heading: str, *rules: str, why: str = "") -> FrameworkControl:
    section = f"Authentication and authorization, {heading}"
    return FrameworkControl(f"access/{name}", title, rules, why=why, section=section)


def _audit(name: str, title: str, headings: str) -> FrameworkControl:
    section = f"Audit logging and threat detection, {headings}"
    return FrameworkControl(f"audit/{name}", title, why=CLUSTER, section=section)


NSA: Final = Framework(
    "nsa",
    "NSA/CISA Kubernetes Hardening Guidance",
    "1.2 (August 2022)",
    "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
    (
        _pods(
            "non-root",
            "containers run as non-root",
            '"Non-root" containers and "rootless" container engines',
            "run-as-root",
            why="the engine of a node is not seen",
        ),
        _pods(
            "immutable-filesystems",
            "container file systems are immutable",
            "Immutable container file systems",
            "rootfs-writable",
        ),
        _pods(
            "images",
            "images are built and chosen securely",
            "Building secure container images",
            "image-latest",
            "image-not-digest",
            why="scans of images are the registry's",
        ),
        _pods("enforcement", "a minimum of pod security is enforced, and kept", "Pod security enforcement", *_ENFORCED),
        _pods(
            "tokens",
            "tokens of service accounts are protected",
            "Protecting Pod service account tokens",
            "automount-token",
        ),
        _pods(
            "hardening",
            "container environments are hardened",
            "Hardening container environments",
            "seccomp",
            "apparmor-selinux",
            why="hypervisors and sandboxes are the node's",
        ),
        _network(
            "namespaces",
            "namespaces separate workloads",
            "Namespaces",
            "namespace-default",
            why="that nothing of ours is in kube-system or kube-public is not asked",
        ),
        _network("policies", "network policies isolate pods", "Network policies", "netpol-missing"),
        _network(
            "resources",
            "resources are limited",
            "Resource policies",
            "requests-missing",
            "memory-limit-missing",
            why="the guide asks for LimitRange and ResourceQuota; asked is what these would demand of each container",
        ),
        _network(
            "control-plane",
            "the control plane, etcd and kubeconfig files are hardened",
            "Control plane hardening (with Etcd, Kubeconfig files)",
            why=CLUSTER,
        ),
        _network("workers", "worker nodes are segmented", "Worker node segmentation", why=CLUSTER),
        _network(
            "encryption",
            "traffic is encrypted",
            "Encryption",
            "ingress-tls",
            why="inside of a cluster it is the mesh's",
        ),
        _network(
            "secrets",
            "secrets are protected",
            "Secrets",
            "secret-plaintext",
            "rbac-secrets",
            *_SEALING,
            why="encryption at rest is the cluster's",
        ),
        _network(
            "cloud",
            "the cloud's metadata service is protected",
            "Protecting sensitive cloud infrastructure",
            why=NO_RULE,
        ),
        _access("authentication", "anonymous access is off, users are authenticated", "Authentication", why=CLUSTER),
        _access("rbac", "roles grant the least that is needed", "Role-based access control", *_RIGHTS),
        _audit(
            "logging",
            "audit logs are kept",
            "Logging (with its parts); SIEM platforms; Service meshes; Fault tolerance",
        ),
        _audit("detection", "threats are detected", "Threat detection; Alerting; Tools"),
        FrameworkControl(
            "upgrade/versions",
            "what is removed is not used",
            ("api-removed", "api-deprecated"),
            why="patches, scans and components that nobody needs are not seen in manifests",
            section="Upgrading and application security practices",
        ),
    ),
)

_CHAPTERS: Final = {
    "5.1": "RBAC and Service Accounts",
    "5.2": "Pod Security Standards",
    "5.3": "Network Policies and CNI",
    "5.4": "Secrets Management",
    "5.5": "Extensible Admission Control",
    "5.7": "General Policies",
}


def _cis(number: str, title: str, rules: tuple[str, ...] = (), *, why: str = "") -> FrameworkControl:
    chapter = number.rpartition(".")[0]
    return FrameworkControl(number, title, rules, why=why, section=f"{chapter} {_CHAPTERS[chapter]}")


CIS: Final = Framework(
    "cis",
    "CIS Kubernetes Benchmark, section 5",
    "1.9",
    "https://www.cisecurity.org/benchmark/kubernetes",
    (
        FrameworkControl("1-4", "control plane, etcd, its configuration, worker nodes", why=CLUSTER, section="1 to 4"),
        _cis("5.1.1", "cluster-admin only where it is needed", ("rbac-cluster-admin",)),
        _cis("5.1.2", "little access to Secrets", ("rbac-secrets",)),
        _cis("5.1.3", "few wildcards in roles", ("rbac-wildcard",)),
        _cis("5.1.4", "few who create pods", why=NO_RULE),
        _cis("5.1.5", "default service accounts are not used", why=NO_RULE),
        _cis("5.1.6", "tokens are mounted where they are needed", ("automount-token",)),
        _cis("5.1.7", "the group system:masters is not used", why=NO_RULE),
        _cis("5.1.8", "few who bind, impersonate and escalate", ("rbac-escalate",)),
        _cis("5.1.9", "few who create persistent volumes", why=NO_RULE),
        _cis("5.1.10", "few who use the proxy of nodes", why=NO_RULE),
        _cis("5.1.11", "few who approve certificate requests", why=NO_RULE),
        _cis("5.1.12", "few who configure webhooks", why=NO_RULE),
        _cis("5.1.13", "few who create tokens of service accounts", why=NO_RULE),
        _cis("5.2.1", "a policy control mechanism is active", ("psa-label",)),
        _cis("5.2.2", "no privileged containers", ("privileged",)),
        _cis("5.2.3", "no process namespace of the host", ("host-namespaces",)),
        _cis("5.2.4", "no IPC namespace of the host", ("host-namespaces",)),
        _cis("5.2.5", "no network namespace of the host", ("host-namespaces",)),
        _cis("5.2.6", "no privilege escalation", ("privilege-escalation",)),
        _cis("5.2.7", "no containers that run as root", ("run-as-root",)),
        _cis("5.2.8", "no capability NET_RAW", ("caps-not-dropped", "caps-dangerous")),
        _cis(
            "5.2.9", "no capabilities added", ("caps-dangerous",), why="those that the baseline allows are let through"
        ),
        _cis("5.2.10", "all capabilities dropped", ("caps-not-dropped",)),
        _cis("5.2.11", "no Windows HostProcess", ("windows-hostprocess",)),
        _cis("5.2.12", "no HostPath volumes", ("host-path",)),
        _cis("5.2.13", "no ports of the host", ("host-ports",)),
        _cis("5.3.1", "the network plugin knows network policies", why=CLUSTER),
        _cis("5.3.2", "every namespace has network policies", ("netpol-missing",)),
        _cis("5.4.1", "Secrets as files rather than env vars", why=NO_RULE),
        _cis("5.4.2", "Secrets are stored outside", ("secret-plaintext",), why="sealed values count as stored safely"),
        _cis("5.5.1", "where images come from is verified", why=CLUSTER),
        _cis("5.7.1", "namespaces are boundaries", why=NO_RULE),
        _cis("5.7.2", "seccomp profiles are set", ("seccomp",)),
        _cis("5.7.3", "pods and containers have security contexts", ("run-as-root", "privilege-escalation")),
        _cis("5.7.4", "the default namespace is not used", ("namespace-default",)),
    ),
)

FRAMEWORKS: Final = (POD_SECURITY, NSA, CIS)
"""All that are known, in the order in which they are told."""
