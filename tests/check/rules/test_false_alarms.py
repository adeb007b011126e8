"""What is right is not called wrong: objects that others make, and many findings alike that are one."""

from __future__ import annotations

import pytest

from envcompile.check.check_input import CheckInput
from envcompile.check.rules.catalogue import RULES
from tests.check.rules.inputs import found_in, inputs, read
from tests.check.test_facts import by_facts

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop}
spec:
  serviceAccountName: ACCOUNT
  containers:
  - {name: app, image: "app:1", envFrom: [{secretRef: {name: SECRET}}]}
---
"""
SERVING = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {service.beta.openshift.io/serving-cert-secret-name: web-tls}}
spec: {ports: [{port: 443}]}
"""
CERTIFICATE = """\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c, namespace: shop}
spec: {secretName: web-tls}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: PORTS}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: dex}
data:
  dex.yaml: |
    a: b
    clientSecret: VALUE
"""


def said(text: str, *rules: str) -> list[tuple[str | None, str]]:
    """Grade and words of what some rules find, which is the same in what those about several resources see of each."""
    chosen = [rule for rule in RULES if rule.id in rules]
    hits = list(found_in(inputs(read(text)), chosen))
    if not any(rule.alone or rule.whole for rule in chosen):
        assert list(found_in(by_facts(inputs(read(text))), chosen)) == hits
    return [(hit.severity or rule.severity, hit.what) for rule, hit in hits]


def pod(name: str = "a", account: str = "default", reads: str = "") -> str:
    """A Pod that runs as an account and reads a Secret."""
    text = POD.replace("NAME", name).replace("ACCOUNT", account)
    return text.replace("SECRET", reads) if reads else text.replace(", envFrom: [{secretRef: {name: SECRET}}]", "")


@pytest.mark.parametrize(
    ("maker", "secret"),
    [
        (SERVING, "web-tls"),
        ("apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: shop}\n", "db-app"),
        (CERTIFICATE, "web-tls"),
    ],
)
def test_a_secret_that_an_operator_makes_is_there(maker: str, secret: str) -> None:
    """And without the object that it is made of, it is not."""
    assert not said(pod(reads=secret) + maker, "config-ref-missing")
    assert said(pod(reads=secret), "config-ref-missing")
    assert said(pod(reads="other") + maker, "config-ref-missing")


def test_what_many_name_is_said_once() -> None:
    """Three workloads that miss one object: it comes from elsewhere, or all of them have one mistake."""
    many = "".join(pod(name, account="app", reads="keys") for name in "abcd")
    assert said(many, "config-ref-missing") == [
        ("warning", "its namespace has no Secret `keys`, which 4 workloads name: the pods do not start without it")
    ]
    assert said(many, "serviceaccount-missing") == [
        ("warning", "its namespace has no ServiceAccount `app`, which 4 workloads run as: no pod is made")
    ]
    few = "".join(pod(name, account="app") for name in "ab")
    assert [grade for grade, _ in said(few, "serviceaccount-missing")] == ["error", "error"]


def test_an_operator_of_the_whole_cluster_may_make_pods_anywhere() -> None:
    """TektonConfig is in no namespace; its pods are in several."""
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: chains, namespace: shop}\n"
        "spec: {selector: {app: chains}, ports: [{port: 80}]}\n---\n"
    )
    config = "apiVersion: operator.tekton.dev/v1alpha1\nkind: TektonConfig\nmetadata: {name: config}\n"
    assert [grade for grade, _ in said(service + config, "service-no-pods")] == ["info"]
    assert [grade for grade, _ in said(service, "service-no-pods")] == ["warning"]


def test_a_port_that_is_not_listed_beside_ports_that_are_is_a_note() -> None:
    """Listing ports is no duty; where none of a Service's ports is known, the Service is likely wrong."""
    text = (
        pod()
        .replace('image: "app:1"', 'image: "app:1", ports: [{containerPort: 80}]')
        .replace("namespace: shop}", "namespace: shop, labels: {app: a}}")
    )
    beside = SERVICE.replace("PORTS", "[{name: a, port: 80}, {name: b, port: 81}]")
    assert [grade for grade, _ in said(text + beside, "service-port-mismatch")] == ["info"]
    alone = SERVICE.replace("PORTS", "[{port: 81}]")
    assert [grade for grade, _ in said(text + alone, "service-port-mismatch")] == ["warning"]


def test_a_variable_is_no_secret() -> None:
    """A program fills it in as it starts (dexidp.io, `clientSecret: $VARIABLE`)."""
    assert not said(CONFIG.replace("VALUE", "$OAUTH_CLIENT_SECRET"), "secret-plaintext")
    assert said(CONFIG.replace("VALUE", "hunter2hunter2"), "secret-plaintext")


def test_memory_that_the_pod_may_take_anyway_is_bounded() -> None:
    """A volume in memory is as large as the pod's memory limit (KEP-1967)."""
    text = pod().replace("  containers:", "  volumes: [{name: tmp, emptyDir: {medium: Memory}}]\n  containers:")
    limited = text.replace('image: "app:1"', 'image: "app:1", resources: {limits: {memory: 1Gi}}')
    assert [grade for grade, _ in said(text, "emptydir-unbounded")] == ["warning"]
    assert not said(limited, "emptydir-unbounded")


def test_an_image_that_ko_builds_is_no_image_without_a_tag() -> None:
    """`ko resolve` puts a digest in its place before anything is applied."""
    assert said(pod().replace("app:1", "ko://example.com/cmd/web"), "image-latest") == []
    assert said(pod().replace("app:1", "example.com/cmd/web"), "image-latest")


def test_nobody_knows_what_an_account_from_elsewhere_may_do() -> None:
    """Its bindings may be where it is; those of `default`, and of an account that is here, are known."""
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n"
    assert said(pod(account="web"), "automount-token") == []
    assert said(pod(account="web") + account, "automount-token")
    assert said(pod(), "automount-token")


BOUND = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: runs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: runner, namespace: ci}]
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  serviceAccountName: runner
  containers: [{name: app, image: "app:1"}]
"""


def test_an_account_without_a_namespace_may_be_the_one_that_a_binding_names() -> None:
    """Where the pods go is said elsewhere; an account of another name has no right all the same."""

    def found(text: str) -> list[object]:
        put = inputs(read(text))
        bare = [one._replace(id=one.id._replace(namespace="")) for one in put.resources]
        [rule] = [rule for rule in RULES if rule.id == "automount-token"]
        return list(rule.find(CheckInput(put.environment, bare, put.api, put.keys)))

    assert found(BOUND) == []
    assert found(BOUND.replace("name: runner, namespace: ci", "name: walker, namespace: ci"))
    assert said(BOUND, "automount-token"), "in a namespace that is stated another one is meant"


def test_who_calls_the_api_server_alone_needs_no_names() -> None:
    """Its address is in the environment of every container; another port may be anybody's."""
    policy = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: PORT, protocol: TCP}]}]}
---
"""
    assert said(policy.replace("PORT", "6443") + pod(), "netpol-no-dns") == []
    assert said(policy.replace("PORT", "443") + pod(), "netpol-no-dns")


SETTLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis}
spec:
  selector: {matchLabels: {app: redis}}
  template:
    metadata: {labels: {app: redis}}
    spec:
      initContainers: [{name: settle, image: "cd:1", command: [argocd, admin, redis-initial-password]}]
      containers: [{name: redis, image: "redis:1", envFrom: [{secretRef: {name: argocd-redis}}]}]
"""


def test_a_secret_that_a_command_makes_is_there() -> None:
    """The command is known to do it; another one does not."""
    assert said(SETTLER, "config-ref-missing") == []
    assert said(SETTLER.replace("redis-initial-password", "version"), "config-ref-missing")


def test_a_tag_that_reads_the_value_is_no_secret() -> None:
    """Tools tag what they take from elsewhere (`api_key: !env_var SONARR_API_KEY`)."""
    assert not said(CONFIG.replace("VALUE", "!env_var OAUTH_CLIENT_SECRET"), "secret-plaintext")
    assert said(CONFIG.replace("VALUE", "!hunter2hunter2"), "secret-plaintext")


POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec: {podSelector: {matchLabels: {longhorn.io/component: instance-manager}}}
---
"""


def test_who_makes_pods_without_being_told_is_known() -> None:
    """Longhorn's manager begins before anybody writes an object of its kinds; a HelmRelease holds anything."""
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: nodes.longhorn.io}\n"
        "spec: {group: longhorn.io, names: {kind: Node, plural: nodes}, scope: Namespaced, versions: []}\n"
    )
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: shop}\n"
    assert [grade for grade, _ in said(POLICY, "netpol-dangling")] == ["warning"]
    assert [grade for grade, _ in said(POLICY + definition, "netpol-dangling")] == ["info"]
    monitor = (
        "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a, namespace: shop}\n"
        "spec: {selector: {matchLabels: {app: b}}}\n---\n"
    )
    service = SERVICE.replace("PORTS", "[{port: 80}]") + "---\n"
    assert [grade for grade, _ in said(monitor + service, "servicemonitor-dangling")] == ["warning"]
    assert [grade for grade, _ in said(monitor + service + release, "servicemonitor-dangling")] == ["info"]


DATABASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: "db:1"}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_pods_with_a_volume_for_one_are_not_told_to_be_two() -> None:
    """A second one could not start, or would write to the same files."""
    assert [grade for grade, _ in said(DATABASE, "replicas-min")] == ["info"]
    assert [grade for grade, _ in said(DATABASE.replace("ReadWriteOnce", "ReadWriteMany"), "replicas-min")] == [
        "warning"
    ]


def test_a_driver_has_its_place_on_the_node() -> None:
    """The kubelet finds it there and nowhere else; other paths of the node stay what they are."""
    paths = ("/var/lib/kubelet/plugins_registry/", "/var/lib/kubelet/plugins/a.example.com", "/dev", "/data")
    volumes = ", ".join(f"{{name: v{at}, hostPath: {{path: {path}}}}}" for at, path in enumerate(paths))
    text = pod().replace("  containers:", f"  volumes: [{volumes}]\n  containers:")
    assert [grade for grade, _ in said(text, "host-path")] == ["info", "info", "info", "warning"]
    without = text.replace("plugins_registry", "other")
    assert [grade for grade, _ in said(without, "host-path")] == ["warning"] * 4
