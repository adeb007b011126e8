"""Kinds from which well-known operators make pods that nobody writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcompile.model import ResourceId

_POD_MAKERS = frozenset({
    "acid.zalan.do",
    "camel.apache.org",
    "cassandra.datastax.com",
    "ceph.rook.io",
    "clickhouse.altinity.com",
    "databases.spotahome.com",
    "elasticsearch.k8s.elastic.co",
    "flink.apache.org",
    "grafana.integreatly.org",
    "helm.cattle.io",
    "helm.toolkit.fluxcd.io",
    "jaegertracing.io",
    "k8s.keycloak.org",
    "k8s.mariadb.com",
    "kafka.strimzi.io",
    "kibana.k8s.elastic.co",
    "kubeflow.org",
    "loki.grafana.com",
    "longhorn.io",
    "minio.min.io",
    "mongodbcommunity.mongodb.com",
    "mysql.oracle.com",
    "opentelemetry.io",
    "opensearch.opster.io",
    "operator.tekton.dev",
    "operator.victoriametrics.com",
    "postgres-operator.crunchydata.com",
    "postgresql.cnpg.io",
    "psmdb.percona.com",
    "pxc.percona.com",
    "rabbitmq.com",
    "ray.io",
    "redis.redis.opstreelabs.in",
    "serving.knative.dev",
    "serving.kserve.io",
    "solr.apache.org",
    "sources.knative.dev",
    "sparkoperator.k8s.io",
    "tekton.dev",
    "tempo.grafana.com",
    "triggers.tekton.dev",
})
_ARGO = frozenset({"ArgoCD", "CronWorkflow", "EventBus", "EventSource", "Sensor", "Workflow"})
_MONITORING = frozenset({"Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler"})


def makes_hidden_pods(identity: ResourceId) -> bool:
    """Tell whether a well-known operator makes pods from a resource, whose labels nobody here can see."""
    is_monitoring = identity.group == "monitoring.coreos.com" and identity.kind in _MONITORING
    is_argo = identity.group == "argoproj.io" and identity.kind in _ARGO
    # Longhorn's manager makes pods before anybody writes an object of its kinds.
    is_longhorn = identity.kind == "CustomResourceDefinition" and identity.name.endswith(".longhorn.io")
    return is_monitoring or is_argo or is_longhorn or identity.group in _POD_MAKERS
