"""The seven Kubernetes objects of a generated service."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from tests.benchmarks.generate_patches import Object
    from tests.benchmarks.generate_values import Values

FILES: Final = ("deployment", "service", "configmap", "secret", "ingress", "pdb", "hpa")
"""The file names of a service's objects, in the order of `objects`."""


class Environment(NamedTuple):
    """What an environment lays on every object."""

    name: str
    namespace: str
    labels: dict[str, str]


def objects(values: Values, environment: Environment | None = None) -> list[Object]:
    """The objects of one service; without an environment those of the base, which name no namespace."""
    return [
        _deployment(values, environment),
        _service(values, environment),
        {
            **_head("v1", "ConfigMap", values, environment, "-config"),
            "data": {**dict(sorted(values["config"].items())), "app.properties": values["properties"]},
        },
        {
            **_head("v1", "Secret", values, environment, "-secret"),
            "type": "Opaque",
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in sorted(values["secrets"].items())},
        },
        _ingress(values, environment),
        {
            **_head("policy/v1", "PodDisruptionBudget", values, environment),
            "spec": {"minAvailable": values["pdb"]["minAvailable"], "selector": {"matchLabels": _selector(values)}},
        },
        _autoscaler(values, environment),
    ]


def _selector(values: Values) -> dict[str, str]:
    return {"app.kubernetes.io/name": values["name"]}


def _labels(values: Values) -> dict[str, str]:
    return {
        **_selector(values),
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/component": values["component"],
        "team": values["team"],
    }


def _head(
    api_version: str,
    kind: str,
    values: Values,
    environment: Environment | None,
    suffix: str = "",
    annotations: dict[str, str] | None = None,
) -> Object:
    metadata: Object = {"name": f"{values['name']}{suffix}"}
    if environment is not None:
        metadata["namespace"] = environment.namespace
    metadata["labels"] = {**_labels(values), **(environment.labels if environment is not None else {})}
    if annotations is not None:
        metadata["annotations"] = annotations
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _deployment(values: Values, environment: Environment | None) -> Object:
    name = values["name"]
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(values["metricsPort"]),
        "prometheus.io/path": "/metrics",
    }
    spread = {"labelSelector": {"matchLabels": _selector(values)}}
    near = {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", **spread}}
    pod: Object = {
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": values["grace"],
        "securityContext": {
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [near]}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                **spread,
            }
        ],
        **({"initContainers": [_migration(name)]} if values["migrate"] else {}),
        "containers": [_application(values), *([_proxy()] if values["sidecar"] else [])],
        "volumes": [
            {"name": "config", "configMap": {"name": f"{name}-config", "defaultMode": 420}},
            {"name": "secret", "secret": {"secretName": f"{name}-secret", "defaultMode": 288}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }
    return {
        **_head("apps/v1", "Deployment", values, environment),
        "spec": {
            "replicas": values["replicas"],
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": _selector(values)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {"metadata": {"labels": _labels(values), "annotations": annotations}, "spec": pod},
        },
    }


def _application(values: Values) -> Object:
    name = values["name"]
    return {
        "name": "app",
        "image": f"{values['image']['repo']}:{values['image']['tag']}",
        "imagePullPolicy": "IfNotPresent",
        "ports": [
            {"name": "http", "containerPort": values["port"], "protocol": "TCP"},
            {"name": "metrics", "containerPort": values["metricsPort"], "protocol": "TCP"},
        ],
        "envFrom": [{"configMapRef": {"name": f"{name}-config"}}],
        "env": [
            *({"name": key, "value": value} for key, value in sorted(values["env"].items())),
            *(
                {"name": f"SECRET_{key}", "valueFrom": {"secretKeyRef": {"name": f"{name}-secret", "key": key}}}
                for key in sorted(values["secrets"])
            ),
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "resources": values["resources"],
        "startupProbe": _probe(values, failureThreshold=30, periodSeconds=5),
        "livenessProbe": _probe(values, initialDelaySeconds=10, periodSeconds=15, timeoutSeconds=3),
        "readinessProbe": _probe(values, initialDelaySeconds=5, periodSeconds=10, timeoutSeconds=3),
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 5"]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/app", "readOnly": True},
            {"name": "secret", "mountPath": "/etc/secret", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # ruff: ignore[hardcoded-temp-file] - a path in the pod
        ],
    }


def _probe(values: Values, **timing: int) -> Object:
    return {"httpGet": {"path": values["probePath"], "port": "http", "scheme": "HTTP"}, **timing}


def _proxy() -> Object:
    return {
        "name": "proxy",
        "image": "registry.example.com/infra/envoy:1.31.2",
        "args": ["--config-path", "/etc/app/envoy.yaml", "--log-level", "warn"],
        "ports": [{"name": "proxy", "containerPort": 15001, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _migration(name: str) -> Object:
    return {
        "name": "migrate",
        "image": "registry.example.com/infra/migrate:4.17.1",
        "command": ["/migrate", "--lock-timeout=30s", "up"],
        "envFrom": [{"secretRef": {"name": f"{name}-secret"}}],
    }


def _service(values: Values, environment: Environment | None) -> Object:
    return {
        **_head("v1", "Service", values, environment),
        "spec": {
            "type": "ClusterIP",
            "selector": _selector(values),
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
                {"name": "metrics", "port": values["metricsPort"], "targetPort": "metrics", "protocol": "TCP"},
            ],
        },
    }


def _ingress(values: Values, environment: Environment | None) -> Object:
    annotations = {
        "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
        "nginx.ingress.kubernetes.io/ssl-redirect": "true",
        "cert-manager.io/cluster-issuer": "letsencrypt",
    }
    backend = {"service": {"name": values["name"], "port": {"name": "http"}}}
    path = {"path": values["path"], "pathType": "Prefix", "backend": backend}
    return {
        **_head("networking.k8s.io/v1", "Ingress", values, environment, annotations=annotations),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [values["host"]], "secretName": f"{values['name']}-tls"}],
            "rules": [{"host": values["host"], "http": {"paths": [path]}}],
        },
    }


def _autoscaler(values: Values, environment: Environment | None) -> Object:
    limits = values["hpa"]
    target: dict[str, Any] = {"type": "Utilization", "averageUtilization": limits["cpu"]}
    policy = {"type": "Percent", "value": 50, "periodSeconds": 60}
    return {
        **_head("autoscaling/v2", "HorizontalPodAutoscaler", values, environment),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": values["name"]},
            "minReplicas": limits["min"],
            "maxReplicas": limits["max"],
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300, "policies": [policy]}},
        },
    }
