"""The quick answer about usual objects is the full one: whatever is done to a field, nothing is missed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from envcompile.check.api.sure import surely_right
from envcompile.check.schema import look_in_full
from envcompile.kubernetes import load

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {note: a}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web, tier: a}, annotations: {prometheus.io/scrape: "true"}}
    spec:
      serviceAccountName: default
      terminationGracePeriodSeconds: 45
      securityContext: {runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      initContainers:
      - {name: first, image: "a/first:1", volumeMounts: [{name: tmp, mountPath: /tmp}]}
      containers:
      - name: app
        image: a/web:1
        ports: [{name: http, containerPort: 3000}, {name: metrics, containerPort: 9100}]
        envFrom: [{configMapRef: {name: config}}]
        env: [{name: A, value: b}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        resources: {requests: {cpu: 500m, memory: 64Mi}, limits: {cpu: "1", memory: 128Mi}}
        livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 15}
        lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: config, mountPath: /etc/app, readOnly: true}, {name: tmp, mountPath: /tmp}]
      - {name: proxy, image: "a/proxy:1", resources: {limits: {memory: 128Mi}}}
      volumes: [{name: config, configMap: {name: config}}, {name: tmp, emptyDir: {sizeLimit: 64Mi}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 20
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {kubernetes.io/ingress.class: nginx}}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /a, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
      - {path: /b, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {service.kubernetes.io/topology-mode: Auto}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: metrics, port: 9100}]}
"""
ODD: tuple[Any, ...] = (
    None, "", " ", "x", "X y", "/a/../b", "a//b", "%2f", "None", "Recreate", "Never", "Localhost", 0, 1, -1, 65536, 1.5,
    True, [], {}, [None], {"x": "y"}, {"requests": {"cpu": "3"}}, {"limits": {"cpu": "-1"}}, {"sleep": {"seconds": 99}},
)  # fmt: skip
BESIDE: tuple[tuple[str, Any], ...] = (
    ("hostPort", 80), ("hostNetwork", True), ("matchLabelKeys", ["app"]), ("minDomains", 3),
    ("restartPolicy", "Always"), ("livenessProbe", {"exec": {"command": ["a"]}, "successThreshold": 2}),
    ("procMount", "Unmasked"), ("preStop", {"sleep": {"seconds": 99}}), ("ephemeral", {}),
    ("claims", [{"name": "a"}]), ("windowsOptions", {}),
    ("resizePolicy", [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]), ("minReadySeconds", 700),
    ("volumeDevices", [{"name": "tmp", "devicePath": "/x"}]), ("terminationGracePeriodSeconds", 5),
    ("controller.kubernetes.io/pod-deletion-cost", "a"), ("successThreshold", 2),
    ("resource", {"kind": "a", "name": "b"}),
    ("sysctls", [{"name": "net.a", "value": "1"}]), ("number", 80), ("activeDeadlineSeconds", 5), ("a b", "c"),
    ("nvidia.com/gpu", "1"), ("progressDeadlineSeconds", 0), ("subdomain", "A_b"), ("dnsPolicy", "None"),
)  # fmt: skip


def _changes(value: Any, whole: Any) -> Iterator[None]:
    """Change one thing after the other, and undo it once somebody looked."""
    if isinstance(value, dict):
        for key in [*value]:
            before = value[key]
            for odd in ODD:
                value[key] = odd
                yield
            del value[key]
            yield
            value[key] = before
            yield from _changes(before, whole)
        for key, item in BESIDE:
            if key not in value:
                value[key] = item
                yield
                del value[key]
    elif isinstance(value, list):
        for item in value:
            yield from _changes(item, whole)
        value.append(copy.deepcopy(value[0]))
        yield
        value.pop()


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_whatever_is_done_to_a_usual_object_nothing_is_missed(version: str) -> None:
    """The quick way says that an object is right, or the full one is asked."""
    api, quick, asked = load(version), 0, 0
    for value in yaml.safe_load_all(USUAL):
        assert surely_right(api, value)
        for _ in _changes(value, value):
            asked += 1
            seen = copy.deepcopy(value)  # what is remembered by identity is not changed
            if surely_right(api, seen):
                quick += 1
                assert look_in_full(api, seen) == [], seen
    assert asked > 5000
    assert quick > 400
