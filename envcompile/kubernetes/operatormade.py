"""Objects that operators make of other objects, by the names they give them: nobody writes these down.

A name is a pattern in which `{name}` is the name of the object that stands for it, or the way to a field that holds it:
`.spec.secretName`, with `[]` for every item of a list.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EVERYWHERE: Final = "*"
"""Stands for every namespace where an object is put into all of them."""

PUBLISHED: Final = ("istio-ca-root-cert", "kube-root-ca.crt", "openshift-service-ca.crt")
"""ConfigMaps that are put into every namespace of a cluster.

Sources: Kubernetes, pkg/controller/certificates/rootcacertpublisher; Istio,
pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go (CACertNamespaceConfigMap); OpenShift,
service-ca-operator.
"""


class Maker(NamedTuple):
    """What an operator makes of the objects of a kind, each as kind and names."""

    key: str
    """The kind as KIND.GROUP."""
    source: str
    made: Mapping[str, tuple[str, ...]]


MAKERS: Final[Sequence[Maker]] = (
    Maker("Certificate.cert-manager.io", "cert-manager.io, API reference", {"Secret": (".spec.secretName",)}),
    *(
        Maker(
            f"{kind}.cert-manager.io",
            "cert-manager.io, ACME",
            {"Secret": (".spec.acme.privateKeySecretRef.name",)},
        )
        for kind in ("Issuer", "ClusterIssuer")
    ),
    Maker(
        "Cluster.postgresql.cnpg.io",
        "cloudnative-pg.io, Applications and Certificates",
        {
            "Secret": tuple(f"{{name}}-{end}" for end in ("app", "superuser", "ca", "server", "replication")),
            "Service": ("{name}-rw", "{name}-ro", "{name}-r"),
            "ServiceAccount": ("{name}",),
        },
    ),
    Maker("Pooler.postgresql.cnpg.io", "cloudnative-pg.io, Connection pooling", {"Service": ("{name}",)}),
    Maker(
        "postgresql.acid.zalan.do",
        "zalando/postgres-operator docs/user.md",
        {"Secret": ("*.{name}.credentials.*",), "Service": ("{name}", "{name}-repl", "{name}-pooler")},
    ),
    Maker(
        "PostgresCluster.postgres-operator.crunchydata.com",
        "access.crunchydata.com, Connect an application",
        {"Secret": ("{name}-pguser-*", "{name}-cluster-cert"), "Service": ("{name}-primary", "{name}-replicas")},
    ),
    Maker(
        "Kafka.kafka.strimzi.io",
        "strimzi.io, Secrets and Services of a cluster",
        {
            "Secret": ("{name}-cluster-ca-cert", "{name}-cluster-ca", "{name}-clients-ca-cert", "{name}-clients-ca"),
            "Service": ("{name}-kafka-bootstrap", "{name}-kafka-brokers", "{name}-kafka-*-bootstrap"),
            "ServiceAccount": ("{name}-kafka", "{name}-entity-operator"),
        },
    ),
    Maker(
        "KafkaUser.kafka.strimzi.io",
        "strimzi.io, Configuring users",
        {"Secret": ("{name}", ".spec.authentication.password.valueFrom.secretKeyRef.name")},
    ),
    Maker("KafkaConnect.kafka.strimzi.io", "strimzi.io", {"Service": ("{name}-connect-api",)}),
    Maker("KafkaBridge.kafka.strimzi.io", "strimzi.io", {"Service": ("{name}-bridge-service",)}),
    Maker(
        "RabbitmqCluster.rabbitmq.com",
        "rabbitmq.com, Cluster operator",
        {
            "Secret": ("{name}-default-user", "{name}-erlang-cookie"),
            "Service": ("{name}", "{name}-nodes"),
            "ServiceAccount": ("{name}-server",),
        },
    ),
    Maker(
        "Elasticsearch.elasticsearch.k8s.elastic.co",
        "elastic.co, Elastic Cloud on Kubernetes",
        {
            "Secret": ("{name}-es-elastic-user", "{name}-es-http-certs-*", "{name}-es-http-ca-*"),
            "Service": ("{name}-es-http", "{name}-es-transport", "{name}-es-internal-http"),
        },
    ),
    Maker(
        "Kibana.kibana.k8s.elastic.co",
        "elastic.co, Elastic Cloud on Kubernetes",
        {"Secret": ("{name}-kb-http-certs-*",), "Service": ("{name}-kb-http",)},
    ),
    Maker(
        "MongoDBCommunity.mongodbcommunity.mongodb.com",
        "mongodb/mongodb-kubernetes-operator docs",
        {"Secret": ("{name}-*",), "Service": ("{name}-svc",)},
    ),
    Maker(
        "Vault.vault.banzaicloud.com",
        "bank-vaults.dev, Operator",
        {"Secret": ("{name}-unseal-keys", "{name}-tls", "{name}-raw-config"), "Service": ("{name}",)},
    ),
    Maker(
        "SecretProviderClass.secrets-store.csi.x-k8s.io",
        "secrets-store-csi-driver.sigs.k8s.io, Sync as Kubernetes Secret",
        {"Secret": (".spec.secretObjects[].secretName",)},
    ),
    Maker(
        "ObjectBucketClaim.objectbucket.io",
        "rook.io, Object Bucket Claim",
        {"Secret": ("{name}",), "ConfigMap": ("{name}",)},
    ),
    Maker("CephCluster.ceph.rook.io", "rook.io", {"Secret": ("rook-ceph-*",), "ConfigMap": ("rook-ceph-*",)}),
    *(
        Maker(
            f"{kind}.secrets.hashicorp.com",
            "developer.hashicorp.com, Vault Secrets Operator",
            {"Secret": (".spec.destination.name",)},
        )
        for kind in ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret", "HCPVaultSecretsApp")
    ),
    Maker("VaultSecret.ricoberger.de", "ricoberger/vault-secrets-operator", {"Secret": ("{name}",)}),
    Maker(
        "ExternalSecret.kubernetes-client.io", "external-secrets/kubernetes-external-secrets", {"Secret": ("{name}",)}
    ),
    Maker("OnePasswordItem.onepassword.com", "1Password/onepassword-operator", {"Secret": ("{name}",)}),
    Maker(
        "InfisicalSecret.secrets.infisical.com",
        "infisical.com, Kubernetes operator",
        {
            "Secret": (
                ".spec.managedSecretReference.secretName",
                ".spec.managedKubeSecretReferences[].secretName",
            )
        },
    ),
    Maker("DopplerSecret.secrets.doppler.com", "docs.doppler.com", {"Secret": (".spec.managedSecret.name",)}),
    Maker(
        "SopsSecret.isindir.github.com", "isindir/sops-secrets-operator", {"Secret": (".spec.secretTemplates[].name",)}
    ),
    Maker("AzureKeyVaultSecret.spv.no", "akv2k8s.io", {"Secret": (".spec.output.secret.name",)}),
    Maker(
        "StringSecret.secretgenerator.mittwald.de",
        "mittwald/kubernetes-secret-generator",
        {"Secret": ("{name}",)},
    ),
    Maker(
        "Bundle.trust.cert-manager.io",
        "cert-manager.io, trust-manager",
        {"ConfigMap": ("{name}",), "Secret": ("{name}",)},
    ),
    Maker(
        "Keycloak.k8s.keycloak.org",
        "keycloak.org, Operator",
        {"Secret": ("{name}-initial-admin",), "Service": ("{name}-service",)},
    ),
    Maker(
        "ArgoCD.argoproj.io",
        "argocd-operator.readthedocs.io",
        {
            "Secret": ("{name}-cluster", "argocd-secret"),
            "ConfigMap": ("argocd-*",),
            "Service": ("{name}-server", "{name}-repo-server", "{name}-redis", "{name}-metrics"),
            "ServiceAccount": ("{name}-argocd-*",),
        },
    ),
    Maker("Prometheus.monitoring.coreos.com", "prometheus-operator.dev", {"Service": ("prometheus-operated",)}),
    Maker("Alertmanager.monitoring.coreos.com", "prometheus-operator.dev", {"Service": ("alertmanager-operated",)}),
    Maker("ThanosRuler.monitoring.coreos.com", "prometheus-operator.dev", {"Service": ("thanos-ruler-operated",)}),
    Maker(
        "Grafana.grafana.integreatly.org",
        "grafana.github.io/grafana-operator",
        {"Secret": ("{name}-admin-credentials",), "Service": ("{name}-service",), "ServiceAccount": ("{name}-sa",)},
    ),
    Maker("Service.serving.knative.dev", "knative.dev, Serving", {"Service": ("{name}", "{name}-*")}),
    Maker("InferenceService.serving.kserve.io", "kserve.github.io", {"Service": ("{name}", "{name}-*")}),
    Maker("EventListener.triggers.tekton.dev", "tekton.dev, Triggers", {"Service": ("el-{name}",)}),
    Maker("RayCluster.ray.io", "docs.ray.io, KubeRay", {"Service": ("{name}-head-svc",)}),
    Maker("RayService.ray.io", "docs.ray.io, KubeRay", {"Service": ("{name}-head-svc", "{name}-serve-svc")}),
    Maker(
        "OpenTelemetryCollector.opentelemetry.io",
        "open-telemetry/opentelemetry-operator",
        {"Service": ("{name}-collector", "{name}-collector-*"), "ServiceAccount": ("{name}-collector",)},
    ),
    Maker(
        "Jaeger.jaegertracing.io",
        "jaegertracing.io, Operator",
        {"Service": ("{name}-*",), "ServiceAccount": ("{name}",)},
    ),
    Maker(
        "TektonConfig.operator.tekton.dev",
        "tekton.dev, Operator",
        {
            "ServiceAccount": ("tekton-*", "pipeline"),
            "Service": ("tekton-*",),
            "Secret": ("tekton-*", "signing-secrets"),
        },
    ),
    Maker("Canary.flagger.app", "docs.flagger.app", {"Service": ("{name}", "{name}-canary", "{name}-primary")}),
    *(
        Maker(
            f"{kind}.operator.victoriametrics.com",
            "docs.victoriametrics.com, Operator",
            {"Service": (f"{kind.lower()}-{{name}}",)},
        )
        for kind in ("VMAgent", "VMAlert", "VMAlertmanager", "VMAuth", "VMSingle")
    ),
    Maker(
        "VMCluster.operator.victoriametrics.com",
        "docs.victoriametrics.com, Operator",
        {"Service": ("vmselect-{name}", "vminsert-{name}", "vmstorage-{name}")},
    ),
)
"""Each kind with the documentation of its operator."""

_ANNOTATIONS: Final[Mapping[str, str]] = {
    "service.beta.openshift.io/serving-cert-secret-name": "docs.openshift.com, Securing service traffic",
    "service.alpha.openshift.io/serving-cert-secret-name": "docs.openshift.com, Securing service traffic",
}
"""Annotations of a Service whose value is the name of a Secret that is made."""

_COPIED: Final = ("reflector.v1.k8s.emberstack.com/reflection-auto-enabled", "replicator.v1.mittwald.de/replicate-to")
"""Annotations of a Secret or ConfigMap that is copied into other namespaces (emberstack/kubernetes-reflector,
mittwald/kubernetes-replicator)."""

_INJECTED: Final = (
    "service.beta.openshift.io/inject-cabundle",
    "config.openshift.io/inject-trusted-cabundle",
    "cert-manager.io/inject-ca-from",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/replicate-from",
)
"""Annotations and labels of a ConfigMap or Secret that somebody fills (docs.openshift.com, Certificate injection)."""

_PROGRAMS: Final[Sequence[tuple[str, str]]] = (
    ("--secret-name=", "kubernetes/ingress-nginx images/kube-webhook-certgen"),
    ("redis-initial-password", "argoproj/argo-cd cmd/argocd/commands/admin/redis_initial_password.go"),
)
"""Words in the command of a container that makes a Secret: an argument that ends in its name, or one that means
`argocd-redis`."""


class Made(NamedTuple):
    """An object that somebody makes; `name` may be a pattern, and `namespace` may be EVERYWHERE."""

    kind: str
    namespace: str
    name: str

    def matches(self, namespace: str, name: str) -> bool:
        """Tell whether an object is this one."""
        return self.namespace in {namespace, EVERYWHERE} and fnmatchcase(name, self.name)


def made_of(group: str, kind: str, namespace: str, value: Mapping[str, Any]) -> Iterator[Made]:
    """What is made of one object besides what it says itself."""
    metadata = value.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    maker = _BY_KIND.get(f"{kind}.{group}") if group else None
    if maker is not None:
        for what, names in maker.made.items():
            for pattern in names:
                for found in _names(pattern, name, value):
                    yield Made(what, namespace or EVERYWHERE, found)
    if group:
        spec = value.get("spec")
        target = spec.get("writeConnectionSecretToRef") if isinstance(spec, dict) else None
        if isinstance(target, dict) and isinstance(target.get("name"), str):  # docs.crossplane.io, Managed resources
            yield Made("Secret", str(target.get("namespace") or namespace or EVERYWHERE), target["name"])
    notes = _notes(metadata)
    if (group, kind) == ("", "Service"):
        for key in _ANNOTATIONS:
            if key in notes:
                yield Made("Secret", namespace, notes[key])
    elif not group and kind in {"Secret", "ConfigMap"} and any(key in notes for key in _COPIED):
        yield Made(kind, EVERYWHERE, name)


def made_by_command(words: Sequence[str]) -> Iterator[str]:
    """The names of Secrets that a container makes, by its command and arguments."""
    (flag, _), (argocd, _) = _PROGRAMS
    if "create" in words:
        yield from (word.removeprefix(flag) for word in words if word.startswith(flag))
    if argocd in words:
        yield "argocd-redis"


def says_what_is_made(word: str) -> bool:
    """Tell whether `made_by_command` looks at a word."""
    (flag, _), (argocd, _) = _PROGRAMS
    return word in {"create", argocd} or word.startswith(flag)


def is_filled(value: Mapping[str, Any]) -> bool:
    """Tell whether somebody else fills a ConfigMap or Secret, so that its keys are not known."""
    notes = _notes(value.get("metadata"))
    return any(key in notes for key in _INJECTED)


_BY_KIND: Final[Mapping[str, Maker]] = {maker.key: maker for maker in MAKERS}


def _notes(metadata: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in ("labels", "annotations"):
        inner = metadata.get(field) if isinstance(metadata, dict) else None
        if isinstance(inner, dict):
            found.update({key: text for key, text in inner.items() if isinstance(text, str)})
    return found


def _names(pattern: str, name: str, value: Any) -> Iterator[str]:
    if not pattern.startswith("."):
        yield pattern.replace("{name}", name)
        return
    values = [value]
    for step in pattern[1:].split("."):
        values = [each.get(step.removesuffix("[]")) for each in values if isinstance(each, dict)]
        if step.endswith("[]"):
            values = [item for each in values if isinstance(each, list) for item in each]
    yield from (each for each in values if isinstance(each, str) and each)
