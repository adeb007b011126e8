"""Merge keys of well-known custom kinds, for lists that no CustomResourceDefinition says anything about.

Most of these kinds embed parts of a pod, which merge by the rules of the pod; the others have lists whose items their
documentation tells apart by a required field. A list type that a CustomResourceDefinition states, and `mergeKeys` of
envc.yaml, go before this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Family(Record, frozen=True):
    """Kinds of one API group that share lists.

    `lists` maps the way to a value to a type of the Kubernetes API (`core.v1.PodTemplateSpec`), a field of one
    (`core.v1.PodSpec#containers`), or the key of a list's items (`name`). `[]` in a way is any item of a list, `*` any
    key of a map.
    """

    group: str
    kinds: tuple[str, ...]
    source: str
    lists: Mapping[str, str]


_TEMPLATE: Final = "core.v1.PodTemplateSpec"
_POD: Final = "core.v1.PodSpec"
_CONTAINERS: Final = f"{_POD}#containers"
_ENV: Final = "core.v1.Container#env"
_ENV_FROM_POD: Final = {
    "spec.containers": _CONTAINERS,
    "spec.initContainers": _CONTAINERS,
    "spec.volumes": f"{_POD}#volumes",
    "spec.volumeMounts": "core.v1.Container#volumeMounts",
    "spec.imagePullSecrets": f"{_POD}#imagePullSecrets",
    "spec.topologySpreadConstraints": f"{_POD}#topologySpreadConstraints",
}
_ANALYSIS: Final = {"spec.metrics": "name", "spec.args": "name"}
_WORKFLOW: Final = {
    "templates": "name",
    "volumes": f"{_POD}#volumes",
    "imagePullSecrets": f"{_POD}#imagePullSecrets",
    "arguments.parameters": "name",
    "arguments.artifacts": "name",
    "templates[].container": "core.v1.Container",
    "templates[].script": "core.v1.Container",
    "templates[].initContainers": _CONTAINERS,
    "templates[].sidecars": _CONTAINERS,
    "templates[].containerSet.containers": _CONTAINERS,
    "templates[].volumes": f"{_POD}#volumes",
    "templates[].inputs.parameters": "name",
    "templates[].inputs.artifacts": "name",
    "templates[].outputs.parameters": "name",
    "templates[].outputs.artifacts": "name",
}
_RAY_CLUSTER: Final = {
    "headGroupSpec.template": _TEMPLATE,
    "workerGroupSpecs": "groupName",
    "workerGroupSpecs[].template": _TEMPLATE,
}


def _below(prefix: str, lists: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}.{way}": what for way, what in lists.items()}


FAMILIES: Final[Sequence[Family]] = (
    Family(
        "argoproj.io",
        ("Rollout",),
        "argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1/types.go",
        {
            "spec.template": _TEMPLATE,
            "spec.strategy.canary.analysis.args": "name",
            "spec.strategy.blueGreen.prePromotionAnalysis.args": "name",
            "spec.strategy.blueGreen.postPromotionAnalysis.args": "name",
        },
    ),
    Family(
        "argoproj.io",
        ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"),
        "argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go",
        {**_ANALYSIS, "spec.metrics[].provider.job.spec": "batch.v1.JobSpec"},
    ),
    Family(
        "argoproj.io",
        ("Experiment",),
        "argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1/experiment_types.go",
        {"spec.templates": "name", "spec.templates[].template": _TEMPLATE, "spec.analyses": "name"},
    ),
    Family(
        "argoproj.io",
        ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"),
        "argoproj/argo-workflows pkg/apis/workflow/v1alpha1/workflow_types.go",
        _below("spec", _WORKFLOW),
    ),
    Family(
        "argoproj.io",
        ("CronWorkflow",),
        "argoproj/argo-workflows pkg/apis/workflow/v1alpha1/cron_workflow_types.go",
        _below("spec.workflowSpec", _WORKFLOW),
    ),
    Family(
        "argoproj.io",
        ("Sensor",),
        "argoproj/argo-events pkg/apis/events/v1alpha1/sensor_types.go",
        {"spec.dependencies": "name", "spec.template.container": "core.v1.Container"},
    ),
    Family(
        "monitoring.coreos.com",
        ("Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"),
        "prometheus-operator/prometheus-operator Documentation/api-reference/api.md",
        _ENV_FROM_POD,
    ),
    Family(
        "monitoring.coreos.com",
        ("PrometheusRule",),
        "prometheus-operator/prometheus-operator pkg/apis/monitoring/v1/prometheusrule_types.go",
        {"spec.groups": "name"},
    ),
    Family(
        "operator.victoriametrics.com",
        ("VMAgent", "VMAlert", "VMAlertmanager", "VMSingle", "VMAuth"),
        "VictoriaMetrics/operator docs/api.md",
        {**_ENV_FROM_POD, "spec.extraEnvs": _ENV},
    ),
    Family(
        "opentelemetry.io",
        ("OpenTelemetryCollector",),
        "open-telemetry/opentelemetry-operator apis/v1beta1/common.go",
        {
            **_ENV_FROM_POD,
            "spec.env": _ENV,
            "spec.additionalContainers": _CONTAINERS,
            "spec.ports": "core.v1.ServiceSpec#ports",
        },
    ),
    Family(
        "opentelemetry.io",
        ("Instrumentation",),
        "open-telemetry/opentelemetry-operator apis/v1alpha1/instrumentation_types.go",
        {
            "spec.env": _ENV,
            **{f"spec.{language}.env": _ENV for language in ("java", "nodejs", "python", "dotnet", "go")},
        },
    ),
    Family(
        "grafana.integreatly.org",
        ("Grafana",),
        "grafana/grafana-operator api/v1beta1/grafana_types.go",
        {"spec.deployment": "apps.v1.Deployment", "spec.service": "core.v1.Service"},
    ),
    Family(
        "cert-manager.io",
        ("Issuer", "ClusterIssuer"),
        "cert-manager/cert-manager pkg/apis/acme/v1/types_issuer.go",
        {
            "spec.acme.solvers[].http01.ingress.podTemplate.spec.imagePullSecrets": f"{_POD}#imagePullSecrets",
        },
    ),
    Family(
        "networking.istio.io",
        ("DestinationRule",),
        "istio/api networking/v1/destination_rule.proto",
        {"spec.subsets": "name"},
    ),
    Family(
        "networking.istio.io",
        ("ServiceEntry",),
        "istio/api networking/v1/service_entry.proto",
        {"spec.ports": "number"},
    ),
    Family(
        "gateway.networking.k8s.io",
        ("Gateway",),
        "kubernetes-sigs/gateway-api apis/v1/gateway_types.go",
        {"spec.listeners": "name"},
    ),
    Family(
        "keda.sh",
        ("ScaledJob",),
        "kedacore/keda apis/keda/v1alpha1/scaledjob_types.go",
        {"spec.jobTargetRef": "batch.v1.JobSpec"},
    ),
    Family(
        "flagger.app",
        ("Canary",),
        "fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go",
        {
            f"spec.{way}.{field}": "name"
            for way in ("analysis", "canaryAnalysis")
            for field in ("metrics", "webhooks", "alerts")
        },
    ),
    Family(
        "kafka.strimzi.io",
        ("Kafka", "KafkaConnect", "KafkaMirrorMaker2", "KafkaBridge", "KafkaNodePool"),
        "strimzi/strimzi-kafka-operator documentation/modules/appendix_crds.adoc",
        {
            "spec.kafka.listeners": "name",
            "spec.kafka.storage.volumes": "id",
            "spec.storage.volumes": "id",
            **{
                f"{way}.template.{part}": what
                for way in ("spec", "spec.kafka", "spec.zookeeper", "spec.entityOperator", "spec.kafkaExporter")
                for part, what in (
                    ("pod.volumes", f"{_POD}#volumes"),
                    ("pod.imagePullSecrets", f"{_POD}#imagePullSecrets"),
                    *(
                        (f"{container}.{field}", f"core.v1.Container#{field}")
                        for container in (
                            "kafkaContainer",
                            "zookeeperContainer",
                            "topicOperatorContainer",
                            "userOperatorContainer",
                            "connectContainer",
                            "bridgeContainer",
                            "initContainer",
                            "container",
                        )
                        for field in ("env", "volumeMounts")
                    ),
                )
            },
        },
    ),
    Family(
        "serving.knative.dev",
        ("Service", "Configuration"),
        "knative/serving pkg/apis/serving/v1/revision_types.go",
        {"spec.template": _TEMPLATE},
    ),
    Family("apps.openshift.io", ("DeploymentConfig",), "openshift/api apps/v1/types.go", {"spec.template": _TEMPLATE}),
    Family("image.openshift.io", ("ImageStream",), "openshift/api image/v1/types.go", {"spec.tags": "name"}),
    Family(
        "apps.kruise.io",
        ("CloneSet", "StatefulSet", "DaemonSet", "BroadcastJob"),
        "openkruise/kruise apis/apps",
        {"spec.template": _TEMPLATE},
    ),
    Family(
        "apps.kruise.io",
        ("SidecarSet",),
        "openkruise/kruise apis/apps/v1alpha1/sidecarset_types.go",
        {way: _ENV_FROM_POD[way] for way in ("spec.containers", "spec.initContainers", "spec.volumes")},
    ),
    Family(
        "kubeflow.org",
        ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob", "JAXJob"),
        "kubeflow/training-operator pkg/apis/kubeflow.org/v1",
        {
            f"spec.{field}.*.template": _TEMPLATE
            for field in (
                "pytorchReplicaSpecs",
                "tfReplicaSpecs",
                "mpiReplicaSpecs",
                "xgbReplicaSpecs",
                "paddleReplicaSpecs",
                "jaxReplicaSpecs",
            )
        },
    ),
    Family(
        "kubeflow.org",
        ("Notebook",),
        "kubeflow/kubeflow components/notebook-controller/api/v1/notebook_types.go",
        {"spec.template": _TEMPLATE},
    ),
    Family(
        "ray.io",
        ("RayCluster",),
        "ray-project/kuberay ray-operator/apis/ray/v1/raycluster_types.go",
        _below("spec", _RAY_CLUSTER),
    ),
    Family(
        "ray.io",
        ("RayJob", "RayService"),
        "ray-project/kuberay ray-operator/apis/ray/v1",
        {**_below("spec.rayClusterSpec", _RAY_CLUSTER), **_below("spec.rayClusterConfig", _RAY_CLUSTER)},
    ),
    Family(
        "jobset.x-k8s.io",
        ("JobSet",),
        "kubernetes-sigs/jobset api/jobset/v1alpha2/jobset_types.go",
        {"spec.replicatedJobs": "name", "spec.replicatedJobs[].template": "batch.v1.JobTemplateSpec"},
    ),
    Family(
        "leaderworkerset.x-k8s.io",
        ("LeaderWorkerSet",),
        "kubernetes-sigs/lws api/leaderworkerset/v1/leaderworkerset_types.go",
        {
            "spec.leaderWorkerTemplate.leaderTemplate": _TEMPLATE,
            "spec.leaderWorkerTemplate.workerTemplate": _TEMPLATE,
        },
    ),
    Family(
        "batch.volcano.sh",
        ("Job",),
        "volcano-sh/apis pkg/apis/batch/v1alpha1/job.go",
        {"spec.tasks": "name", "spec.tasks[].template": _TEMPLATE},
    ),
    Family("agones.dev", ("GameServer",), "agones-dev/agones pkg/apis/agones/v1", {"spec.template": _TEMPLATE}),
    Family(
        "agones.dev",
        ("Fleet", "GameServerSet"),
        "agones-dev/agones pkg/apis/agones/v1",
        {"spec.template.spec.template": _TEMPLATE},
    ),
    Family(
        "postgresql.cnpg.io",
        ("Cluster",),
        "cloudnative-pg/cloudnative-pg api/v1/cluster_types.go",
        {"spec.env": _ENV, "spec.externalClusters": "name", "spec.managed.roles": "name", "spec.tablespaces": "name"},
    ),
    Family(
        "postgresql.cnpg.io",
        ("Pooler",),
        "cloudnative-pg/cloudnative-pg api/v1/pooler_types.go",
        {"spec.template": _TEMPLATE},
    ),
    Family(
        "acid.zalan.do",
        ("postgresql",),
        "zalando/postgres-operator docs/reference/cluster_manifest.md",
        {"spec.sidecars": _CONTAINERS, "spec.initContainers": _CONTAINERS, "spec.env": _ENV},
    ),
    Family(
        "rabbitmq.com",
        ("RabbitmqCluster",),
        "rabbitmq/cluster-operator api/v1beta1/rabbitmqcluster_types.go",
        {"spec.override.statefulSet": "apps.v1.StatefulSet", "spec.override.service": "core.v1.Service"},
    ),
    Family(
        "elasticsearch.k8s.elastic.co",
        ("Elasticsearch",),
        "elastic/cloud-on-k8s pkg/apis/elasticsearch/v1/elasticsearch_types.go",
        {"spec.nodeSets": "name", "spec.nodeSets[].podTemplate": _TEMPLATE},
    ),
    *(
        Family(
            group,
            (kind,),
            "elastic/cloud-on-k8s pkg/apis",
            {
                "spec.podTemplate": _TEMPLATE,
                "spec.deployment.podTemplate": _TEMPLATE,
                "spec.daemonSet.podTemplate": _TEMPLATE,
                "spec.statefulSet.podTemplate": _TEMPLATE,
            },
        )
        for group, kind in (
            ("kibana.k8s.elastic.co", "Kibana"),
            ("apm.k8s.elastic.co", "ApmServer"),
            ("beat.k8s.elastic.co", "Beat"),
            ("agent.k8s.elastic.co", "Agent"),
            ("logstash.k8s.elastic.co", "Logstash"),
        )
    ),
    Family(
        "autoscaling.k8s.io",
        ("VerticalPodAutoscaler",),
        "kubernetes/autoscaler vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go",
        {"spec.resourcePolicy.containerPolicies": "containerName"},
    ),
    Family(
        "kyverno.io",
        ("ClusterPolicy", "Policy"),
        "kyverno/kyverno api/kyverno/v1/spec_types.go",
        {"spec.rules": "name"},
    ),
)
"""The well-known kinds, each with the file of its project that says so."""
